"""`mean_of_known`: late fusion of the answers that there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def mean_of_known(answers: Sequence[np.ndarray]) -> np.ndarray:
    """Mean of several systems' probabilities, clip by clip, over those that answer.

    Parameters
    ----------
    answers : sequence of np.ndarray [shape=(clips, classes)]
        By system; a row with NaN is no answer.

    Returns
    -------
    np.ndarray [shape=(clips, classes)]
        NaN where no system answers.

    Examples
    --------
    >>> one, two = np.array([[0.2, 0.8], [1.0, 0.0]]), np.array([[0.4, 0.6], [np.nan, np.nan]])
    >>> mean_of_known([one, two]).round(2).tolist()
    [[0.3, 0.7], [1.0, 0.0]]
    """
    stacked = np.stack(answers)
    known = np.isfinite(stacked).all(axis=2, keepdims=True)
    counts = known.sum(axis=0)
    sums = np.where(known, stacked, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
