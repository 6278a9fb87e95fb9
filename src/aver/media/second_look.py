"""A second look for faces in pictures in which a detector finds none at first look."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from aver.media.boxes import squared
from aver.media.face_detection import FaceDetector, Faces

WHOLE_PICTURE = "picture taken as a face"
"""Remark on a clip whose whole picture was taken as the face."""

_BORDER = 0.25  # on each side, as a share of the shorter side
_GRAY = (127, 127, 127)  # close to zero for the networks
_ENLARGED_PX = 192  # smaller pictures are enlarged so that the shorter side has this size
_SMALLEST_PX = 20.0  # smallest face, before enlargement
_PROPORTIONS = (0.6, 1.25)  # width over height of a picture that can be a face
_SCALES = (0.8, 1.0, 1.2)  # sides of the squares compared with a face, in longer sides
_SAMPLES = 6
_MIN_SHARE = 0.25  # of the sampled frames, with a face at second look


class WiderDetector(FaceDetector):
    """Finds faces that fill the picture, and small ones, with another detector.

    A gray border is added, small pictures are enlarged, and the detector's settings are those of
    `FaceDetector.more_sensitive`.

    Parameters
    ----------
    detector : FaceDetector
        The one of the first look.
    """

    def __init__(self, detector: FaceDetector) -> None:
        self.name, self.min_score = detector.name, detector.min_score
        self._first, self._sensitive = detector, detector.more_sensitive()

    def detect(self, frames: Sequence[np.ndarray]) -> list[Faces]:
        """See `FaceDetector.detect`."""
        framed = [_with_border(frame) for frame in frames]
        found = self._sensitive.detect([image for image, _, _ in framed])
        return [
            _placed_back(faces, scale, border)
            for faces, (_, scale, border) in zip(found, framed, strict=True)
        ]

    def refine(self, frames: Sequence[np.ndarray], boxes: np.ndarray) -> Faces:
        """See `FaceDetector.refine`."""
        return self._first.refine(frames, boxes)


class WholePictureDetector(FaceDetector):
    """Takes a whole picture as one face if another detector confirms it.

    The picture must have the proportions of a face (width over height from 0.6 to 1.25) and a
    shorter side of at least 20 px. Then the last stage of the detector rates squares around its
    center with 0.8, 1 and 1.2 times its longer side. The box is that of the best square, if its
    score is at least `FaceDetector.sure_score`.

    Parameters
    ----------
    detector : FaceDetector
        The one of the first look. Only MTCNN has a stage that rates given squares; Haar and dlib
        confirm nothing that they did not find at first look.
    """

    def __init__(self, detector: FaceDetector) -> None:
        self.name, self.min_score = detector.name, detector.sure_score
        self._detector = detector

    def detect(self, frames: Sequence[np.ndarray]) -> list[Faces]:
        """See `FaceDetector.detect`."""
        rated = self._rate(frames)
        return [
            Faces(rated.boxes[row : row + found], rated.scores[row : row + found],
                  rated.landmarks[row : row + found])
            for row, found in enumerate((rated.scores >= self.min_score).astype(int))
        ]  # fmt: skip

    def refine(self, frames: Sequence[np.ndarray], boxes: np.ndarray) -> Faces:
        """See `FaceDetector.refine`; the guesses do not matter."""
        return self._rate(frames)

    def _rate(self, frames: Sequence[np.ndarray]) -> Faces:
        """The best box of each picture; score 0 if its size or proportions are not a face's."""
        sizes = np.array([frame.shape[1::-1] for frame in frames], np.float32).reshape(-1, 2)
        pictures = np.concatenate([np.zeros_like(sizes), sizes], axis=1)
        rated = [self._detector.refine(frames, squared(pictures, scale)) for scale in _SCALES]
        best = np.argmax([faces.scores for faces in rated], axis=0)
        rows = np.arange(len(frames))
        boxes, scores, landmarks = (
            np.stack([getattr(faces, name) for faces in rated])[best, rows]
            for name in ("boxes", "scores", "landmarks")
        )
        proportions = sizes[:, 0] / sizes[:, 1]
        fits = (proportions >= _PROPORTIONS[0]) & (proportions <= _PROPORTIONS[1])
        fits &= sizes.min(axis=1) >= _SMALLEST_PX
        return Faces(boxes, np.where(fits, scores, 0).astype(np.float32), landmarks)


class FrameSample:
    """At most 6 evenly spaced frames of a stream of unknown length.

    Attributes
    ----------
    frames : list of np.ndarray
        3 to 6 of them, or all if the stream has fewer.

    Examples
    --------
    >>> sample = FrameSample()
    >>> for value in range(21):
    ...     sample.push(np.array(value))
    >>> [int(frame) for frame in sample.frames]
    [0, 4, 8, 12, 16, 20]
    """

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []
        self._step, self._count = 1, 0

    def push(self, frame: np.ndarray) -> None:
        """Add the next frame of the stream."""
        if self._count % self._step == 0:
            if len(self.frames) == _SAMPLES:
                self.frames = self.frames[::2]
                self._step *= 2
            if self._count % self._step == 0:
                self.frames.append(frame)
        self._count += 1


def second_detector(detector: FaceDetector, frames: Sequence[np.ndarray]) -> FaceDetector | None:
    """Choose a detector for a video in which the given one found no face at all.

    Parameters
    ----------
    detector : FaceDetector
        The one of the first look.
    frames : sequence of np.ndarray [shape=(height, width, 3), dtype=uint8]
        A sample of the video's frames.

    Returns
    -------
    FaceDetector or None
        `WiderDetector`, or else `WholePictureDetector`, if it finds a face in at least a quarter of
        the frames; None if neither does.
    """
    if not frames:
        return None
    for second in (WiderDetector(detector), WholePictureDetector(detector)):
        count = sum(len(faces) > 0 for faces in second.detect(frames))
        if count >= ceil(_MIN_SHARE * len(frames)):
            return second
    return None


def _with_border(frame: np.ndarray) -> tuple[np.ndarray, float, int]:
    """The enlarged picture with a gray border, the scale, and the width of the border."""
    import cv2

    shorter = min(frame.shape[:2])
    scale = max(_ENLARGED_PX / shorter, 1.0)
    if scale > 1:
        frame = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    border = round(_BORDER * shorter * scale)
    image = cv2.copyMakeBorder(frame, *(border,) * 4, cv2.BORDER_CONSTANT, value=_GRAY)
    return image, scale, border


def _placed_back(faces: Faces, scale: float, border: int) -> Faces:
    """Faces in the pixels of the original picture, without those that are too small there."""
    boxes = (faces.boxes - border) / scale
    large = (boxes[:, 3] - boxes[:, 1]) >= _SMALLEST_PX
    landmarks = (faces.landmarks - border) / scale
    return Faces(
        boxes[large].astype(np.float32),
        faces.scores[large],
        landmarks[large].astype(np.float32),
    )
