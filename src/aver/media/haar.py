"""Frontal faces by OpenCV's Haar cascade: no weights to fetch, less accurate than MTCNN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aver.errors import SettingsError
from aver.media.face_detector import FaceDetector, Faces

_CASCADE = "haarcascade_frontalface_default.xml"


@dataclass(frozen=True)
class HaarSettings:
    """What counts as a face.

    Parameters
    ----------
    smallest_share : float in 0..1
        Smallest face as a share of the picture's shorter side.
    neighbours : int
        Overlapping hits that a face must have.
    """

    smallest_share: float = 0.1
    neighbours: int = 5


class HaarDetector(FaceDetector):
    """Frontal faces, on the CPU, without landmarks.

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
    CVPR 2001; the cascade is the one OpenCV ships. The score is the cascade's last margin through
    a logistic function, so that it lies in 0..1 as MTCNN's does; it is no probability.
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

        grey = cv2.equalizeHist(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))
        smallest = max(round(self.settings.smallest_share * min(grey.shape)), 24)
        hits, _, margins = self._cascade.detectMultiScale3(
            grey,
            scaleFactor=1.1,
            minNeighbors=self.settings.neighbours,
            minSize=(smallest, smallest),
            outputRejectLevels=True,
        )
        if not len(hits):
            return Faces.without_landmarks(np.zeros((0, 4)), np.zeros(0))
        corners = np.asarray(hits, np.float32)  # (faces, 4): left, top, width, height
        boxes = np.concatenate([corners[:, :2], corners[:, :2] + corners[:, 2:]], axis=1)
        scores = 1 / (1 + np.exp(-np.asarray(margins, np.float64).reshape(-1)))
        return Faces.without_landmarks(boxes, scores)
