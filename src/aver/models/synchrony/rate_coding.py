"""`RateCoding`: numbers as rates of input spikes, on a scale learnt from training clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Channels = Literal["on", "on-off"]
HIGHEST_RATE_HZ = 63.75
"""Source: Diehl & Cook 2015, section 2.5: rates between 0 and 63.75 Hz."""
CLIPPED_AT = 3.0
"""Deviations from the mean that have the highest rate."""


@dataclass(frozen=True, eq=False)
class RateCoding:
    """Standardised numbers: what is above the mean drives an on channel, below it an off channel.

    Parameters
    ----------
    mean, deviation : np.ndarray [shape=(rows, columns or 1)]
        Of the training clips.
    channels : {"on", "on-off"}

    Examples
    --------
    >>> coding = RateCoding(np.zeros((1, 1)), np.ones((1, 1)), "on-off")
    >>> coding.rates_hz(np.array([[[1.5, -3.0, np.nan]]])).tolist()
    [[[[31.875, 0.0, 0.0]], [[0.0, 63.75, 0.0]]]]
    """

    mean: np.ndarray
    deviation: np.ndarray
    channels: Channels

    @classmethod
    def learn(cls, maps: Sequence[np.ndarray], channels: Channels, standardise: str) -> RateCoding:
        """Take mean and deviation of each row, or of each cell.

        Parameters
        ----------
        maps : sequence of np.ndarray [shape=(frames, rows, columns)]
            Training clips; NaN where a clip has nothing.
        channels : {"on", "on-off"}
        standardise : {"rows", "cells"}
        """
        axes = (0, 2) if standardise == "rows" else (0,)
        count = sum(np.isfinite(one).sum(axis=axes, keepdims=True) for one in maps)
        total = sum(np.nansum(one, axis=axes, keepdims=True, dtype=np.float64) for one in maps)
        mean = total / np.maximum(count, 1)
        squares = sum(
            np.nansum((one - mean) ** 2, axis=axes, keepdims=True, dtype=np.float64) for one in maps
        )
        deviation = np.sqrt(squares / np.maximum(count, 1))
        return cls(mean[0], np.where(deviation > 1e-9, deviation, 1.0)[0], channels)

    @property
    def channel_count(self) -> int:
        """One or two."""
        return 2 if self.channels == "on-off" else 1

    def rates_hz(self, values: np.ndarray) -> np.ndarray:
        """Rates, `[shape=(frames, channels, rows, columns)]`; 0 where there is nothing."""
        scaled = np.nan_to_num((values - self.mean) / self.deviation, nan=0.0) / CLIPPED_AT
        channels = [scaled.clip(0, 1)]
        if self.channels == "on-off":
            channels.append((-scaled).clip(0, 1))
        return HIGHEST_RATE_HZ * np.stack(channels, axis=1)

    def arrays(self) -> dict[str, np.ndarray]:
        """What was learnt, for a checkpoint."""
        return {"mean": self.mean, "deviation": self.deviation}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], channels: Channels) -> RateCoding:
        """Rebuild what `arrays` gave."""
        return cls(arrays["mean"], arrays["deviation"], channels)
