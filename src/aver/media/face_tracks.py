"""`FaceFollower`: tracks all faces of a shot; detects in some frames, refines those in between."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aver.media.boxes import areas, overlap
from aver.media.face_detection import FaceDetector, Faces

_GRID = (32, 18)  # columns, rows: so coarse that a moving face changes few cells
_MIN_CHANGE = 24.0  # mean change of the cells at a cut, of 255
_SAME_FACE = 0.3  # minimum overlap of one face in two detected frames
_SAME_REFINED = 0.4  # minimum overlap of a refined box with its guess
_MIN_SIDE = 0.3  # of the side of the largest face; smaller faces are background
_MAX_FACES = 5
_MAX_OFFSET = 0.3  # maximum correction of a refined box, as a share of its size


@dataclass
class Tracklet:
    """One face in consecutive frames."""

    indices: list[int] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    landmarks: list[np.ndarray] = field(default_factory=list)

    def add(self, index: int, box: np.ndarray, score: float, landmarks: np.ndarray) -> None:
        """Append the face of one frame."""
        self.indices.append(index)
        self.boxes.append(box)
        self.scores.append(float(score))
        self.landmarks.append(landmarks)


@dataclass
class _Frame:
    index: int
    time_s: float
    image: np.ndarray
    faces: Faces | None = None  # None before detection
    owners: list[Tracklet] = field(default_factory=list)  # tracklet of each face


class FaceFollower:
    """Converts a stream of frames to tracklets, with one interval of frames in memory at a time.

    The detector runs on the first and last frame of every interval. If both show the same faces,
    boxes in between are interpolated and refined together in one batch; the bias of the refinement,
    which is known at both ends, is subtracted. If a face appears, disappears or is lost in between,
    the interval is halved and the detector runs again, down to single frames. A cut ends an
    interval.

    Parameters
    ----------
    detector : FaceDetector
    detect_every_s : float > 0
        Length of an interval.
    refine_every_s : float >= 0
        Time between refined frames; the rest is interpolated.

    Attributes
    ----------
    tracklets : list of Tracklet
        All faces so far.
    cuts : list of int
        Indices of frames that begin a shot, without the first.
    """

    def __init__(
        self, detector: FaceDetector, detect_every_s: float, refine_every_s: float
    ) -> None:
        self.tracklets: list[Tracklet] = []
        self.cuts: list[int] = []
        self._detector = detector
        self._detect_every_s = detect_every_s
        self._refine_every_s = refine_every_s
        self._interval: list[_Frame] = []
        self._thumbnail: np.ndarray | None = None
        self._count = 0

    def push(self, time_s: float, image: np.ndarray) -> None:
        """Add the next frame."""
        small = thumbnail(image)
        if self._thumbnail is not None and is_cut(self._thumbnail, small):
            self.finish()
            self.cuts.append(self._count)
        self._thumbnail = small
        self._interval.append(_Frame(self._count, time_s, image))
        self._count += 1
        # tolerance of 0.5 ms, since time stamps are rounded
        if time_s - self._interval[0].time_s >= self._detect_every_s - 5e-4:
            self._close()
            self._interval = self._interval[-1:]

    def finish(self) -> None:
        """Track the faces in the rest of the last interval."""
        if self._interval:
            self._close()
        self._interval = []

    def _close(self) -> None:
        ends = [self._interval[0], self._interval[-1]]
        self._detect([end for end in ends[: len(self._interval)] if end.faces is None])
        self._open_tracklets(self._interval[0])
        self._fill(0, len(self._interval) - 1)

    def _detect(self, frames: list[_Frame]) -> None:
        found = self._detector.detect([frame.image for frame in frames])
        for frame, faces in zip(frames, found, strict=True):
            frame.faces = _without_background(faces)

    def _open_tracklets(self, frame: _Frame) -> None:
        """Begin a tracklet for every face of a detected frame that has none yet."""
        faces = frame.faces
        assert faces is not None
        if not frame.owners:
            frame.owners = [Tracklet() for _ in range(len(faces))]
        for face, owner in enumerate(frame.owners):
            if not owner.indices:
                self.tracklets.append(owner)
                owner.add(frame.index, faces.boxes[face], faces.scores[face], faces.landmarks[face])

    def _fill(self, start: int, end: int) -> None:
        """Extend tracklets from one detected frame of the interval to a later one."""
        if end == start:
            return
        first, last = self._interval[start], self._interval[end]
        assert first.faces is not None
        assert last.faces is not None
        pairs = _match(first.faces.boxes, last.faces.boxes)
        between = self._interval[start + 1 : end]
        same = len(pairs) == len(first.faces) == len(last.faces)
        followed = self._follow(first, between, last, pairs) if same and between and pairs else []
        if between and not (same and (followed or not pairs)):
            middle = (start + end) // 2
            self._detect([self._interval[middle]])
            self._fill(start, middle)
            self._fill(middle, end)
            return
        last.owners = [Tracklet() for _ in range(len(last.faces))]
        for pair, (before, after) in enumerate(pairs):
            owner = first.owners[before]
            for step, frame in enumerate(between):
                boxes, scores, landmarks = followed[pair]
                owner.add(frame.index, boxes[step], scores[step], landmarks[step])
            faces = last.faces
            owner.add(last.index, faces.boxes[after], faces.scores[after], faces.landmarks[after])
            last.owners[after] = owner
        self._open_tracklets(last)

    def _follow(
        self,
        first: _Frame,
        between: list[_Frame],
        last: _Frame,
        pairs: list[tuple[int, int]],
    ) -> list[tuple[np.ndarray, ...]]:
        """Boxes, scores and landmarks of each face in between; empty if one is lost."""
        assert first.faces is not None
        assert last.faces is not None
        frames = [first, *between, last]
        times_s = np.array([frame.time_s for frame in frames])
        refined_rows = _spaced(times_s, self._refine_every_s)
        share = ((times_s[refined_rows] - times_s[0]) / (times_s[-1] - times_s[0]))[:, None]
        guesses = [
            (1 - share) * first.faces.boxes[before] + share * last.faces.boxes[after]
            for before, after in pairs
        ]
        images = [frames[i].image for i in refined_rows] * len(pairs)
        refined = self._detector.refine(images, np.concatenate(guesses))
        followed = []
        for pair, guess in enumerate(guesses):
            rows = slice(pair * len(refined_rows), (pair + 1) * len(refined_rows))
            boxes, scores = refined.boxes[rows], refined.scores[rows]
            kept = np.diagonal(overlap(boxes, guess))[1:-1]
            if scores[1:-1].min() < self._detector.min_score or kept.min() < _SAME_REFINED:
                return []
            sizes = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
            bias = np.clip((guess - boxes) / sizes, -_MAX_OFFSET, _MAX_OFFSET)
            corrected = boxes + sizes * ((1 - share) * bias[0] + share * bias[-1])
            values = (corrected, scores, refined.landmarks[rows])
            at_s, known_s = times_s[1:-1], times_s[refined_rows]
            followed.append(tuple(_interpolate(at_s, known_s, value) for value in values))
        return followed


def thumbnail(frame: np.ndarray) -> np.ndarray:
    """Shrink an image to a coarse grid for `is_cut`.

    Parameters
    ----------
    frame : np.ndarray [shape=(height, width, 3), dtype=uint8]

    Returns
    -------
    np.ndarray [shape=(18, 32, 3), dtype=float32]
    """
    import cv2

    # nearest neighbor first, since averaging all pixels of a large image would be slow
    coarse = cv2.resize(frame, (_GRID[0] * 4, _GRID[1] * 4), interpolation=cv2.INTER_NEAREST)
    return cv2.resize(coarse, _GRID, interpolation=cv2.INTER_AREA).astype(np.float32)


def is_cut(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether there is a cut between two consecutive frames.

    Parameters
    ----------
    before, after : np.ndarray [shape=(18, 32, 3), dtype=float32]
        Thumbnails of the two frames.

    Returns
    -------
    bool
        True if the mean change of color is at least 24 of 255. A fade is not a cut.
    """
    return float(np.abs(after - before).mean()) >= _MIN_CHANGE


