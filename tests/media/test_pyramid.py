"""Levels: none overlap, all are shrunken copies."""

import numpy as np
import pytest

from aver.media.mtcnn import plan_pyramid


@pytest.mark.parametrize("size", [(270, 360), (720, 1280), (224, 224), (640, 360), (61, 45)])
def test_levels_fit_and_do_not_overlap(size):
    pyramid = plan_pyramid(*size, smallest_px=20)
    used = np.zeros((pyramid.height, pyramid.width), int)
    for level in pyramid.levels:
        rows, columns = (
            slice(level.top, level.top + level.height),
            slice(level.left, level.left + level.width),
        )
        assert used[rows, columns].size == level.height * level.width
        used[rows, columns] += 1
        assert not any(v % 2 for v in (level.top, level.left, level.height, level.width))
    assert used.max() == 1
    assert used.mean() > 0.7
    assert min(pyramid.levels[-1].height, pyramid.levels[-1].width) >= 12


def test_levels_are_shrunken_copies():
    ramp = np.tile(np.linspace(0, 255, 360, dtype=np.uint8)[None, :, None], (270, 1, 3))
    pyramid = plan_pyramid(270, 360, smallest_px=20)
    canvas = pyramid.draw([ramp])[0]
    for level in pyramid.levels:
        part = canvas[
            level.top : level.top + level.height, level.left : level.left + level.width, 0
        ]
        middle = (np.arange(level.width) + 0.5) / level.width * 360 - 0.5
        np.testing.assert_allclose(
            part.mean(axis=0), middle * 255 / 359, atol=4
        )  # rounding adds up


def test_image_smaller_than_the_smallest_face():
    assert plan_pyramid(15, 300, smallest_px=20).levels == ()
