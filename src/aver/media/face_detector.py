"""One interface for all face detectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aver.errors import SettingsError
from aver.media.boxes import overlap, squared

DETECTORS: tuple[str, ...] = ("mtcnn", "haar", "dlib")
"""Names that `make_detector` knows; the first is the default."""


@dataclass(frozen=True)
class Faces:
    """The faces of one picture, best first.

    Parameters
    ----------
    boxes : np.ndarray [shape=(faces, 4), dtype=float32]
        Left, top, right, bottom in pixels; may reach beyond the picture's edge.
    scores : np.ndarray [shape=(faces,), dtype=float32]
        The detector's certainty; 0 to 1 with MTCNN and Haar, open upwards with dlib.
    landmarks : np.ndarray [shape=(faces, 5, 2), dtype=float32]
        Eye on the picture's left, eye on its right, nose, mouth corners left and right, as x and y
        in pixels; NaN from detectors that find none.
    """

    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def without_landmarks(cls, boxes: np.ndarray, scores: np.ndarray) -> Faces:
        """Faces of a detector that finds boxes only; sorted here."""
        order = np.argsort(-scores, kind="stable")
        return cls(
            np.asarray(boxes, np.float32).reshape(-1, 4)[order],
            np.asarray(scores, np.float32)[order],
            np.full((len(order), 5, 2), np.nan, np.float32),
        )


class FaceDetector(ABC):
    """Finds faces in pictures; `make_detector` gives one by name."""

    name: str
    """As `make_detector` knows it."""
    least_score: float = 0.5
    """What `refine` must reach for the face to count as seen."""

    @abstractmethod
    def detect(self, frames: Sequence[np.ndarray]) -> list[Faces]:
        """Find the faces of each picture.

        Parameters
        ----------
        frames : sequence of np.ndarray [shape=(height, width, 3), dtype=uint8]
            Red, green, blue.

        Returns
        -------
        list of Faces
            One per picture; empty where there is no face.
        """

    def refine(self, frames: Sequence[np.ndarray], boxes: np.ndarray) -> Faces:
        """Find, in each picture, the one face that is about where `boxes` says.

        Parameters
        ----------
        frames : sequence of n np.ndarray [shape=(height, width, 3), dtype=uint8]
        boxes : np.ndarray [shape=(n, 4)]
            One guess per picture.

        Returns
        -------
        Faces
            One row per picture, in the pictures' order; score 0 and the guess itself where no face
            was found there.
        """
        found = Faces(
            np.asarray(boxes, np.float32).copy(),
            np.zeros(len(boxes), np.float32),
            np.full((len(boxes), 5, 2), np.nan, np.float32),
        )
        for row, (frame, window) in enumerate(zip(frames, squared(boxes, 2.0), strict=True)):
            left, top = np.clip(window[:2], 0, None).astype(int)
            right, bottom = np.clip(window[2:], 0, None).astype(int)
            part = np.ascontiguousarray(frame[top:bottom, left:right])
            faces = self.detect([part])[0] if part.size else None
            if faces is None or not len(faces):
                continue
            corner = np.array([left, top], np.float32)
            shifted = faces.boxes + np.tile(corner, 2)
            best = int(np.argmax(overlap(shifted, boxes[row : row + 1])[:, 0]))
            found.boxes[row], found.scores[row] = shifted[best], faces.scores[best]
            found.landmarks[row] = faces.landmarks[best] + corner
        return found


def make_detector(name: str = "mtcnn", *, face_model: str | Path | None = None) -> FaceDetector:
    """Give out a face detector by name.

    Parameters
    ----------
    name : {"mtcnn", "haar", "dlib"}
        MTCNN (the default) is the most accurate here; Haar cascades of OpenCV need no weights and
        see frontal faces only; dlib's network needs the extra ``dlib``.
    face_model : str or Path, optional
        Detector file for dlib (``mmod_human_face_detector.dat``).

    Returns
    -------
    FaceDetector

    Raises
    ------
    SettingsError
        If there is no detector of that name, or it lacks its library or file.
    """
    if face_model is not None and name != "dlib":
        raise SettingsError(
            f"The face detector {name!r} takes no model file, but {face_model} was given. Leave it "
            "out, or choose the detector 'dlib'."
        )
    if name == "mtcnn":
        from aver.media.mtcnn import MtcnnDetector

        return MtcnnDetector()
    if name == "haar":
        from aver.media.haar import HaarDetector

        return HaarDetector()
    if name == "dlib":
        from aver.media.dlib_cnn import DlibDetector

        return DlibDetector(face_model)
    raise SettingsError(
        f"There is no face detector named {name!r}. Known are: {', '.join(DETECTORS)}."
    )
