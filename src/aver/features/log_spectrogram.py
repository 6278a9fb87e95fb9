"""`LogSpectrogram`: a clip's whole sound in log-frequency bands, from which windows are cut."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features.clip_audio import audio_paths, read_clip_audio, standardize
from aver.features.feature import Feature, FeatureRecord

_LARGEST = float(np.finfo(np.float16).max)
_BLOCK = 2048  # columns transformed at a time, so that long clips need little memory


@dataclass(frozen=True)
class LogSpectrogram(Feature):
    """Transform the standardised sound of a clip on a fine grid of moments.

    Arrays: ``columns`` float16 (moments, bands), low frequencies first, and ``duration_s`` float64
    (1,). Column k is the Hann-windowed spectrum around ``k * grid_s``; beyond its ends the sound
    is zero. A window of a few seconds is every fourth column (say) from any moment on, so that a
    model draws windows without a Fourier transform.

    Parameters
    ----------
    grid_s : float > 0
        From column to column.
    band_count : int > 0
        Rows, spaced evenly in the logarithm of frequency.
    lowest_hz, highest_hz : float > 0
        Middle of the first and of the last row; the last is at most half of `rate_hz`.
    window_s : float > 0
        Length of the Hann window.
    n_fft : int, even
        Samples of the Fourier transform; the window is padded with zeros to it.
    rate_hz : int > 0
        The sound is resampled to this rate.

    Raises
    ------
    SettingsError
        If a setting is out of range, or the settings do not fit together.

    Notes
    -----
    Source: Birhala et al. (2020), section II and IV: spectrograms of 192 x 120 for 1.28 s.
    Differs from the paper: it names neither the transform nor the scale. Ours is a 25 ms Hann
    window at 16 kHz, triangular bands of sum 1 from 60 Hz to 7.6 kHz, ``log(1 + magnitude)``.
    """

    grid_s: float = 1.28 / 120 / 4
    band_count: int = 192
    lowest_hz: float = 60.0
    highest_hz: float = 7600.0
    window_s: float = 0.025
    n_fft: int = 1024
    rate_hz: int = 16000

    name = "log-spectrogram"
    modality = "audio"
    source = "Birhala et al. (2020), sections II and IV"

    def __post_init__(self) -> None:
        for field in ("grid_s", "band_count", "lowest_hz", "window_s", "n_fft", "rate_hz"):
            if getattr(self, field) <= 0:
                raise SettingsError(f"{field} is {getattr(self, field)}; it must be positive.")
        if not self.lowest_hz < self.highest_hz <= self.rate_hz / 2:
            raise SettingsError(
                f"highest_hz is {self.highest_hz}; it must lie above lowest_hz "
                f"({self.lowest_hz}) and not above half of rate_hz ({self.rate_hz / 2:g})."
            )
        if self.n_fft % 2 or not 2 <= self._window_length <= self.n_fft:
            raise SettingsError(
                f"n_fft is {self.n_fft}; it must be even and hold the window of window_s "
                f"({self._window_length} samples, at least 2)."
            )

    @property
    def _window_length(self) -> int:
        return round(self.window_s * self.rate_hz)

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The clip's file of sound."""
        return audio_paths(clip)

    def extract(self, clip: Clip) -> FeatureRecord:
        """Compute the columns of one clip."""
        audio = read_clip_audio(clip, self.rate_hz)
        if audio.missing:
            return FeatureRecord.absent(audio.missing)
        return FeatureRecord(
            arrays={
                "columns": self.columns(standardize(audio.samples)),
                "duration_s": np.array([audio.samples.size / self.rate_hz]),
            },
            coverage=audio.coverage,
            flags=audio.flags,
        )

    def columns(self, audio: np.ndarray) -> np.ndarray:
        """Transform sound on the grid, from 0 to its end.

        Parameters
        ----------
        audio : np.ndarray [shape=(samples,)]
            At `rate_hz`, standardised.

        Returns
        -------
        np.ndarray [shape=(moments, bands), dtype=float16]
        """
        count = 1 + int(audio.size / self.rate_hz / self.grid_s)
        centers = np.round(np.arange(count) * self.grid_s * self.rate_hz).astype(np.int64)
        half = self.n_fft // 2
        padded = np.pad(audio, (half, half + 1))
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)
        blocks = []
        for start in range(0, count, _BLOCK):
            spectrum = np.abs(np.fft.rfft(frames[centers[start : start + _BLOCK]] * self._window))
            values = np.log1p(spectrum.astype(np.float32) @ self.filters.T)
            blocks.append(np.minimum(values, _LARGEST).astype(np.float16))
        return np.concatenate(blocks)

    @cached_property
    def _window(self) -> np.ndarray:
        """The Hann window in the middle of zeros, as long as the transform."""
        from scipy.signal import get_window

        window = get_window("hann", self._window_length)
        before = (self.n_fft - self._window_length) // 2
        after = self.n_fft - self._window_length - before
        return np.pad(window, (before, after)).astype(np.float32)

    @cached_property
    def filters(self) -> np.ndarray:
        """Triangular bands of sum 1, shape (bands, bins).

        A band reaches to the middles of its neighbours, and where bins are wider apart than bands,
        to the next bin: low bands then interpolate between bins.
        """
        middles = np.geomspace(self.lowest_hz, self.highest_hz, self.band_count)
        bins = np.fft.rfftfreq(self.n_fft, 1 / self.rate_hz)
        spacing = np.gradient(middles) if self.band_count > 1 else np.zeros(1)
        widths = np.maximum(spacing, bins[1])
        weights = np.maximum(0, 1 - np.abs(bins - middles[:, None]) / widths[:, None])
        return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
