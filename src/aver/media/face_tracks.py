"""Follow faces through a shot: detect now and then, refine what lies between."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aver.media.boxes import areas, overlap
from aver.media.face_detection import FaceDetector, Faces

_GRID = (32, 18)  # columns, rows: coarse enough that a moving face changes few cells
_MIN_CHANGE = 24.0  # mean change of a cell, of 255


def thumbnail(frame: np.ndarray) -> np.ndarray:
    """Shrink a picture to a coarse grid for `is_cut`.

    Parameters
    ----------
    frame : np.ndarray [shape=(height, width, 3), dtype=uint8]

    Returns
    -------
    np.ndarray [shape=(18, 32, 3), dtype=float32]
    """
    import cv2

    # nearest first: averaging every pixel of a large picture would cost more than it tells
    coarse = cv2.resize(frame, (_GRID[0] * 4, _GRID[1] * 4), interpolation=cv2.INTER_NEAREST)
    return cv2.resize(coarse, _GRID, interpolation=cv2.INTER_AREA).astype(np.float32)


def is_cut(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether a cut lies between two successive pictures.

    Parameters
    ----------
    before, after : np.ndarray [shape=(18, 32, 3), dtype=float32]
        Thumbnails of the two pictures.

    Returns
    -------
    bool
        True where the mean change of colour is at least 24 of 255. A fade is no cut.
    """
    return float(np.abs(after - before).mean()) >= _MIN_CHANGE


_SAME_FACE = 0.3  # least overlap of one face in two detected pictures
_FOLLOWED = 0.4  # least overlap of a refined box with the guess it started from
_WORTH_SIDE = 0.3  # faces smaller than this share of the largest one's side are background
_MAX_FACES = 5
_MAX_OFFSET = 0.3  # a correction beyond this share of the face is no correction


@dataclass
class Tracklet:
    """One face without interruption, in pictures that follow each other."""

    indices: list[int] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    landmarks: list[np.ndarray] = field(default_factory=list)

    def add(self, index: int, box: np.ndarray, score: float, landmarks: np.ndarray) -> None:
        """Append one picture's face."""
        self.indices.append(index)
        self.boxes.append(box)
        self.scores.append(float(score))
        self.landmarks.append(landmarks)


@dataclass
class _Image:
    index: int
    time_s: float
    frame: np.ndarray
    faces: Faces | None = None  # None where nobody looked
    owners: list[Tracklet] = field(default_factory=list)  # tracklet of each face


