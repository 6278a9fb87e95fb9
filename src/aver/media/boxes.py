"""Boxes around faces: overlap, non-maximum suppression, squares and crops.

A box is ``(left, top, right, bottom)`` in pixels from the left and upper edge of the image; the box
of a whole image is ``(0, 0, width, height)``.
"""

from __future__ import annotations

import numpy as np


def overlap(first: np.ndarray, second: np.ndarray, *, over_smaller: bool = False) -> np.ndarray:
    """Intersection over union of every pair of boxes.

    Parameters
    ----------
    first : np.ndarray [shape=(n, 4)]
    second : np.ndarray [shape=(m, 4)]
    over_smaller : bool
        Divide by the smaller box instead of the union: 1 if one box contains the other.

    Returns
    -------
    np.ndarray [shape=(n, m), range=0..1]

    Examples
    --------
    >>> overlap(np.array([[0, 0, 2, 2.0]]), np.array([[1, 0, 3, 2.0]])).round(3)
    array([[0.333]])
    """
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    opposite = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.clip(opposite - corner, 0, None), axis=2)  # (n, m)
    area_first, area_second = areas(first)[:, None], areas(second)[None]
    whole = (
        np.minimum(area_first, area_second) if over_smaller else area_first + area_second - shared
    )
    return shared / np.maximum(whole, 1e-9)


def areas(boxes: np.ndarray) -> np.ndarray:
    """Area of each box in square pixels; zero if its edges are in the wrong order."""
    return np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)


def suppress(
    boxes: np.ndarray, scores: np.ndarray, threshold: float, *, over_smaller: bool = False
) -> np.ndarray:
    """Greedy non-maximum suppression.

    Parameters
    ----------
    boxes : np.ndarray [shape=(n, 4)]
    scores : np.ndarray [shape=(n,)]
    threshold : float in 0..1
        A box that overlaps a better one by more than this is dropped.
    over_smaller : bool
        As in `overlap`.

    Returns
    -------
    np.ndarray [shape=(kept,), dtype=int]
        Indices of the boxes to keep, best first.
    """
    order = np.argsort(-scores, kind="stable")
    overlaps = overlap(boxes[order], boxes[order], over_smaller=over_smaller) > threshold
    kept = np.ones(len(order), bool)
    for rank in range(len(order)):
        if kept[rank]:
            kept[rank + 1 :] &= ~overlaps[rank, rank + 1 :]
    return order[kept]


def squared(boxes: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Square around the center of each box, with its longer side times `scale`.

    Examples
    --------
    >>> squared(np.array([[0.0, 0.0, 2.0, 4.0]]))
    array([[-1.,  0.,  3.,  4.]])
    """
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) * (scale / 2)
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.concatenate([center - half, center + half], axis=1)


def cut_square(frame: np.ndarray, box: np.ndarray, size_px: int) -> np.ndarray:
    """Crop a square and resize it; what lies outside the image is black.

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
    left, top = np.floor(box[:2] + 0.5).astype(int)
    side = max(round(float(box[2] - box[0])), 1)
    inside = frame[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)]
    if inside.shape[:2] != (side, side):
        padded = np.zeros((side, side, 3), np.uint8)
        if inside.size:
            row, column = max(-top, 0), max(-left, 0)
            padded[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
        inside = padded
    return resize_square(inside, size_px)


def resize_square(image: np.ndarray, side_px: int) -> np.ndarray:
    """Scale an image to a square: by means if it gets smaller, linearly if it gets larger.

    Means over pixels would make an image that gets larger blocky.

    Parameters
    ----------
    image : np.ndarray [shape=(height, width) or (height, width, 3)]
    side_px : int > 0

    Returns
    -------
    np.ndarray [shape=(side_px, side_px) or (side_px, side_px, 3)]
        Of the same type.
    """
    import cv2

    how = cv2.INTER_AREA if min(image.shape[:2]) >= side_px else cv2.INTER_LINEAR
    return cv2.resize(image, (side_px, side_px), interpolation=how)
