"""Choose the face a clip is about among all that were followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aver.errors import MissingModalityError, SettingsError
from aver.media.boxes import areas, cut_square, overlap, squared
from aver.media.face_detection import FaceDetector, make_detector
from aver.media.face_tracks import FaceFollower, Tracklet
from aver.media.frames import read_frames

_SAME_PLACE = 0.2  # least overlap of a face before and after a short gap


@dataclass(frozen=True)
class MainFace:
    """The chosen face picture by picture; the fields are those of `FaceTrack`."""

    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray
    filled: np.ndarray
    face_ids: np.ndarray


def choose_main_face(
    tracklets: Sequence[Tracklet],
    times_s: np.ndarray,
    cuts: Sequence[int],
    image_size_px: tuple[int, int],
    *,
    fill_gap_s: float,
    shortest_s: float,
    smooth_s: float,
) -> MainFace:
    """Choose one face per picture, fill its short gaps and smooth it.

    The most prominent face has every picture it is in; what it leaves free goes to the next.

    Parameters
    ----------
    tracklets : sequence of Tracklet
        All faces that were followed; those that are joined grow.
    times_s : np.ndarray [shape=(n,)]
    cuts : sequence of int
        Pictures that begin a shot.
    image_size_px : (height, width)
    fill_gap_s, shortest_s, smooth_s : float >= 0
        As in `aver.media.main_face.TrackSettings`.

    Returns
    -------
    MainFace
    """
    n = len(times_s)
    main = MainFace(
        boxes=np.full((n, 4), np.nan, np.float32),
        scores=np.zeros(n, np.float32),
        landmarks=np.full((n, 5, 2), np.nan, np.float32),
        filled=np.zeros(n, bool),
        face_ids=np.full(n, -1),
    )
    gap_s = float(np.median(np.diff(times_s))) if n > 1 else 0.0
    fewest = min(shortest_s, n * gap_s) / gap_s if gap_s else 1.0
    joined = join_over_gaps(tracklets, times_s, cuts, fill_gap_s)
    for place in rank_by_prominence([tracklet for tracklet, _ in joined], image_size_px):
        tracklet, gaps = joined[place]
        width = smooth_s / gap_s if gap_s else 0.0
        boxes = _smooth(np.stack(tracklet.boxes), width)
        landmarks = _smooth(np.stack(tracklet.landmarks), width)
        free = np.array([i for i in tracklet.indices if main.face_ids[i] < 0], int)
        for run in runs(free):
            if len(run) < fewest - 1e-6:
                continue
            rows = run - tracklet.indices[0]
            main.boxes[run], main.landmarks[run] = boxes[rows], landmarks[rows]
            main.scores[run] = np.array(tracklet.scores)[rows]
            main.filled[run] = [i in gaps for i in run]
            main.face_ids[run] = place
    return main


def join_over_gaps(
    tracklets: Sequence[Tracklet], times_s: np.ndarray, cuts: Sequence[int], longest_gap_s: float
) -> list[tuple[Tracklet, set[int]]]:
    """Join tracklets of one place that a short gap parts, and fill the gap on straight lines.

    Parameters
    ----------
    tracklets : sequence of Tracklet
    times_s : np.ndarray [shape=(pictures,)]
    cuts : sequence of int
        Pictures that begin a shot; no gap is filled over one.
    longest_gap_s : float >= 0

    Returns
    -------
    list of (Tracklet, set of int)
        Longer tracklets, each with the indices of the pictures that were filled in.
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
    """Order faces by how much they are what the clip shows: long, large, central, sure.

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
        centrality = 1 - np.clip(np.hypot(*center.T), 0, 0.5)  # 1 in the middle, 0.5 at the edge
        size = np.sqrt(areas(boxes)) / min(height, width)
        weights.append(float((centrality * size).sum()))
    return sorted(range(len(tracklets)), key=lambda i: -weights[i])


def runs(indices: np.ndarray) -> list[np.ndarray]:
    """Split rising indices where they skip.

    Examples
    --------
    >>> [run.tolist() for run in runs(np.array([2, 3, 4, 7, 8]))]
    [[2, 3, 4], [7, 8]]
    """
    edges = [0, *(np.flatnonzero(np.diff(indices) != 1) + 1), len(indices)]
    return [indices[a:b] for a, b in pairwise(edges) if b > a]


def _bridge(earlier: Tracklet, later: Tracklet, times_s: np.ndarray) -> None:
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
    """Gaussian over time; `width` in pictures."""
    from scipy.ndimage import gaussian_filter1d

    if not width or len(values) < 2:
        return values
    smoothed: np.ndarray = gaussian_filter1d(values, width, axis=0, mode="nearest")
    return smoothed


@dataclass(frozen=True)
class TrackSettings:
    """How a face is followed.

    Parameters
    ----------
    detect_every_s : float > 0
        The detector looks at least this often, and wherever a face appears or is lost.
    refine_every_s : float >= 0
        Pictures between two looks are refined at this distance; the rest lie on straight lines.
    fill_gap_s : float >= 0
        Gaps up to this length, within a shot and in one place, are filled.
    shortest_s : float >= 0
        A face seen for less is not believed, save in a video that is itself shorter.
    smooth_s : float >= 0
        Standard deviation of the Gaussian that smooths boxes and landmarks over time.
    """

    detect_every_s: float = 0.5
    refine_every_s: float = 0.06
    fill_gap_s: float = 0.5
    shortest_s: float = 0.25
    smooth_s: float = 0.05

    def __post_init__(self) -> None:
        if not self.detect_every_s > 0:
            raise SettingsError(f"detect_every_s is {self.detect_every_s}; give a positive time.")
        if min(self.refine_every_s, self.fill_gap_s, self.shortest_s, self.smooth_s) < 0:
            raise SettingsError(f"Times must not be negative: {self}.")


@dataclass(frozen=True)
class FaceTrack:
    """The main face in every picture from the first visible one on.

    Parameters
    ----------
    times_s : np.ndarray [shape=(n,)]
        Times of the pictures.
    boxes : np.ndarray [shape=(n, 4), dtype=float32]
        Left, top, right, bottom in pixels; NaN where there is no face.
    scores : np.ndarray [shape=(n,), dtype=float32]
        The detector's certainty; 0 where there is no face or it was filled in.
    landmarks : np.ndarray [shape=(n, 5, 2), dtype=float32]
        As in `aver.media.face_detection.Faces`; NaN where there are none.
    found : np.ndarray [shape=(n,), dtype=bool]
        Whether there is a box.
    filled : np.ndarray [shape=(n,), dtype=bool]
        Whether the box was drawn over a short gap instead of seen.
    face_ids : np.ndarray [shape=(n,), dtype=int]
        The same number as long as one face was followed without loss; -1 without face. After a cut
        the number changes, even if the person does not.
    first_visible_s : float or None
        First picture that is not black; None in a video that is all black.
    image_size_px : (int, int)
        Height and width.
    rate_hz : float or None
        The rate that was asked for; None where every picture was looked at.
    complete : bool
        False where the file broke off or was damaged; the track then holds what could be read.
    """

    times_s: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray
    found: np.ndarray
    filled: np.ndarray
    face_ids: np.ndarray
    first_visible_s: float | None
    image_size_px: tuple[int, int]
    rate_hz: float | None
    complete: bool

    @property
    def coverage(self) -> float:
        """Share of the pictures that have a face, 0 where there are none."""
        return float(self.found.mean()) if self.found.size else 0.0


class FaceCrops(NamedTuple):
    """Square crops of the main face, see `read_face_crops`."""

    times_s: np.ndarray
    crops: np.ndarray
    found: np.ndarray


def track_faces(
    path: str | Path,
    *,
    rate_hz: float | None = None,
    detector: FaceDetector | str = "mtcnn",
    settings: TrackSettings | None = None,
) -> FaceTrack:
    """Follow the main face of a video.

    Black pictures at the beginning are left out. The main face is the one that is longest, largest
    and most central; where it is absent, the next one stands in. Memory does not grow with the
    video but for the track itself.

    Parameters
    ----------
    path : str or Path
        Any video that FFmpeg reads.
    rate_hz : float > 0, optional
        Follow at this rate instead of in every picture.
    detector : FaceDetector or {"mtcnn", "haar", "dlib"}
    settings : TrackSettings, optional

    Returns
    -------
    FaceTrack
        With ``coverage == 0`` where no face was found at all.

    Raises
    ------
    MediaError, MissingModalityError, SettingsError
        As `aver.media.reader.read_frames` and `make_detector`.
    """
    settings = settings or TrackSettings()
    follower = FaceFollower(
        make_detector(detector) if isinstance(detector, str) else detector,
        settings.detect_every_s,
        settings.refine_every_s,
    )
    frames = read_frames(path, rate_hz, skip_black=True)
    times: list[float] = []
    size = (0, 0)
    for time_s, frame in frames:
        times.append(time_s)
        size = frame.shape[:2]
        follower.push(time_s, frame)
    follower.finish()
    stamps = np.array(times)
    main = choose_main_face(
        follower.tracklets,
        stamps,
        follower.cuts,
        size,
        fill_gap_s=settings.fill_gap_s,
        shortest_s=settings.shortest_s,
        smooth_s=settings.smooth_s,
    )
    return FaceTrack(
        times_s=stamps,
        boxes=main.boxes,
        scores=main.scores,
        landmarks=main.landmarks,
        found=main.face_ids >= 0,
        filled=main.filled,
        face_ids=main.face_ids,
        first_visible_s=frames.first_visible_s,
        image_size_px=size,
        rate_hz=rate_hz,
        complete=bool(frames.complete),
    )


def iter_face_crops(
    path: str | Path, track: FaceTrack, size_px: int, *, margin: float = 0.1
) -> Iterator[tuple[float, np.ndarray, bool]]:
    """Cut the tracked face out of its video, one picture at a time.

    Parameters
    ----------
    path : str or Path
        The video that `track` was made from.
    track : FaceTrack
    size_px : int > 0
        Side of the crops.
    margin : float
        What is added to the box on each side, in shares of its longer side.

    Yields
    ------
    (float, np.ndarray [shape=(size_px, size_px, 3), dtype=uint8], bool)
        Time, crop (black without a face, and where it reaches over the picture's edge), and
        whether there is a face.
    """
    if size_px < 1 or margin <= -0.5:
        raise SettingsError(f"size_px is {size_px} and margin {margin}; give 1 or more, over -0.5.")
    shape = (size_px, size_px, 3)
    windows = squared(track.boxes, 1 + 2 * margin)
    images = read_frames(path, track.rate_hz, skip_black=True)
    for (time_s, frame), window, found in zip(images, windows, track.found, strict=True):
        crop = cut_square(frame, window, size_px) if found else np.zeros(shape, np.uint8)
        yield time_s, crop, bool(found)


def read_face_crops(
    path: str | Path,
    size_px: int,
    rate_hz: float | None = None,
    *,
    margin: float = 0.1,
    detector: FaceDetector | str = "mtcnn",
    settings: TrackSettings | None = None,
) -> FaceCrops:
    """Square crops of the main face at a steady rate.

    Parameters
    ----------
    path : str or Path
        Any video that FFmpeg reads.
    size_px : int > 0
        Side of the crops.
    rate_hz : float > 0, optional
        Crops a second; every picture where not given.
    margin : float
        What is added to the face's box on each side, in shares of its longer side.
    detector : FaceDetector or {"mtcnn", "haar", "dlib"}
    settings : TrackSettings, optional

    Returns
    -------
    FaceCrops
        ``times_s`` : np.ndarray [shape=(n,)], from the first picture that is not black;
        ``crops`` : np.ndarray [shape=(n, size_px, size_px, 3), dtype=uint8], black without a face;
        ``found`` : np.ndarray [shape=(n,), dtype=bool].

    Raises
    ------
    MissingModalityError
        If there is no video, or no face in any picture.
    MediaError, SettingsError
        As `track_faces`.
    """
    track = track_faces(path, rate_hz=rate_hz, detector=detector, settings=settings)
    if not track.found.any():
        raise MissingModalityError(
            f"No face was found in any of the {len(track.times_s)} pictures of {path}. Use the "
            "sound alone, or try another face detector."
        )
    crops = np.zeros((len(track.times_s), size_px, size_px, 3), np.uint8)
    for row, (_, crop, _) in enumerate(iter_face_crops(path, track, size_px, margin=margin)):
        crops[row] = crop
    return FaceCrops(track.times_s, crops, track.found)
