"""One interface for all face detectors."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from aver.errors import SettingsError
from aver.media.boxes import overlap
from aver.media.face_detection import DETECTORS, make_detector
from aver.media.frames import read_frames


@pytest.fixture(scope="module")
def portrait(data_root):
    return next(read_frames(data_root / "wild" / "LipNet__lbax4n.mpg"))[1]


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_finds_and_refines_a_real_face(name, portrait):
    if name == "dlib" and importlib.util.find_spec("dlib") is None:
        pytest.skip("The extra 'dlib' is not installed.")
    detector = make_detector(name)
    assert detector.name == name
    faces, none = detector.detect([portrait, np.zeros_like(portrait)])
    assert len(faces) == 1
    assert len(none) == 0
    assert faces.landmarks.shape == (1, 5, 2)
    assert overlap(faces.boxes, np.array([[125.0, 70, 245, 225]]))[0, 0] > 0.5
    rough = faces.boxes[0] + (8, -8, 8, -8)
    refined = detector.refine([portrait, np.zeros_like(portrait)], np.stack([rough, rough]))
    assert refined.scores[0] >= detector.min_score > refined.scores[1]
    assert overlap(refined.boxes[:1], faces.boxes)[0, 0] > 0.7


def test_unknown_name():
    with pytest.raises(SettingsError, match="Known are: mtcnn, haar, dlib"):
        make_detector("yolo")


def test_model_file_is_for_dlib_only(tmp_path):
    with pytest.raises(SettingsError, match="takes no model file"):
        make_detector("haar", face_model=tmp_path / "x.dat")


def test_missing_dlib(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install 'aver\[dlib\]'"):
        make_detector("dlib")


def test_missing_dlib_model(tmp_path, monkeypatch):
    pytest.importorskip("dlib", reason="The extra 'dlib' is not installed.")
    with pytest.raises(SettingsError, match="was not found at"):
        make_detector("dlib", face_model=tmp_path / "none.dat")
    bad = tmp_path / "bad.dat"
    bad.write_bytes(b"no detector")
    with pytest.raises(SettingsError, match="is not a detector file"):
        make_detector("dlib", face_model=bad)
