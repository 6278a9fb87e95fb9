"""Boxes against counting pixels."""

import numpy as np
import pytest

from aver.media.boxes import overlap, squared, suppress


def test_overlap_is_a_count_of_pixels():
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 20, (12, 2))
    boxes = np.concatenate([corners, corners + rng.integers(1, 15, (12, 2))], axis=1)
    masks = np.zeros((12, 40, 40), bool)
    for mask, (left, top, right, bottom) in zip(masks, boxes, strict=True):
        mask[top:bottom, left:right] = True
    both = (masks[:, None] & masks[None]).sum((2, 3))
    either = (masks[:, None] | masks[None]).sum((2, 3))
    np.testing.assert_allclose(overlap(boxes, boxes), both / either)
    smaller = np.minimum(masks.sum((1, 2))[:, None], masks.sum((1, 2))[None])
    np.testing.assert_allclose(overlap(boxes, boxes, over_smaller=True), both / smaller)


def test_suppression_leaves_no_overlap_and_loses_nothing_needlessly():
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 60, (200, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(8, 20, (200, 2))], axis=1)
    scores = rng.uniform(size=200)
    kept = suppress(boxes, scores, 0.3)
    shared = overlap(boxes, boxes)
    assert (np.diff(scores[kept]) <= 0).all()
    assert (np.triu(shared[np.ix_(kept, kept)], 1) <= 0.3).all()
    for lost in np.setdiff1d(np.arange(200), kept):
        better = kept[scores[kept] > scores[lost]]
        assert shared[lost, better].max() > 0.3


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_squares_keep_the_center(scale):
    box = np.array([[3.0, 5.0, 13.0, 9.0]])
    square = squared(box, scale)[0]
    np.testing.assert_allclose(square[2:] - square[:2], 10 * scale)
    np.testing.assert_allclose((square[2:] + square[:2]) / 2, (8, 7))
