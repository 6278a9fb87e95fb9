"""Square crops of a picture."""

from __future__ import annotations

import numpy as np


def cut_square(frame: np.ndarray, box: np.ndarray, size_px: int) -> np.ndarray:
    """Cut a square out of a picture and resize it; black where it lies outside.

    Parameters
    ----------
    frame : np.ndarray [shape=(height, width, 3), dtype=uint8]
    box : np.ndarray [shape=(4,)]
    size_px : int
        Side of the result.

    Returns
    -------
    np.ndarray [shape=(size_px, size_px, 3), dtype=uint8]
    """
    import cv2

    left, top = np.floor(box[:2] + 0.5).astype(int)
    side = max(round(float(box[2] - box[0])), 1)
    inside = frame[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)]
    if inside.shape[:2] != (side, side):
        padded = np.zeros((side, side, 3), np.uint8)
        if inside.size:
            row, column = max(-top, 0), max(-left, 0)
            padded[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
        inside = padded
    shrinks = side > size_px
    return cv2.resize(
        inside,
        (size_px, size_px),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
    )
