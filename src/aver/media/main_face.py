"""`track_faces`: the main face of a video in every frame, and its crops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np

from aver.errors import MediaError, SettingsError
from aver.media.boxes import areas, cut_square, overlap, squared
from aver.media.face_detection import FaceDetector, make_detector
from aver.media.face_tracks import FaceFollower, Tracklet
from aver.media.frames import FrameReader, read_frames
from aver.media.second_look import FrameSample, WholePictureDetector, second_detector
from aver.settings import Field, settings

_SAME_PLACE = 0.2  # minimum overlap of a face before and after a short gap

_Seconds = Annotated[float, Field(ge=0)]


@settings
class TrackSettings:
    """Settings of `track_faces`.

    Parameters
    ----------
    detect_every_s : float > 0
        Maximum time between two runs of the detector; it also runs where a face appears or is
        lost.
    refine_every_s : float >= 0
        Time between refined frames within such an interval; the rest is interpolated.
    fill_gap_s : float >= 0
        Gaps up to this length, within a shot and in one place, are filled by interpolation.
    shortest_s : float >= 0
        A face visible for less is ignored, unless the video itself is shorter.
    smooth_s : float >= 0
        Standard deviation of the Gaussian that smooths boxes and landmarks over time.
    second_look : bool
        Examine a sample of the frames again if no face was found in the whole video.
    """

    detect_every_s: Annotated[float, Field(gt=0)] = 0.5
    refine_every_s: _Seconds = 0.06
    fill_gap_s: _Seconds = 0.5
    shortest_s: _Seconds = 0.25
    smooth_s: _Seconds = 0.05
    second_look: bool = True


@dataclass(frozen=True)
class FaceTrack:
    """The main face in every frame from the first visible one on.

    Parameters
    ----------
    times_s : np.ndarray [shape=(n,)]
        Times of the frames.
    boxes : np.ndarray [shape=(n, 4), dtype=float32]
        Left, top, right, bottom in pixels; NaN without a face.
    scores : np.ndarray [shape=(n,), dtype=float32]
        Confidence of the detector; 0 without a face and in filled gaps.
    landmarks : np.ndarray [shape=(n, 5, 2), dtype=float32]
        As in `aver.media.face_detection.Faces`; NaN if there are none.
    filled : np.ndarray [shape=(n,), dtype=bool]
        Whether the box was interpolated over a short gap.
    face_ids : np.ndarray [shape=(n,), dtype=int]
        The same number as long as one face was tracked without loss; -1 without a face. The number
        changes at a cut, even if the person does not.
    first_visible_s : float or None
        Time of the first frame that is not black; None if all are black.
    image_size_px : (int, int)
        Height and width.
    rate_hz : float or None
        Requested frames per second; None for all frames.
    complete : bool
        False if the file was truncated or damaged; the track then covers what could be read.
    whole_picture : bool
        Whether the whole picture was taken as the face.
    flags : tuple of str
        Faults of the file; see `aver.media.media_file.fault_flags`.
    """

    times_s: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray
    filled: np.ndarray
    face_ids: np.ndarray
    first_visible_s: float | None
    image_size_px: tuple[int, int]
    rate_hz: float | None
    complete: bool
    whole_picture: bool = False
    flags: tuple[str, ...] = ()

    @property
    def found(self) -> np.ndarray:
        """Whether each frame has a face, bool (n,)."""
        return self.face_ids >= 0

    @property
    def coverage(self) -> float:
        """Share of the frames that have a face; 0 without frames."""
        return float(self.found.mean()) if self.found.size else 0.0


def track_faces(
    path: str | Path,
    *,
    rate_hz: float | None = None,
    detector: FaceDetector | str = "mtcnn",
    settings: TrackSettings | None = None,
    stream: int | None = None,
) -> FaceTrack:
    """Track the main face of a video.

    Black frames at the start are left out. The main face is visible for long, large and central; in
    frames without it, the next one takes its place. If no face was found in the whole video, a
    sample of its frames is examined again (see `aver.media.second_look`), and if that finds faces,
    the video is tracked again in the same way. Only the track itself grows in memory with the
    length of the video.

    Parameters
    ----------
    path : str or Path
        Any video that FFmpeg reads.
    rate_hz : float > 0, optional
        Frames per second; default is all frames.
    detector : FaceDetector or {"mtcnn", "haar", "dlib"}
    settings : TrackSettings, optional
    stream : int, optional
        See `aver.media.media_file.MediaFile`.

    Returns
    -------
    FaceTrack
        With ``coverage == 0`` if no face was found.

    Raises
    ------
    MediaError, MissingModalityError, SettingsError
        As `aver.media.frames.read_frames` and `make_detector`.
    """
    settings = settings or TrackSettings()
    first = make_detector(detector) if isinstance(detector, str) else detector
    track, unseen = _track(path, rate_hz, first, settings, stream)
    second = second_detector(first, unseen) if settings.second_look else None
    if second is None:
        return track
    track, _ = _track(path, rate_hz, second, settings, stream)
    is_whole = isinstance(second, WholePictureDetector)
    return replace(track, whole_picture=is_whole and bool(track.found.any()))


def _track(
    path: str | Path,
    rate_hz: float | None,
    detector: FaceDetector,
    settings: TrackSettings,
    stream: int | None,
) -> tuple[FaceTrack, list[np.ndarray]]:
    """Track with one detector; also a sample of the frames if none has a face."""
    follower = FaceFollower(detector, settings.detect_every_s, settings.refine_every_s)
    frames = read_frames(path, rate_hz, skip_black=True, stream=stream)
    sample = FrameSample()
    times: list[float] = []
    size = (0, 0)
    for time_s, frame in frames:
        times.append(time_s)
        size = frame.shape[:2]
        follower.push(time_s, frame)
        sample.push(frame)
    follower.finish()
    track = _without_faces(times, size, rate_hz, frames)
    _choose_faces(track, follower, settings)
    return track, [] if track.found.any() else sample.frames


def track_fixed_box(
    path: str | Path,
    box: Sequence[float],
    *,
    rate_hz: float | None = None,
    stream: int | None = None,
) -> FaceTrack:
    """The track of a face whose place is known; nothing is detected.

    Parameters
    ----------
    path : str or Path
        An image, or a video in which the face stays in its place.
    box : (float, float, float, float)
        Left, top, right and bottom of the face, in pixels of the upright image.
    rate_hz : float > 0, optional
    stream : int, optional
        As in `track_faces`.

    Returns
    -------
    FaceTrack
        With this box and score 1 in every frame.

    Raises
    ------
    MediaError
        If the box is empty or outside the image, or as `aver.media.frames.read_frames`.
    """
    frames = read_frames(path, rate_hz, skip_black=True, stream=stream)
    times: list[float] = []
    size = (0, 0)
    for time_s, frame in frames:
        times.append(time_s)
        size = frame.shape[:2]
    track = _without_faces(times, size, rate_hz, frames)
    left, top, right, bottom = box
    # part of the box may lie outside the image, as at first look
    is_inside = max(left, 0) < min(right, size[1]) and max(top, 0) < min(bottom, size[0])
    if times and not is_inside:
        raise MediaError(
            f"The face box {tuple(box)} of {path} is empty or outside the image of {size[1]} x "
            f"{size[0]} pixels. Correct the box (left, top, right, bottom), or leave it out."
        )
    track.boxes[:] = box
    track.scores[:] = 1.0
    track.face_ids[:] = 0
    return track


def _without_faces(
    times: Sequence[float], size: tuple[int, int], rate_hz: float | None, frames: FrameReader
) -> FaceTrack:
    """A track of frames that were read, before faces are entered."""
    n = len(times)
    return FaceTrack(
        times_s=np.array(times),
        boxes=np.full((n, 4), np.nan, np.float32),
        scores=np.zeros(n, np.float32),
        landmarks=np.full((n, 5, 2), np.nan, np.float32),
        filled=np.zeros(n, bool),
        face_ids=np.full(n, -1),
        first_visible_s=frames.first_visible_s,
        image_size_px=size,
        rate_hz=rate_hz,
        complete=bool(frames.complete),
        flags=frames.flags,
    )


def iter_face_crops(
    path: str | Path,
    track: FaceTrack,
    size_px: int,
    *,
    margin: float = 0.1,
    stream: int | None = None,
) -> Iterator[tuple[float, np.ndarray, bool]]:
    """Crop the tracked face of a video, one frame at a time.

    Parameters
    ----------
    path : str or Path
        The video of `track`.
    track : FaceTrack
    size_px : int > 0
        Side of the crops.
    margin : float
        Added to the box on each side, as a share of its longer side.
    stream : int, optional
        As in `track_faces`.

    Yields
    ------
    (float, np.ndarray [shape=(size_px, size_px, 3), dtype=uint8], bool)
        Time, crop (black without a face and outside the image), and whether there is a face.

    Raises
    ------
    SettingsError
        If `size_px` or `margin` is out of range.
    """
    if size_px < 1 or margin <= -0.5:
        raise SettingsError(
            f"size_px is {size_px} and margin is {margin}; they must be at least 1 and above -0.5."
        )
    shape = (size_px, size_px, 3)
    windows = squared(track.boxes, 1 + 2 * margin)
    frames = read_frames(path, track.rate_hz, skip_black=True, stream=stream)
    for (time_s, frame), window, found in zip(frames, windows, track.found, strict=True):
        crop = cut_square(frame, window, size_px) if found else np.zeros(shape, np.uint8)
        yield time_s, crop, bool(found)


def _choose_faces(track: FaceTrack, follower: FaceFollower, settings: TrackSettings) -> None:
    """Fill the arrays of a track: the most prominent face first, the next one in what is left."""
    times_s = track.times_s
    gap_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    fewest = min(settings.shortest_s, len(times_s) * gap_s) / gap_s if gap_s else 1.0
    smoothing = settings.smooth_s / gap_s if gap_s else 0.0
    joined = join_over_gaps(follower.tracklets, times_s, follower.cuts, settings.fill_gap_s)
    ranking = rank_by_prominence([tracklet for tracklet, _ in joined], track.image_size_px)
    for face_id in ranking:
        tracklet, gaps = joined[face_id]
        boxes = _smooth(np.stack(tracklet.boxes), smoothing)
        landmarks = _smooth(np.stack(tracklet.landmarks), smoothing)
        free = np.array([i for i in tracklet.indices if track.face_ids[i] < 0], int)
        for run in runs(free):
            if len(run) < fewest - 1e-6:
                continue
            rows = run - tracklet.indices[0]
            track.boxes[run], track.landmarks[run] = boxes[rows], landmarks[rows]
            track.scores[run] = np.array(tracklet.scores)[rows]
            track.filled[run] = [i in gaps for i in run]
            track.face_ids[run] = face_id


def join_over_gaps(
    tracklets: Sequence[Tracklet], times_s: np.ndarray, cuts: Sequence[int], longest_gap_s: float
) -> list[tuple[Tracklet, set[int]]]:
    """Join tracklets in one place with a short gap between them, and interpolate over the gap.

    Parameters
    ----------
    tracklets : sequence of Tracklet
        Those that are joined are extended in place.
    times_s : np.ndarray [shape=(frames,)]
    cuts : sequence of int
        Frames that begin a shot; no gap is filled over a cut.
    longest_gap_s : float >= 0

    Returns
    -------
    list of (Tracklet, set of int)
        Tracklets, each with the indices of its interpolated frames.
    """
    joined: list[tuple[Tracklet, set[int]]] = []
    for tracklet in sorted(tracklets, key=lambda t: t.indices[0]):
        for earlier, filled in joined:
            last, first = earlier.indices[-1], tracklet.indices[0]
            if (
                last < first
                and times_s[first] - times_s[last] <= longest_gap_s
                and not any(last < cut <= first for cut in cuts)
                and overlap(earlier.boxes[-1][None], tracklet.boxes[0][None])[0, 0] >= _SAME_PLACE
            ):
                _bridge(earlier, tracklet, times_s)
                filled.update(range(last + 1, first))
                break
        else:
            joined.append((tracklet, set()))
    return joined


def rank_by_prominence(tracklets: Sequence[Tracklet], image_size_px: tuple[int, int]) -> list[int]:
    """Order faces by duration, size and distance from the center of the image.

    Parameters
    ----------
    tracklets : sequence of Tracklet
    image_size_px : (height, width)

    Returns
    -------
    list of int
        Positions in `tracklets`, the main face first.
    """
    height, width = image_size_px
    weights = []
    for tracklet in tracklets:
        boxes = np.stack(tracklet.boxes)
        center = (boxes[:, :2] + boxes[:, 2:]) / 2 / (width, height) - 0.5
        centrality = 1 - np.clip(np.hypot(*center.T), 0, 0.5)  # 1 in the center, 0.5 at the edge
        size = np.sqrt(areas(boxes)) / min(height, width)
        weights.append(float((centrality * size).sum()))
    return sorted(range(len(tracklets)), key=lambda i: -weights[i])


def runs(indices: np.ndarray) -> list[np.ndarray]:
    """Split increasing indices into runs of consecutive ones.

    Examples
    --------
    >>> [run.tolist() for run in runs(np.array([2, 3, 4, 7, 8]))]
    [[2, 3, 4], [7, 8]]
    """
    edges = [0, *(np.flatnonzero(np.diff(indices) != 1) + 1), len(indices)]
    return [indices[a:b] for a, b in pairwise(edges) if b > a]


def _bridge(earlier: Tracklet, later: Tracklet, times_s: np.ndarray) -> None:
    """Extend a tracklet by interpolated frames and by a later tracklet."""
    last, first = earlier.indices[-1], later.indices[0]
    box, points = earlier.boxes[-1], earlier.landmarks[-1]
    for index in range(last + 1, first):
        share = (times_s[index] - times_s[last]) / (times_s[first] - times_s[last])
        earlier.add(
            index,
            (1 - share) * box + share * later.boxes[0],
            0.0,
            (1 - share) * points + share * later.landmarks[0],
        )
    for row, index in enumerate(later.indices):
        earlier.add(index, later.boxes[row], later.scores[row], later.landmarks[row])


def _smooth(values: np.ndarray, width: float) -> np.ndarray:
    """Gaussian over time; `width` in frames."""
    from scipy.ndimage import gaussian_filter1d

    if not width or len(values) < 2:
        return values
    smoothed: np.ndarray = gaussian_filter1d(values, width, axis=0, mode="nearest")
    return smoothed
