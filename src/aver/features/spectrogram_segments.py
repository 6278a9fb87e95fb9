"""`SpectrogramSegments`: one-second spectrograms of a clip's sound, as MRPN wants them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features.clip_audio import audio_paths, read_clip_audio, standardize
from aver.features.feature import Feature, FeatureRecord

_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class SpectrogramSegments(Feature):
    """Cut standardised sound into overlapping segments and take each one's spectrogram.

    Arrays: ``segments`` float16 (segments, bands, columns), low frequencies first, and
    ``starts_s`` float32 (segments,). Segments start on a grid of `hop_s` from 0, so that runs of
    consecutive segments are time slices. There are ``1 + floor((duration - segment_s) / hop_s +
    1/2)`` of them: what is left after the last whole segment gets one more, zero-padded, where it
    is at least half a hop long, and is dropped else. A clip shorter than one segment yields one,
    zero-padded and flagged.

    Parameters
    ----------
    segment_s : float > 0
        Length of a segment in seconds.
    hop_s : float > 0
        From start to start; equal to `segment_s` for segments without overlap.
    rate_hz : int > 0
        The sound is resampled to this rate.
    n_fft : int, even
        Length of the Hann window and of the Fourier transform, in samples.
    stft_hop : int > 0
        Samples from one column to the next.
    scale : {"log1p", "power"}
        ``log(1 + magnitude)``, or squared magnitude divided by `n_fft` (so that it fits float16).
    bands : {"linear", "mel"}
        Equal bands, each the mean of its bins, or triangular mel bands, each a weighted mean.
    band_count : int > 0
        For linear bands a divisor of ``n_fft / 2``.
    column_count : int > 0
        A divisor of ``segment_s * rate_hz / stft_hop``; neighbouring columns are averaged.

    Raises
    ------
    SettingsError
        If the settings do not fit together.

    Notes
    -----
    Source: Chang & Skarbek (2021), section 4.1: 16 kHz, standardised per clip, 1 s segments every
    0.2 s, Hann STFT 512/64 with centre padding; of 257 x 251 values the Nyquist bin and the last
    column are dropped. The paper names no scale. Each segment is padded by reflection at its own
    edges.
    Differs from the paper: bands and columns may be pooled, for models that train on a CPU.
    """

    segment_s: float = 1.0
    hop_s: float = 0.2
    rate_hz: int = 16000
    n_fft: int = 512
    stft_hop: int = 64
    scale: Literal["log1p", "power"] = "log1p"
    bands: Literal["linear", "mel"] = "linear"
    band_count: int = 256
    column_count: int = 250

    name = "spectrogram-segments"
    modality = "audio"
    source = "Chang & Skarbek (2021), section 4.1"

    def __post_init__(self) -> None:
        for field in ("segment_s", "hop_s", "rate_hz", "n_fft", "stft_hop"):
            if getattr(self, field) <= 0:
                raise SettingsError(f"{field} is {getattr(self, field)}; it must be positive.")
        if self.n_fft % 2 or self.n_fft > self.segment_s * self.rate_hz:
            raise SettingsError(
                f"n_fft is {self.n_fft}; it must be even and at most the "
                f"{round(self.segment_s * self.rate_hz)} samples of a segment."
            )
        if self.scale not in ("log1p", "power"):
            raise SettingsError(f"There is no scale {self.scale!r}. Choose 'log1p' or 'power'.")
        self._check_pooling()

    def _check_pooling(self) -> None:
        columns, bins = self._columns, self.n_fft // 2
        if self.column_count < 1 or columns % self.column_count:
            raise SettingsError(
                f"column_count is {self.column_count}; it must divide the {columns} columns of a "
                "segment."
            )
        if self.bands == "linear":
            if self.band_count < 1 or bins % self.band_count:
                raise SettingsError(
                    f"band_count is {self.band_count}; linear bands must divide the {bins} bins "
                    "of the spectrum."
                )
        elif self.bands != "mel":
            raise SettingsError(f"There are no bands {self.bands!r}. Choose 'linear' or 'mel'.")
        elif not 1 <= self.band_count <= bins:
            raise SettingsError(f"band_count is {self.band_count}; choose 1 to {bins}.")

    @property
    def _columns(self) -> int:
        return round(self.segment_s * self.rate_hz) // self.stft_hop

    @property
    def shape(self) -> tuple[int, int]:
        """Bands and columns of one segment."""
        return self.band_count, self.column_count

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The clip's file of sound."""
        return audio_paths(clip)

    def extract(self, clip: Clip) -> FeatureRecord:
        """Compute the segments of one clip."""
        audio = read_clip_audio(clip, self.rate_hz)
        if audio.missing:
            return FeatureRecord.absent(audio.missing)
        short = audio.samples.size < round(self.segment_s * self.rate_hz)
        segments, starts_s = self.spectrograms(standardize(audio.samples))
        return FeatureRecord(
            arrays={"segments": segments, "starts_s": starts_s},
            coverage=audio.coverage,
            flags=(*audio.flags, *(("shorter than one segment",) if short else ())),
        )

    def spectrograms(self, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cut sound into segments and transform each.

        Parameters
        ----------
        audio : np.ndarray [shape=(samples,)]
            At `rate_hz`, standardised.

        Returns
        -------
        segments : np.ndarray [shape=(segments, bands, columns), dtype=float16]
        starts_s : np.ndarray [shape=(segments,), dtype=float32]
        """
        length, hop = round(self.segment_s * self.rate_hz), round(self.hop_s * self.rate_hz)
        count = max(1, 1 + (2 * (audio.size - length) + hop) // (2 * hop))
        padded = np.pad(audio, (0, max(0, (count - 1) * hop + length - audio.size)))
        segments = np.stack(
            [self._spectrogram(padded[i * hop : i * hop + length]) for i in range(count)]
        )
        return segments, (np.arange(count) * hop / self.rate_hz).astype(np.float32)

    def _spectrogram(self, audio: np.ndarray) -> np.ndarray:
        """One segment's bands by columns, float16."""
        centered = np.pad(audio, self.n_fft // 2, mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(centered, self.n_fft)[:: self.stft_hop]
        spectrum = np.fft.rfft(frames[: self._columns] * self._window, axis=1)
        values = np.abs(spectrum[:, :-1]).T  # (bins without Nyquist, columns without the last)
        if self.scale == "power":
            values = values**2 / self.n_fft
        if self.bands == "mel":
            values = _mel_filters(self.rate_hz, self.n_fft, self.band_count) @ values
        pooled = values.reshape(
            self.band_count, len(values) // self.band_count, self.column_count, -1
        ).mean(axis=(1, 3))
        if self.scale == "log1p":
            pooled = np.log1p(pooled)
        return np.minimum(pooled, _LARGEST).astype(np.float16)

    @cached_property
    def _window(self) -> np.ndarray:
        from scipy.signal import get_window

        return get_window("hann", self.n_fft).astype(np.float32)


@lru_cache(maxsize=4)
def _mel_filters(rate_hz: int, n_fft: int, band_count: int) -> np.ndarray:
    """Triangular filters, each of sum 1, shape (bands, bins without Nyquist)."""
    import librosa

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Empty filters")  # an error of our own follows
        filters = librosa.filters.mel(sr=rate_hz, n_fft=n_fft, n_mels=band_count, norm=None)
    filters = filters[:, :-1]
    if not filters.any(axis=1).all():
        raise SettingsError(
            f"{band_count} mel bands are too many for n_fft {n_fft} at {rate_hz} Hz: some hold no "
            "bin of the spectrum. Choose fewer bands or a longer window."
        )
    return filters / filters.sum(axis=1, keepdims=True)
