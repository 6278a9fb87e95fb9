"""`find_near_films`: pairs of films that are one, found by an index over their motion."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from aver.audit.film_print import likeness_of_films, motion_of_film
from aver.audit.row_index import candidate_pairs

SAME_ABOVE = 0.85
"""Correlation of motion: copies lie above 0.9, different takes by one actor below 0.75."""

_FEW = 30
_ALIKE_ABOVE = 0.6  # of where the motion is, a first look: copies lie above 0.8
_BITS = 12  # copies are further apart in this than pictures are, and films fewer


def find_near_films(films: Sequence[np.ndarray]) -> list[tuple[int, int, float]]:
    """Find pairs of films that are copies, mirrored, cropped or trimmed by up to 0.7 s.

    Parameters
    ----------
    films : sequence of np.ndarray [shape=(pictures, coefficients)]
        As `print_of_film` gives them. Still or very short ones are never paired.

    Returns
    -------
    list of (int, int, float)
        Indices, the smaller first, and the correlation; sorted.
    """
    motions = [motion_of_film(film) for film in films]
    moving = [place for place, motion in enumerate(motions) if motion is not None]
    if len(moving) < 2:
        return []
    rows = np.stack([motion for motion in motions if motion is not None])
    found = []
    for one, two in _likely_pairs(rows):
        likeness = likeness_of_films(films[moving[one]], films[moving[two]])
        if likeness > SAME_ABOVE:
            found.append((moving[one], moving[two], likeness))
    return sorted(found)


def _likely_pairs(rows: np.ndarray) -> list[tuple[int, int]]:
    """All pairs of few films; of many, those that move alike."""
    if len(rows) <= _FEW:
        return list(combinations(range(len(rows)), 2))
    # What all films have in common says nothing about two of them.
    rows = rows - rows.mean(axis=0)
    rows = rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-12)
    return [(one, two) for one, two in candidate_pairs(rows, [rows], _ALIKE_ABOVE, _BITS).tolist()]