def _spaced(times_s: np.ndarray, gap_s: float) -> np.ndarray:
    """Indices of both ends and, in between, of frames at least `gap_s` apart."""
    taken = [0]
    for row in range(1, len(times_s) - 1):
        # tolerance of 0.5 ms, since time stamps are rounded
        if len(taken) == 1 or times_s[row] - times_s[taken[-1]] >= gap_s - 5e-4:
            taken.append(row)
    return np.array([*taken, len(times_s) - 1])


def _interpolate(at_s: np.ndarray, times_s: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Linear interpolation of values (times, ...)."""
    right = np.clip(np.searchsorted(times_s, at_s), 1, len(times_s) - 1)
    share = (at_s - times_s[right - 1]) / (times_s[right] - times_s[right - 1])
    share = share.reshape(-1, *[1] * (values.ndim - 1))
    mixed = (1 - share) * values[right - 1] + share * values[right]
    return np.asarray(mixed, np.float32)


def _without_background(faces: Faces) -> Faces:
    """The largest faces, without small ones in the background."""
    if not len(faces):
        return faces
    sides = np.sqrt(areas(faces.boxes))
    rank = np.argsort(-sides, kind="stable")[:_MAX_FACES]
    kept = np.sort(rank[sides[rank] >= _MIN_SIDE * sides.max()])
    return Faces(faces.boxes[kept], faces.scores[kept], faces.landmarks[kept])


def _match(first: np.ndarray, second: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of boxes of the same face, largest overlap first."""
    shared = overlap(first, second)
    pairs = []
    while shared.size and shared.max() >= _SAME_FACE:
        before, after = np.unravel_index(int(np.argmax(shared)), shared.shape)
        pairs.append((int(before), int(after)))
        shared[before], shared[:, after] = 0, 0
    return pairs
