"""`candidate_pairs`: likely neighbours among many vectors, without comparing all pairs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from aver.audit.key_index import hits_of_keys, pack_keys, probe_keys

_TABLES = 12
_SEED = 20  # of the hyperplanes: the same ones for everybody, always
_QUERIES_AT_ONCE = 4000
_HITS_AT_ONCE = 500_000


def candidate_pairs(
    base: np.ndarray, views: Sequence[np.ndarray], close: float, bits: int = 18
) -> np.ndarray:
    """Pairs of which a view of one shares a key with the other and correlates with it.

    Parameters
    ----------
    base : np.ndarray [shape=(items, dimensions)]
        Rows of norm 1.
    views : sequence of np.ndarray [shape=(items, dimensions)]
        The rows as they would be after changes that must not matter, such as mirroring.
    close : float
        Least correlation of a pair.
    bits : int
        Of a key, at most 32. Fewer find more distant pairs, and look at more that are none.

    Returns
    -------
    np.ndarray [shape=(pairs, 2), dtype=int64]
        Each pair once, the smaller index first.

    Notes
    -----
    Source: Charikar (2002), "Similarity estimation techniques from rounding algorithms": signs of
    random projections are keys; with the least certain signs turned over as further queries.
    """
    count = len(base)
    codes: set[int] = set()
    for planes in _hyperplanes(base.shape[1], bits):
        keys = pack_keys(base @ planes > 0)
        for view in views:
            for start in range(0, count, _QUERIES_AT_ONCE):
                block = view[start : start + _QUERIES_AT_ONCE]
                values = block @ planes
                probes = probe_keys(pack_keys(values > 0), np.abs(values))
                queries, items = hits_of_keys(keys, probes)
                codes |= _close(block, base, queries, items, start, close)
    pairs = np.array(sorted(codes), dtype=np.int64)
    return np.stack([pairs // count, pairs % count], axis=1)


def _close(
    block: np.ndarray,
    base: np.ndarray,
    queries: np.ndarray,
    items: np.ndarray,
    start: int,
    close: float,
) -> set[int]:
    """Hits that correlate, each pair as one number."""
    found: set[int] = set()
    for first in range(0, len(queries), _HITS_AT_ONCE):
        query, item = queries[first : first + _HITS_AT_ONCE], items[first : first + _HITS_AT_ONCE]
        other = query + start != item
        query, item = query[other], item[other]
        kept = np.einsum("ij,ij->i", block[query], base[item]) > close
        one, two = query[kept] + start, item[kept]
        found.update((np.minimum(one, two) * len(base) + np.maximum(one, two)).tolist())
    return found


@lru_cache(maxsize=4)
def _hyperplanes(dimensions: int, bits: int) -> np.ndarray:
    """[shape=(tables, dimensions, bits)]."""
    drawn = np.random.default_rng(_SEED).standard_normal((_TABLES, dimensions, bits))
    return drawn.astype(np.float32)
