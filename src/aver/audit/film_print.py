"""`print_of_film`: how the pictures of a film change, in coarse outline."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from aver.audit.picture_print import MIRROR, coefficients

RATE_HZ = 10.0
_SIDE = 32
_FEWEST = 10  # pictures, one second: over less, chance agreement is not negligible
_LONGEST_LAG = 7  # 0.7 s cut off at the start
_LEAST_MOTION = 1.0  # of the weighted coefficients; a still picture's coding noise is below


def print_of_film(pictures: Iterable[np.ndarray]) -> np.ndarray:
    """Describe a film by the coarse structure of its pictures.

    Parameters
    ----------
    pictures : iterable of np.ndarray [shape=(32, 32), dtype=uint8]
        Grey, ten per second, as `aver.media.reader.read_frames` gives outlines.

    Returns
    -------
    np.ndarray [shape=(pictures, coefficients), dtype=float32]
        Rows are compared after their mean over time is taken off: what stays is the motion, for
        in one studio the pictures themselves are all alike.
    """
    outlines = list(pictures)
    if not outlines:
        return np.zeros((0, MIRROR.size), np.float32)
    return coefficients(np.stack(outlines))


def print_of_film_file(path: Path) -> np.ndarray:
    """Describe a video file, from its first visible picture on.

    Raises
    ------
    MediaError, MissingModalityError
        If the file cannot be read, or has no pictures.
    """
    from aver.media.reader import read_frames

    frames = read_frames(path, RATE_HZ, skip_black=True, outline_px=_SIDE)
    return print_of_film(picture for _, picture in frames)


def motion_of_film(film: np.ndarray) -> np.ndarray | None:
    """Where and how finely a film moves, whenever it does so and mirrored or not.

    Parameters
    ----------
    film : np.ndarray [shape=(pictures, coefficients)]

    Returns
    -------
    np.ndarray [shape=(coefficients,)] or None
        Norm 1; None for films shorter than a second, and for still pictures.
    """
    if len(film) < _FEWEST:
        return None
    motion = np.log(film.std(axis=0) + 1e-3)
    if film.std(axis=0).mean() < _LEAST_MOTION:
        return None
    motion -= motion.mean()
    return motion / np.linalg.norm(motion)


def likeness_of_films(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two films' motion, at the best lag up to 0.7 s, mirrored or not.

    Parameters
    ----------
    one, other : np.ndarray [shape=(pictures, coefficients)]

    Returns
    -------
    float
        1 for copies; different takes by one actor reach 0.75.
    """
    return max(_best_lag(one, other), _best_lag(one * MIRROR, other))


def _best_lag(one: np.ndarray, other: np.ndarray) -> float:
    best = -1.0
    for lag in range(-_LONGEST_LAG, _LONGEST_LAG + 1):
        first, last = max(0, lag), min(len(one), len(other) + lag)
        # A short overlap of longer films says little.
        if last - first < max(_FEWEST, min(len(one), len(other)) - _LONGEST_LAG):
            continue
        here, there = one[first:last], other[first - lag : last - lag]
        here, there = here - here.mean(axis=0), there - there.mean(axis=0)
        norm = float(np.sqrt((here**2).sum() * (there**2).sum()))
        if norm > 0:
            best = max(best, float((here * there).sum()) / norm)
    return best
