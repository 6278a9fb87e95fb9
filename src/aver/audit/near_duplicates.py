"""`find_near_audio`: pairs of sounds that are one recording, found by an index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from aver.audit.fingerprints import (
    CENTERED,
    MIRROR,
    AudioFingerprint,
    distance_of_audio_tracks,
    motion_of_video,
    similarity_of_videos,
)
from aver.audit.indexing import candidate_pairs, hits_of_keys, probe_keys

SAME_VIDEO_ABOVE = 0.85
"""Correlation of motion: copies lie above 0.9, different takes by one actor below 0.75."""

_FEW = 30
_ALIKE_ABOVE = 0.6  # of where the motion is, a first look: copies lie above 0.8
_BITS = 12  # copies are further apart in this than pictures are, and films fewer


def find_near_videos(films: Sequence[np.ndarray]) -> list[tuple[int, int, float]]:
    """Find pairs of films that are copies, mirrored, cropped or trimmed by up to 0.7 s.

    Parameters
    ----------
    films : sequence of np.ndarray [shape=(pictures, coefficients)]
        As `video_fingerprint` gives them. Still or very short ones are never paired.

    Returns
    -------
    list of (int, int, float)
        Indices, the smaller first, and the correlation; sorted.
    """
    motions = [motion_of_video(film) for film in films]
    moving = [place for place, motion in enumerate(motions) if motion is not None]
    if len(moving) < 2:
        return []
    rows = np.stack([motion for motion in motions if motion is not None])
    found = []
    for one, two in _likely_pairs(rows):
        similarity = similarity_of_videos(films[moving[one]], films[moving[two]])
        if similarity > SAME_VIDEO_ABOVE:
            found.append((moving[one], moving[two], similarity))
    return sorted(found)


def _likely_pairs(rows: np.ndarray) -> list[tuple[int, int]]:
    """All pairs of few films; of many, those that move alike."""
    if len(rows) <= _FEW:
        return list(combinations(range(len(rows)), 2))
    # What all films have in common says nothing about two of them.
    rows = rows - rows.mean(axis=0)
    rows = rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-12)
    return [(one, two) for one, two in candidate_pairs(rows, [rows], _ALIKE_ABOVE, _BITS).tolist()]


SAME_IMAGE_ABOVE = 0.93
"""Correlation: copies lie above; other pictures of one face, taken seconds apart, below."""

_PAIRS_AT_ONCE = 20_000


def find_near_images(prints: Sequence[np.ndarray]) -> list[tuple[int, int, float]]:
    """Find pairs of pictures that are copies of each other, mirrored or not.

    Parameters
    ----------
    prints : sequence of np.ndarray [shape=(views, coefficients)]
        As `image_fingerprint` gives them.

    Returns
    -------
    list of (int, int, float)
        Indices, the smaller first, and the correlation; sorted.
    """
    if len(prints) < 2:
        return []
    rows = np.stack(prints).astype(np.float32)  # (pictures, views, coefficients)
    views = [rows[:, view] * mirror for view in range(CENTERED) for mirror in (1.0, MIRROR)]
    pairs = candidate_pairs(rows[:, 0], views, close=SAME_IMAGE_ABOVE - 0.1)
    found: list[tuple[int, int, float]] = []
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        block = pairs[start : start + _PAIRS_AT_ONCE]
        best = _correlation(rows[block[:, 0]], rows[block[:, 1]])
        for at in np.flatnonzero(best > SAME_IMAGE_ABOVE).tolist():
            found.append((int(block[at, 0]), int(block[at, 1]), float(best[at])))
    return sorted(found)


def _correlation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Best over views of both and mirroring. [shape=(pairs,)]."""
    turned = np.swapaxes(other, 1, 2)
    straight = np.matmul(one, turned).max(axis=(1, 2))
    mirrored = np.matmul(one * MIRROR, turned).max(axis=(1, 2))
    return np.maximum(straight, mirrored)


SAME_BELOW = 0.20
"""Copies stay below 0.1 and different takes of one sentence by one speaker above 0.3."""

_FEWEST_FRAMES = 40  # 0.64 s; over less, chance agreement is not negligible
_HITS_WANTED = 2  # of equal keys at one lag, before two sounds are compared
_LAGS_TRIED = 3
_QUERIES_AT_ONCE = 250_000  # frames; bounds the memory


def find_near_audio(prints: Sequence[AudioFingerprint]) -> list[tuple[int, int, float]]:
    """Find pairs of which one is a copy, or a piece of at least 0.64 s, of the other.

    Parameters
    ----------
    prints : sequence of AudioFingerprint

    Returns
    -------
    list of (int, int, float)
        Indices, the smaller first, and the share of unequal bits; sorted.

    Notes
    -----
    Source: Haitsma & Kalker (2002), section 5: look up the keys of single frames, then compare
    whole sounds at the lag that the hits agree on.
    """
    keys, clips, frames, probes = _gather(prints)
    if not keys.size:
        return []
    votes: dict[tuple[int, int], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for start in range(0, keys.size, _QUERIES_AT_ONCE):
        queries, items = hits_of_keys(keys, probes[start : start + _QUERIES_AT_ONCE])
        queries = queries + start
        ordered = clips[queries] < clips[items]
        queries, items = queries[ordered], items[ordered]
        columns = np.stack([clips[queries], clips[items], frames[queries] - frames[items]], axis=1)
        rows, counts = np.unique(columns, axis=0, return_counts=True)
        for (one, other, lag), count in zip(rows.tolist(), counts.tolist(), strict=True):
            votes[one, other][lag] += count
    found = []
    for (one, other), lags in votes.items():
        distance = _best_distance(prints[one], prints[other], lags)
        if distance < SAME_BELOW:
            found.append((one, other, distance))
    return sorted(found)


def _gather(prints: Sequence[AudioFingerprint]) -> tuple[np.ndarray, ...]:
    """Keys, clip, frame and probes of every loud frame of every clip."""
    keys, clips, frames, probes = [], [], [], []
    for clip, mark in enumerate(prints):
        loud = np.flatnonzero(mark.loud)
        own = mark.keys[loud]
        keys.append(own)
        clips.append(np.full(loud.size, clip))
        frames.append(loud)
        if loud.size:
            probes.append(probe_keys(own, mark.strengths[loud]))
    if not probes:
        empty = np.zeros(0, np.uint32)
        return empty, empty, empty, empty
    return np.concatenate(keys), np.concatenate(clips), np.concatenate(frames), np.vstack(probes)


def _best_distance(one: AudioFingerprint, other: AudioFingerprint, lags: dict[int, int]) -> float:
    # Hits of a copy whose start was cut off fall on two neighbouring lags.
    support = {
        lag: lags.get(lag - 1, 0) + count + lags.get(lag + 1, 0) for lag, count in lags.items()
    }
    likely = sorted(support, key=lambda lag: (-support[lag], lag))[:_LAGS_TRIED]
    best = 1.0
    for lag in likely:
        if support[lag] < _HITS_WANTED:
            continue
        for near in (lag - 1, lag, lag + 1):
            distance, frames = distance_of_audio_tracks(one, other, near)
            if frames >= _FEWEST_FRAMES:
                best = min(best, distance)
    return best
