"""`LogSpectrogram`: a clip's whole audio in log-frequency bands, from which windows are cut."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

import numpy as np

from aver.errors import SettingsError
from aver.features.clip_audio import AudioFeature, ClipAudio, standardize
from aver.features.feature import FeatureRecord
from aver.features.spectral import hann_window
from aver.settings import Field, settings

_FLOAT16_MAX = float(np.finfo(np.float16).max)
_BLOCK = 2048  # columns transformed at a time, so that long clips need little memory


@settings
class LogSpectrogram(AudioFeature):
    """Spectra of the standardized audio of a clip on a fine grid of times.

    Arrays: ``columns`` float16 (times, bands), low frequencies first, and ``duration_s`` float64
    (1,). Column k is the Hann-windowed spectrum around ``k * grid_s``; the audio is zero beyond
    its ends. A window of a few seconds is, for instance, every fourth column from any time on, so
    that a model can draw windows without a Fourier transform.

    Parameters
    ----------
    grid_s : float > 0
        Time from column to column, in seconds.
    band_count : int > 0
        Bands, spaced evenly in the logarithm of frequency.
    lowest_hz, highest_hz : float > 0
        Center of the first and of the last band; the last is at most half of `rate_hz`.
    window_s : float > 0
        Length of the Hann window in seconds.
    n_fft : int, even
        Samples of the Fourier transform; the window is padded with zeros to it.
    rate_hz : int > 0
        The audio is resampled to this rate.

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

    grid_s: Annotated[float, Field(gt=0)] = 1.28 / 120 / 4
    band_count: Annotated[int, Field(gt=0)] = 192
    lowest_hz: Annotated[float, Field(gt=0)] = 60.0
    highest_hz: float = 7600.0
    window_s: Annotated[float, Field(gt=0)] = 0.025
    n_fft: Annotated[int, Field(gt=0, multiple_of=2)] = 1024
    rate_hz: Annotated[int, Field(gt=0)] = 16000

    name = "log-spectrogram"
    source = "Birhala et al. (2020), sections II and IV"

    def __post_init__(self) -> None:
        if not self.lowest_hz < self.highest_hz <= self.rate_hz / 2:
            raise SettingsError(
                f"The setting 'highest_hz' must be above lowest_hz, {self.lowest_hz:g}, and at "
                f"most half of rate_hz, {self.rate_hz / 2:g}, not {self.highest_hz:g}."
            )
        if not 2 <= self._window_length <= self.n_fft:
            raise SettingsError(
                f"The window of window_s has {self._window_length} samples; it must have at least "
                f"2 and at most n_fft, {self.n_fft}."
            )

    @property
    def _window_length(self) -> int:
        return round(self.window_s * self.rate_hz)

    def from_audio(self, audio: ClipAudio) -> FeatureRecord:
        """Compute the columns of one clip."""
        return FeatureRecord(
            arrays={
                "columns": self.columns(standardize(audio.samples)),
                "duration_s": np.array([audio.samples.size / self.rate_hz]),
            },
            coverage=audio.coverage,
            flags=audio.flags,
        )

    def columns(self, audio: np.ndarray) -> np.ndarray:
        """Spectra of audio on the grid, from 0 to its end.

        Parameters
        ----------
        audio : np.ndarray [shape=(samples,)]
            At `rate_hz`, standardized.

        Returns
        -------
        np.ndarray [shape=(times, bands), dtype=float16]
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
            blocks.append(np.minimum(values, _FLOAT16_MAX).astype(np.float16))
        return np.concatenate(blocks)

    @cached_property
    def _window(self) -> np.ndarray:
        """The Hann window, padded with zeros on both sides to the length of the transform."""
        window = hann_window(self._window_length)
        before = (self.n_fft - self._window_length) // 2
        after = self.n_fft - self._window_length - before
        return np.pad(window, (before, after)).astype(np.float32)

    @cached_property
    def filters(self) -> np.ndarray:
        """Triangular bands of sum 1, shape (bands, bins).

        A band reaches to the centers of its neighbors; if bins are wider apart than bands, it
        reaches to the next bin, so that low bands interpolate between bins.
        """
        centers = np.geomspace(self.lowest_hz, self.highest_hz, self.band_count)
        bins = np.fft.rfftfreq(self.n_fft, 1 / self.rate_hz)
        spacing = np.gradient(centers) if self.band_count > 1 else np.zeros(1)
        widths = np.maximum(spacing, bins[1])
        weights = np.maximum(0, 1 - np.abs(bins - centers[:, None]) / widths[:, None])
        return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
