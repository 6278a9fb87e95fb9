"""`RateCoding`: how values of a feature become firing rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from aver.errors import FeatureError, SettingsError


@dataclass(frozen=True)
class RateCoding:
    """From values to rates between 0 and `highest_rate_hz`.

    Parameters
    ----------
    scale : {"z-score", "min-max"}
        ``z-score``: deviations from the mean, full rate at `limit` deviations; ``min-max``: zero
        at the lowest value of the training clips, full rate at the highest.
    channels : {"on-off", "on", "shifted"}
        What z-scores become. ``on-off``: two inputs, one for values above the mean and one for
        values below; ``on``: values above only; ``shifted``: one input at half rate for the mean.
        Without meaning for ``min-max``.
    apart : bool
        Windows see on or off inputs, not both: all on inputs come first, then all off inputs, and
        neurons of their own count each.
    over : {"rows", "all", "pixels"}
        Mean and deviation of each row of the feature (coefficient, band), of all values together,
        or of each value of pictures that have one size: what is above or below the usual picture.
    limit : float > 0
    highest_rate_hz : float > 0

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, section IV-B: rates of 0 to 63.75 Hz in proportion to the
    intensity of each value.
    Differs from the paper: it names neither scale nor channels.
    """

    scale: Literal["z-score", "min-max"] = "z-score"
    channels: Literal["on-off", "on", "shifted"] = "on-off"
    apart: bool = False
    over: Literal["rows", "all", "pixels"] = "rows"
    limit: float = 3.0
    highest_rate_hz: float = 63.75

    def __post_init__(self) -> None:
        for name in ("limit", "highest_rate_hz"):
            if not 0 < getattr(self, name) < np.inf:
                raise SettingsError(
                    f"{name} is {getattr(self, name)}; it must be positive and finite."
                )

    @property
    def inputs_per_row(self) -> int:
        """Inputs for each value: 2 for on and off, else 1."""
        return 2 if self.scale == "z-score" and self.channels == "on-off" else 1


@dataclass(frozen=True, eq=False)
class FittedCoding:
    """A coding with its numbers.

    Parameters
    ----------
    coding : RateCoding
    zero, unit : np.ndarray [shape=(rows, 1), (1, 1) or (rows, columns)]
        What becomes zero, and what is one unit from there: mean and deviation, or lowest value and
        range.
    """

    coding: RateCoding
    zero: np.ndarray
    unit: np.ndarray

    def rates_hz(self, values: np.ndarray) -> np.ndarray:
        """Rates of one clip.

        Parameters
        ----------
        values : np.ndarray [shape=(..., rows, columns)]

        Returns
        -------
        np.ndarray [shape=(..., rows * inputs_per_row, columns), dtype=float32]
            With on and off channels, row 2 k is the on channel of row k, the next one its off;
            `apart`, the on channels of all rows come before their off channels.

        Raises
        ------
        FeatureError
            If each pixel has a scale of its own, and the values are not of that size.

        Examples
        --------
        >>> coding = FittedCoding(RateCoding(limit=2.0), np.zeros((1, 1)), np.ones((1, 1)))
        >>> coding.rates_hz(np.array([[1.0, -4.0]])).tolist()
        [[31.875, 0.0], [0.0, 63.75]]
        """
        coding = self.coding
        if coding.over == "pixels" and values.shape[-2:] != self.zero.shape:
            raise FeatureError(
                f"Rates pixel by pixel were fitted to {self.zero.shape} values a picture, but a "
                f"clip has {values.shape[-2:]}. Take over=rows or over=all."
            )
        scaled = ((values - self.zero) / self.unit).astype(np.float32)
        if coding.scale == "min-max":
            shares = scaled
        elif coding.channels == "shifted":
            shares = 0.5 + scaled / (2 * coding.limit)
        elif coding.channels == "on":
            shares = scaled / coding.limit
        elif coding.apart:
            shares = np.concatenate([scaled, -scaled], axis=-2) / coding.limit
        else:
            both = np.stack([scaled, -scaled], axis=-2) / coding.limit  # (..., rows, 2, columns)
            shares = both.reshape(*scaled.shape[:-2], -1, scaled.shape[-1])
        return np.clip(shares, 0.0, 1.0) * np.float32(coding.highest_rate_hz)


def fit_coding(coding: RateCoding, clips: Sequence[np.ndarray]) -> FittedCoding:
    """Take mean and deviation, or lowest value and range, from clips.

    Parameters
    ----------
    coding : RateCoding
    clips : sequence of np.ndarray [shape=(..., rows, columns)]
        At least one; numbers of columns may differ, unless each pixel is scaled by itself.

    Raises
    ------
    FeatureError
        If pictures that are to be scaled pixel by pixel differ in size.
    """
    rows = [_values(coding, np.asarray(clip, np.float64)) for clip in clips]
    if coding.over == "pixels" and len({clip.shape[-2:] for clip in clips}) > 1:
        raise FeatureError(
            "Rates pixel by pixel need pictures of one size, which these clips do not have. Take "
            "over=rows or over=all."
        )
    if coding.scale == "min-max":
        zero = np.min([clip.min(axis=1) for clip in rows], axis=0)
        unit = np.max([clip.max(axis=1) for clip in rows], axis=0) - zero
    else:
        count = sum(clip.shape[1] for clip in rows)
        zero = np.sum([clip.sum(axis=1) for clip in rows], axis=0) / count
        squares = [np.square(clip - zero[:, np.newaxis]).sum(axis=1) for clip in rows]
        unit = np.sqrt(np.sum(squares, axis=0) / count)
    unit = np.where(unit > 1e-9, unit, 1.0)  # a row that never changes stays at zero rate
    shape = clips[0].shape[-2:] if coding.over == "pixels" else (-1, 1)
    return FittedCoding(coding, zero.reshape(shape), unit.reshape(shape))


def _values(coding: RateCoding, clip: np.ndarray) -> np.ndarray:
    """Values of a clip by what has a scale of its own: (scales, values)."""
    if coding.over == "all":
        return clip.reshape(1, -1)
    if coding.over == "pixels":
        return clip.reshape(-1, clip.shape[-2] * clip.shape[-1]).T
    rows = np.moveaxis(clip, -2, 0)
    return rows.reshape(len(rows), -1)
