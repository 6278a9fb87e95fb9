"""Where one camera shot ends and the next begins."""

from __future__ import annotations

import numpy as np

_GRID = (32, 18)  # columns, rows: coarse enough that a moving face changes few cells
_LEAST_CHANGE = 24.0  # mean change of a cell, of 255


def thumbnail(frame: np.ndarray) -> np.ndarray:
    """Shrink a picture to a coarse grid for `is_cut`.

    Parameters
    ----------
    frame : np.ndarray [shape=(height, width, 3), dtype=uint8]

    Returns
    -------
    np.ndarray [shape=(18, 32, 3), dtype=float32]
    """
    import cv2

    # nearest first: averaging every pixel of a large picture would cost more than it tells
    coarse = cv2.resize(frame, (_GRID[0] * 4, _GRID[1] * 4), interpolation=cv2.INTER_NEAREST)
    return cv2.resize(coarse, _GRID, interpolation=cv2.INTER_AREA).astype(np.float32)


def is_cut(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether a cut lies between two successive pictures.

    Parameters
    ----------
    before, after : np.ndarray [shape=(18, 32, 3), dtype=float32]
        Thumbnails of the two pictures.

    Returns
    -------
    bool
        True where the mean change of colour is at least 24 of 255. A fade is no cut.
    """
    return float(np.abs(after - before).mean()) >= _LEAST_CHANGE
