"""Correction of p values for many comparisons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down correction: chance of any false finding among all stays below alpha.

    Source: Holm, Scandinavian Journal of Statistics 6, 1979.

    Parameters
    ----------
    p_values : sequence of float in [0, 1]

    Returns
    -------
    tuple of float
        Corrected values, in the order given.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    stepped = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    corrected = np.empty_like(values)
    corrected[order] = stepped
    return tuple(corrected.tolist())
