"""Boxes against counted pixels, crops against slicing."""

from __future__ import annotations

import numpy as np
import pytest

from aver.media.boxes import cut_square, overlap, squared, suppress


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


def test_suppression_removes_overlapping_boxes_only():
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


def test_crops_inside_and_across_the_edge():
    frame = np.random.default_rng(0).integers(1, 255, (30, 40, 3), np.uint8)
    np.testing.assert_array_equal(
        cut_square(frame, np.array([4.0, 6, 20, 22]), 16), frame[6:22, 4:20]
    )
    over = cut_square(frame, np.array([-8.0, -8, 8, 8]), 16)
    np.testing.assert_array_equal(over[8:, 8:], frame[:8, :8])
    assert not over[:8].any()
    assert not over[:, :8].any()


def test_outside_is_black():
    frame = np.full((30, 40, 3), 255, np.uint8)
    assert not cut_square(frame, np.array([100.0, 100, 120, 120]), 8).any()
    assert not cut_square(frame, np.array([-60.0, -60, -40, -40]), 8).any()


def test_shrinking_averages():
    frame = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    small = cut_square(frame, np.array([0.0, 0, 32, 32]), 8)
    means = frame.reshape(8, 4, 8, 4, 3).mean((1, 3))
    assert np.abs(small - means).max() <= 1
