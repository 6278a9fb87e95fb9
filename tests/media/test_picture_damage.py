"""Damage to pictures, against SciPy and against the law that each describes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from aver.media.degradation import blur, cover, darken

IMAGE = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)


def test_blur_is_a_gaussian_of_the_height() -> None:
    expected = gaussian_filter(IMAGE.astype(float), (2.4, 2.4, 0), mode="mirror", truncate=4)
    np.testing.assert_allclose(blur(IMAGE, 2.0), expected, atol=2)
    np.testing.assert_array_equal(blur(IMAGE, 0.0), IMAGE)


@pytest.mark.parametrize("stops", [1.0, 3.0])
def test_every_stop_halves_the_light(stops: float) -> None:
    white = np.full((200, 200, 3), 255, np.uint8)
    dark = darken(white, stops, np.random.default_rng(0)) / 255
    light = np.where(dark <= 0.04045, dark / 12.92, ((dark + 0.055) / 1.055) ** 2.4)
    assert light.mean() == pytest.approx(0.5**stops, rel=0.02)
    # Photons are counted: of n, sqrt(n) come or do not, and reading adds three.
    electrons = 2000 * 0.5**stops
    assert light.std() * 2000 == pytest.approx(np.sqrt(electrons + 9), rel=0.1)


def test_no_stop_changes_nothing() -> None:
    np.testing.assert_array_equal(darken(IMAGE, 0.0, np.random.default_rng(0)), IMAGE)


def test_the_face_is_covered_from_the_chin_up() -> None:
    covered = cover(IMAGE, np.array([40.0, 20.0, 80.0, 100.0]), 50.0)
    assert (covered[60:100, 40:80] == 128).all()
    untouched = np.ones((120, 160), bool)
    untouched[60:100, 40:80] = False
    np.testing.assert_array_equal(covered[untouched], IMAGE[untouched])
    beyond = cover(IMAGE, np.array([-20.0, 80.0, 20.0, 160.0]), 100.0)
    assert (beyond[80:, :20] == 128).all()
    np.testing.assert_array_equal(cover(IMAGE, np.full(4, np.nan), 50.0), IMAGE)
