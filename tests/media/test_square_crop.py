"""Crops against plain slicing."""

import numpy as np

from aver.media.boxes import cut_square


def test_inside_and_over_the_edge():
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
