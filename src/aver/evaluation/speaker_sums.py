"""`SpeakerSums`: a metric as sums per speaker and a formula, the base of every interval and test.

Accuracy is one sum divided by another; unweighted recall and F1 are formulas of a confusion
matrix, which is a sum; so are log loss, calibration error and concordance. Kept per speaker, the
sums make it cheap to leave a speaker out (jackknife), to draw speakers (bootstrap) and to swap
two runs within a speaker (permutation), always with all clips and seeds of a speaker together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Formula = Callable[[np.ndarray], np.ndarray]
"""Takes sums of shape (..., sums) and gives the metric of shape (...,); NaN where undefined."""


@dataclass(frozen=True, eq=False)
class SpeakerSums:
    """One metric of one run, kept apart by speaker.

    Parameters
    ----------
    name : str
        Of the metric, for instance ``"accuracy"``.
    speakers : tuple of str
    sums : np.ndarray [shape=(speakers, sums)]
    formula : callable
        The metric as a function of the sums added over speakers.
    low, high : float
        Range of the metric; intervals are cut to it.
    """

    name: str
    speakers: tuple[str, ...]
    sums: np.ndarray
    formula: Formula
    low: float = 0.0
    high: float = 1.0

    @property
    def value(self) -> float:
        """The metric over all speakers pooled."""
        return float(self.formula(self.sums.sum(axis=0)))

    @property
    def by_speaker(self) -> np.ndarray:
        """The metric of each speaker alone; shape (speakers,)."""
        return self.formula(self.sums)

    def without_each(self) -> np.ndarray:
        """The metric with each speaker left out in turn; shape (speakers,)."""
        return self.formula(self.sums.sum(axis=0) - self.sums)

    def weighted(self, weights: np.ndarray) -> np.ndarray:
        """The metric with each speaker counted `weights` times.

        Parameters
        ----------
        weights : np.ndarray [shape=(draws, speakers)]

        Returns
        -------
        np.ndarray [shape=(draws,)]
        """
        return self.formula(weights @ self.sums)


def sum_by_speaker(speaker_index: np.ndarray, speakers: int, values: np.ndarray) -> np.ndarray:
    """Add rows that belong to the same speaker.

    Parameters
    ----------
    speaker_index : np.ndarray of int [shape=(rows,)]
    speakers : int
    values : np.ndarray [shape=(rows, ...)]

    Returns
    -------
    np.ndarray [shape=(speakers, ...)]

    Examples
    --------
    >>> sum_by_speaker(np.array([0, 1, 0]), 2, np.array([1.0, 2.0, 3.0])).tolist()
    [4.0, 2.0]
    """
    total = np.zeros((speakers, *values.shape[1:]))
    np.add.at(total, speaker_index, values)
    return total


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide where the denominator is positive; NaN elsewhere, without a warning.

    A denominator that is zero but for rounding counts as zero.
    """
    positive = denominator > 1e-9
    return np.where(positive, numerator / np.where(positive, denominator, 1.0), np.nan)