class FaceFollower:
    """Turns a stream of pictures into tracklets, holding one stretch of pictures at a time.

    The detector looks at the first and last picture of every stretch. Where both show the same
    faces, those in between are guessed on straight lines and refined together in one batch; the
    refinement's own bias, known at both ends, is taken off. Where a face appears, vanishes or is
    lost in between, the stretch is halved and the detector looks again, down to single pictures. A
    cut ends a stretch.

    Parameters
    ----------
    detector : FaceDetector
    detect_every_s : float > 0
        Length of a stretch.
    refine_every_s : float >= 0
        Distance of the pictures in between that are refined; the rest lie on straight lines.

    Attributes
    ----------
    tracklets : list of Tracklet
        All faces so far.
    cuts : list of int
        Indices of pictures that begin a shot, without the first.
    """

    def __init__(
        self, detector: FaceDetector, detect_every_s: float, refine_every_s: float
    ) -> None:
        self.tracklets: list[Tracklet] = []
        self.cuts: list[int] = []
        self._detector = detector
        self._detect_every_s = detect_every_s
        self._refine_every_s = refine_every_s
        self._stretch: list[_Image] = []
        self._thumbnail: np.ndarray | None = None
        self._count = 0

    def push(self, time_s: float, frame: np.ndarray) -> None:
        """Take in the next picture."""
        small = thumbnail(frame)
        if self._thumbnail is not None and is_cut(self._thumbnail, small):
            self.finish()
            self.cuts.append(self._count)
        self._thumbnail = small
        self._stretch.append(_Image(self._count, time_s, frame))
        self._count += 1
        # half a millisecond: time stamps are rounded
        if time_s - self._stretch[0].time_s >= self._detect_every_s - 5e-4:
            self._close()
            self._stretch = self._stretch[-1:]

    def finish(self) -> None:
        """Follow the faces through what is left of the last stretch."""
        if self._stretch:
            self._close()
        self._stretch = []

    def _close(self) -> None:
        ends = [self._stretch[0], self._stretch[-1]]
        new = [p for p in ends[: len(self._stretch)] if p.faces is None]
        self._detect(new)
        self._open_tracklets(self._stretch[0])
        self._fill(0, len(self._stretch) - 1)

    def _detect(self, images: list[_Image]) -> None:
        for image, faces in zip(
            images, self._detector.detect([p.frame for p in images]), strict=True
        ):
            image.faces = _worth_following(faces)

    def _open_tracklets(self, image: _Image) -> None:
        """Begin a tracklet for every face of a detected picture that has none yet."""
        faces = image.faces
        assert faces is not None
        if not image.owners:
            image.owners = [Tracklet() for _ in range(len(faces))]
        for face, owner in enumerate(image.owners):
            if not owner.indices:
                self.tracklets.append(owner)
                owner.add(image.index, faces.boxes[face], faces.scores[face], faces.landmarks[face])

    def _fill(self, start: int, end: int) -> None:
        """Carry tracklets from one detected picture of the stretch to a later one."""
        if end == start:
            return
        first, last = self._stretch[start], self._stretch[end]
        assert first.faces is not None
        assert last.faces is not None
        pairs = _match(first.faces.boxes, last.faces.boxes)
        between = self._stretch[start + 1 : end]
        same = len(pairs) == len(first.faces) == len(last.faces)
        followed = self._follow(first, between, last, pairs) if same and between and pairs else []
        if between and not (same and (followed or not pairs)):
            middle = (start + end) // 2
            self._detect([self._stretch[middle]])
            self._fill(start, middle)
            self._fill(middle, end)
            return
        last.owners = [Tracklet() for _ in range(len(last.faces))]
        for pair, (before, after) in enumerate(pairs):
            owner = first.owners[before]
            for step, image in enumerate(between):
                boxes, scores, landmarks = followed[pair]
                owner.add(image.index, boxes[step], scores[step], landmarks[step])
            faces = last.faces
            owner.add(last.index, faces.boxes[after], faces.scores[after], faces.landmarks[after])
            last.owners[after] = owner
        self._open_tracklets(last)

    def _follow(
        self,
        first: _Image,
        between: list[_Image],
        last: _Image,
        pairs: list[tuple[int, int]],
    ) -> list[tuple[np.ndarray, ...]]:
        """Boxes, scores and landmarks of each pair's face in between; empty where one is lost."""
        assert first.faces is not None
        assert last.faces is not None
        times_s = np.array([first.time_s, *(p.time_s for p in between), last.time_s])
        looked = _spaced(times_s, self._refine_every_s)
        share = ((times_s[looked] - times_s[0]) / (times_s[-1] - times_s[0]))[:, None]
        guesses = [
            (1 - share) * first.faces.boxes[before] + share * last.faces.boxes[after]
            for before, after in pairs
        ]
        images = [first, *between, last]
        frames = [images[i].frame for i in looked] * len(pairs)
        refined = self._detector.refine(frames, np.concatenate(guesses))
        followed = []
        for pair, guess in enumerate(guesses):
            rows = slice(pair * len(looked), (pair + 1) * len(looked))
            boxes, scores = refined.boxes[rows], refined.scores[rows]
            kept = np.diagonal(overlap(boxes, guess))[1:-1]
            if scores[1:-1].min() < self._detector.min_score or kept.min() < _FOLLOWED:
                return []
            sizes = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
            bias = np.clip((guess - boxes) / sizes, -_MAX_OFFSET, _MAX_OFFSET)
            corrected = boxes + sizes * ((1 - share) * bias[0] + share * bias[-1])
            values = (corrected, scores, refined.landmarks[rows])
            at = times_s[1:-1]
            followed.append(tuple(_between(at, times_s[looked], value) for value in values))
        return followed


def _spaced(times_s: np.ndarray, gap_s: float) -> np.ndarray:
    """Both ends and, in between, every picture that is `gap_s` after the last one taken."""
    taken = [0]
    for row in range(1, len(times_s) - 1):
        # half a millisecond: time stamps are rounded
        if len(taken) == 1 or times_s[row] - times_s[taken[-1]] >= gap_s - 5e-4:
            taken.append(row)
    return np.array([*taken, len(times_s) - 1])


def _between(at_s: np.ndarray, times_s: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values (times, ...) on straight lines through their times."""
    right = np.clip(np.searchsorted(times_s, at_s), 1, len(times_s) - 1)
    share = (at_s - times_s[right - 1]) / (times_s[right] - times_s[right - 1])
    share = share.reshape(-1, *[1] * (values.ndim - 1))
    mixed = (1 - share) * values[right - 1] + share * values[right]
    return np.asarray(mixed, np.float32)


def _worth_following(faces: Faces) -> Faces:
    """The few largest faces; small ones beside them are background."""
    if not len(faces):
        return faces
    sides = np.sqrt(areas(faces.boxes))
    rank = np.argsort(-sides, kind="stable")[:_MAX_FACES]
    kept = np.sort(rank[sides[rank] >= _WORTH_SIDE * sides.max()])
    return Faces(faces.boxes[kept], faces.scores[kept], faces.landmarks[kept])


def _match(first: np.ndarray, second: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of boxes that show the same face, best overlap first."""
    shared = overlap(first, second)
    pairs = []
    while shared.size and shared.max() >= _SAME_FACE:
        before, after = np.unravel_index(int(np.argmax(shared)), shared.shape)
        pairs.append((int(before), int(after)))
        shared[before], shared[:, after] = 0, 0
    return pairs
