"""Choose the face a clip is about among all that were followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from aver.media.boxes import areas, overlap
from aver.media.face_follower import Tracklet

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
    picture_size_px: tuple[int, int],
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
    picture_size_px : (height, width)
    fill_gap_s, shortest_s, smooth_s : float >= 0
        As in `aver.media.face_track.TrackSettings`.

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
    for place in rank_by_prominence([tracklet for tracklet, _ in joined], picture_size_px):
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


def rank_by_prominence(
    tracklets: Sequence[Tracklet], picture_size_px: tuple[int, int]
) -> list[int]:
    """Order faces by how much they are what the clip shows: long, large, central, sure.

    Parameters
    ----------
    tracklets : sequence of Tracklet
    picture_size_px : (height, width)

    Returns
    -------
    list of int
        Positions in `tracklets`, the main face first.
    """
    height, width = picture_size_px
    weights = []
    for tracklet in tracklets:
        boxes = np.stack(tracklet.boxes)
        centre = (boxes[:, :2] + boxes[:, 2:]) / 2 / (width, height) - 0.5
        centrality = 1 - np.clip(np.hypot(*centre.T), 0, 0.5)  # 1 in the middle, 0.5 at the edge
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
