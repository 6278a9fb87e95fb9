"""Power spectra, mel bands and mel-frequency cepstral coefficients, equal to librosa's.

librosa itself is not imported: it compiles functions when it is imported, which costs seconds in
every process, and several processes that do so at once can damage the cache they share.
"""

from __future__ import annotations

import numpy as np

_BLOCK_FRAMES = 2048  # transformed at a time, so that long clips need little memory
_LINEAR_HZ = 200 / 3  # Slaney's scale: so many Hz per mel up to 1 kHz, logarithmic above
_BREAK_HZ = 1000.0
_LOG_STEP = np.log(6.4) / 27


def hann_window(length: int) -> np.ndarray:
    """Periodic Hann window, float64 (length,); equal to SciPy's ``get_window("hann", length)``.

    Examples
    --------
    >>> hann_window(4).round(3).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    # Importing scipy.signal takes longer than extracting a feature of many clips.
    return (0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, length + 1)))[:-1]


def power_spectrogram(audio: np.ndarray, n_fft: int, hop: int) -> np.ndarray:
    """Squared magnitudes of the short-time Fourier transform with a Hann window.

    Parameters
    ----------
    audio : np.ndarray [shape=(samples,), dtype=float32]
        Padded with ``n_fft // 2`` zeros at both ends: frame k is centered on sample ``k * hop``.
    n_fft : int >= 2
        Length of the window and of the transform, in samples.
    hop : int > 0
        Samples from one frame to the next.

    Returns
    -------
    np.ndarray [shape=(n_fft // 2 + 1, frames), dtype=float32]
    """
    from scipy.fft import rfft

    padded = np.pad(audio, n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    window = hann_window(n_fft)
    blocks = [
        np.abs(rfft(frames[start : start + _BLOCK_FRAMES] * window).astype(np.complex64)) ** 2
        for start in range(0, len(frames), _BLOCK_FRAMES)
    ]
    return np.concatenate(blocks).T


def mel_filters(
    rate_hz: int,
    n_fft: int,
    band_count: int,
    highest_hz: float,
    *,
    lowest_hz: float = 0.0,
    equal_area: bool = True,
) -> np.ndarray:
    """Triangular filters, evenly spaced on Slaney's mel scale.

    Parameters
    ----------
    rate_hz, n_fft, band_count : int > 0
    highest_hz : float > 0
        Upper edge of the last band; at most half of `rate_hz`.
    lowest_hz : float >= 0
        Lower edge of the first band; at most 1000.
    equal_area : bool
        Divide each triangle by half its width in Hz; otherwise its peak is 1.

    Returns
    -------
    np.ndarray [shape=(band_count, n_fft // 2 + 1), dtype=float32]
        A row of zeros if a band is so narrow that it contains no bin of the spectrum.

    Notes
    -----
    Source: Slaney (1998), Auditory Toolbox, version 2.
    """
    break_mel = _BREAK_HZ / _LINEAR_HZ
    if highest_hz < _BREAK_HZ:
        highest_mel = highest_hz / _LINEAR_HZ
    else:
        highest_mel = break_mel + np.log(highest_hz / _BREAK_HZ) / _LOG_STEP
    mel = np.linspace(lowest_hz / _LINEAR_HZ, highest_mel, band_count + 2)
    edges_hz = np.where(
        mel < break_mel, _LINEAR_HZ * mel, _BREAK_HZ * np.exp(_LOG_STEP * (mel - break_mel))
    )
    ramps = edges_hz[:, np.newaxis] - np.fft.rfftfreq(n_fft, 1 / rate_hz)  # (bands + 2, bins)
    widths = np.diff(edges_hz)[:, np.newaxis]
    triangles = np.minimum(-ramps[:-2] / widths[:-1], ramps[2:] / widths[1:])
    filters = np.maximum(0, triangles).astype(np.float32)
    if equal_area:
        filters *= (2 / (edges_hz[2:] - edges_hz[:-2]))[:, np.newaxis]
    return filters


def mel_bands_db(
    audio: np.ndarray, rate_hz: int, n_fft: int, hop: int, band_count: int, highest_hz: float
) -> np.ndarray:
    """Mel spectrogram in dB, no lower than 80 dB below its highest value.

    Parameters
    ----------
    audio, n_fft, hop
        As in `power_spectrogram`.
    rate_hz, band_count, highest_hz
        As in `mel_filters`.

    Returns
    -------
    np.ndarray [shape=(band_count, frames), dtype=float32]
    """
    filters = mel_filters(rate_hz, n_fft, band_count, highest_hz)
    power = filters @ power_spectrogram(audio, n_fft, hop)
    level_db = 10 * np.log10(np.maximum(1e-10, power))
    return np.maximum(level_db, level_db.max() - 80)


def cepstrum(bands_db: np.ndarray, coefficients: int) -> np.ndarray:
    """Mel-frequency cepstral coefficients: the first of an orthonormal DCT-II over the bands.

    Parameters
    ----------
    bands_db : np.ndarray [shape=(bands, frames)]
    coefficients : int, 1 to the number of bands

    Returns
    -------
    np.ndarray [shape=(coefficients, frames)]
    """
    from scipy.fft import dct

    return dct(bands_db, axis=0, norm="ortho")[:coefficients]
