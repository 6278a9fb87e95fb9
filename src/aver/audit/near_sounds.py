"""`find_near_sounds`: pairs of sounds that are one recording, found by an index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from aver.audit.key_index import hits_of_keys, probe_keys
from aver.audit.sound_print import SoundPrint, distance_of_sounds

SAME_BELOW = 0.20
"""Copies stay below 0.1 and different takes of one sentence by one speaker above 0.3."""

_FEWEST_FRAMES = 40  # 0.64 s; over less, chance agreement is not negligible
_HITS_WANTED = 2  # of equal keys at one lag, before two sounds are compared
_LAGS_TRIED = 3
_QUERIES_AT_ONCE = 250_000  # frames; bounds the memory


def find_near_sounds(prints: Sequence[SoundPrint]) -> list[tuple[int, int, float]]:
    """Find pairs of which one is a copy, or a piece of at least 0.64 s, of the other.

    Parameters
    ----------
    prints : sequence of SoundPrint

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


def _gather(prints: Sequence[SoundPrint]) -> tuple[np.ndarray, ...]:
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


def _best_distance(one: SoundPrint, other: SoundPrint, lags: dict[int, int]) -> float:
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
            distance, frames = distance_of_sounds(one, other, near)
            if frames >= _FEWEST_FRAMES:
                best = min(best, distance)
    return best
