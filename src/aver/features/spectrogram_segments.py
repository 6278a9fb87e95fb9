"""`SpectrogramSegments`: one-second spectrograms of a clip's audio, the audio input of MRPN."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Annotated, Literal

import numpy as np

from aver.errors import SettingsError
from aver.features.clip_audio import AudioFeature, ClipAudio, standardize
from aver.features.feature import FeatureRecord
from aver.features.spectral import hann_window, mel_filters
from aver.settings import Field, settings

_FLOAT16_MAX = float(np.finfo(np.float16).max)


@settings
class SpectrogramSegments(AudioFeature):
    """Cut standardized audio into overlapping segments and compute a spectrogram of each.

    Arrays: ``segments`` float16 (segments, bands, columns), low frequencies first, and
    ``starts_s`` float32 (segments,). Segments start on a grid of `hop_s` from 0, so that runs of
    consecutive segments are time slices. There are ``1 + floor((duration - segment_s) / hop_s +
    1/2)`` of them: a remainder of at least half a hop after the last whole segment becomes one
    more segment, padded with zeros; a shorter one is dropped. A clip shorter than one segment has
    one segment, padded with zeros, and is flagged.

    Parameters
    ----------
    segment_s : float > 0
        Length of a segment in seconds.
    hop_s : float > 0
        Time from start to start in seconds; equal to `segment_s` for segments without overlap.
    rate_hz : int > 0
        The audio is resampled to this rate.
    n_fft : int, even
        Length of the Hann window and of the Fourier transform, in samples.
    stft_hop : int > 0
        Samples from one column to the next.
    scale : {"log1p", "power"}
        ``log(1 + magnitude)``, or squared magnitude divided by `n_fft` (so that it fits float16).
    bands : {"linear", "mel"}
        Equal bands, each the mean of its bins, or triangular mel bands, each a weighted mean.
    band_count : int > 0
        Linear bands must divide ``n_fft / 2``.
    column_count : int > 0
        A divisor of ``segment_s * rate_hz / stft_hop``; neighboring columns are averaged.

    Raises
    ------
    SettingsError
        If a setting is out of range, or the settings do not fit together.

    Notes
    -----
    Source: Chang & Skarbek (2021), section 3.3: 16 kHz, standardized per clip, 1 s segments every
    0.2 s, Hann STFT 512/64 with center padding; of 257 x 251 values the Nyquist bin and the last
    column are dropped. The paper names no scale. Each segment is padded by reflection at its own
    edges.
    Differs from the paper: bands and columns may be pooled, for models that train on a CPU.
    """

    segment_s: Annotated[float, Field(gt=0)] = 1.0
    hop_s: Annotated[float, Field(gt=0)] = 0.2
    rate_hz: Annotated[int, Field(gt=0)] = 16000
    n_fft: Annotated[int, Field(gt=0, multiple_of=2)] = 512
    stft_hop: Annotated[int, Field(gt=0)] = 64
    scale: Literal["log1p", "power"] = "log1p"
    bands: Literal["linear", "mel"] = "linear"
    band_count: Annotated[int, Field(gt=0)] = 256
    column_count: Annotated[int, Field(gt=0)] = 250

    name = "spectrogram-segments"
    source = "Chang & Skarbek (2021), section 3.3"

    @property
    def frames_in_1_s(self) -> int:
        """Segments that lie within one second."""
        return 1 + max(0, round((1.0 - self.segment_s) / self.hop_s))

    def __post_init__(self) -> None:
        samples, bins = round(self.segment_s * self.rate_hz), self.n_fft // 2
        if self.n_fft > samples:
            raise SettingsError(
                f"The setting 'n_fft' must be at most the {samples} samples of a segment, not "
                f"{self.n_fft}."
            )
        if self._columns % self.column_count:
            raise SettingsError(
                f"The setting 'column_count' must divide the {self._columns} columns of a segment; "
                f"{self.column_count} does not."
            )
        if self.bands == "linear" and bins % self.band_count:
            raise SettingsError(
                f"The setting 'band_count' must divide the {bins} bins of the spectrum if bands "
                f"are linear; {self.band_count} does not."
            )
        if self.band_count > bins:
            raise SettingsError(
                f"The setting 'band_count' must be at most {bins}, not {self.band_count}."
            )

    @property
    def _columns(self) -> int:
        return round(self.segment_s * self.rate_hz) // self.stft_hop

    @property
    def shape(self) -> tuple[int, int]:
        """Bands and columns of one segment."""
        return self.band_count, self.column_count

    def from_audio(self, audio: ClipAudio) -> FeatureRecord:
        """Compute the segments of one clip."""
        short = audio.samples.size < round(self.segment_s * self.rate_hz)
        segments, starts_s = self.spectrograms(standardize(audio.samples))
        return FeatureRecord(
            arrays={"segments": segments, "starts_s": starts_s},
            coverage=audio.coverage,
            flags=(*audio.flags, *(("shorter than one segment",) if short else ())),
        )

    def spectrograms(self, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cut audio into segments and compute the spectrogram of each.

        Parameters
        ----------
        audio : np.ndarray [shape=(samples,)]
            At `rate_hz`, standardized.

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
        """Spectrogram of one segment, (bands, columns), float16."""
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
        return np.minimum(pooled, _FLOAT16_MAX).astype(np.float16)

    @cached_property
    def _window(self) -> np.ndarray:
        return hann_window(self.n_fft).astype(np.float32)


@lru_cache(maxsize=4)
def _mel_filters(rate_hz: int, n_fft: int, band_count: int) -> np.ndarray:
    """Triangular filters, each of sum 1, shape (bands, bins without Nyquist)."""
    filters = mel_filters(rate_hz, n_fft, band_count, rate_hz / 2, equal_area=False)[:, :-1]
    if not filters.any(axis=1).all():
        raise SettingsError(
            f"{band_count} mel bands are too many for n_fft {n_fft} at {rate_hz} Hz: some contain "
            "no bin of the spectrum. Choose fewer bands or a longer window."
        )
    return filters / filters.sum(axis=1, keepdims=True)
