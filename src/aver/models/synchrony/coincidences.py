"""Which neurons fire within a window of each other: one sweep over the sorted spikes."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def sweep(
    time_ms: np.ndarray, node: np.ndarray, nodes: int, window_ms: float
) -> tuple[np.ndarray, np.ndarray]:
    """Count coincidences of all pairs of nodes.

    The window slides over the spikes and knows the nodes that have spikes in it, how many, and
    the latest one. A spike is met by nodes, not by spikes: pairs of spikes are counted without
    being visited, and the work after sorting is at most one step per spike and node.

    Parameters
    ----------
    time_ms : np.ndarray [shape=(spikes,), dtype=float64], rising
    node : np.ndarray [shape=(spikes,), dtype=int64, range=0..nodes-1]
    nodes : int
    window_ms : float >= 0

    Returns
    -------
    np.ndarray [shape=(nodes, nodes), dtype=int64]
        Above the diagonal, pairs of spikes not further apart than the window.
    np.ndarray [shape=(nodes, nodes), dtype=float64]
        Time of the later-numbered node's spike minus that of the other, for their closest pair;
        infinite where there is none within the window.
    """
    counts = np.zeros((nodes, nodes), np.int64)
    lags_ms = np.full((nodes, nodes), np.inf)
    inside = np.zeros(nodes, np.int64)
    latest_ms = np.zeros(nodes)
    active = np.zeros(nodes, np.int64)
    place = np.full(nodes, -1)
    n_active = tail = 0
    for s in range(time_ms.size):
        now_ms, a = time_ms[s], node[s]
        while now_ms - time_ms[tail] > window_ms:
            gone = node[tail]
            tail += 1
            inside[gone] -= 1
            if inside[gone] == 0:
                n_active -= 1
                last = active[n_active]
                active[place[gone]] = last
                place[last] = place[gone]
                place[gone] = -1
        for k in range(n_active):
            b = active[k]
            if b == a:
                continue
            low, high = min(a, b), max(a, b)
            counts[low, high] += inside[b]
            lag_ms = now_ms - latest_ms[b]
            if lag_ms < abs(lags_ms[low, high]):
                lags_ms[low, high] = lag_ms if a == high else -lag_ms
        if inside[a] == 0:
            place[a] = n_active
            active[n_active] = a
            n_active += 1
        inside[a] += 1
        latest_ms[a] = now_ms
    return counts, lags_ms
