"""`find_near_pictures`: pairs of pictures that are one, found by an index."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aver.audit.picture_print import CENTRED, MIRROR
from aver.audit.row_index import candidate_pairs

SAME_ABOVE = 0.93
"""Correlation: copies lie above; other pictures of one face, taken seconds apart, below."""

_PAIRS_AT_ONCE = 20_000


def find_near_pictures(prints: Sequence[np.ndarray]) -> list[tuple[int, int, float]]:
    """Find pairs of pictures that are copies of each other, mirrored or not.

    Parameters
    ----------
    prints : sequence of np.ndarray [shape=(views, coefficients)]
        As `print_of_picture` gives them.

    Returns
    -------
    list of (int, int, float)
        Indices, the smaller first, and the correlation; sorted.
    """
    if len(prints) < 2:
        return []
    rows = np.stack(prints).astype(np.float32)  # (pictures, views, coefficients)
    views = [rows[:, view] * mirror for view in range(CENTRED) for mirror in (1.0, MIRROR)]
    pairs = candidate_pairs(rows[:, 0], views, close=SAME_ABOVE - 0.1)
    found: list[tuple[int, int, float]] = []
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        block = pairs[start : start + _PAIRS_AT_ONCE]
        best = _correlation(rows[block[:, 0]], rows[block[:, 1]])
        for at in np.flatnonzero(best > SAME_ABOVE).tolist():
            found.append((int(block[at, 0]), int(block[at, 1]), float(best[at])))
    return sorted(found)


def _correlation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Best over views of both and mirroring. [shape=(pairs,)]."""
    turned = np.swapaxes(other, 1, 2)
    straight = np.matmul(one, turned).max(axis=(1, 2))
    mirrored = np.matmul(one * MIRROR, turned).max(axis=(1, 2))
    return np.maximum(straight, mirrored)
