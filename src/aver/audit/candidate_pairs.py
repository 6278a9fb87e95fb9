"""`candidate_pairs`: likely neighbors among many vectors, without comparing all pairs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product

import numpy as np

_WEAK_BITS = 3
_MAX_EQUAL = 200  # a key of more items than this says nothing (hum, blank images)


def pack_keys(bits: np.ndarray) -> np.ndarray:
    """Pack at most 32 bits into one number.

    Parameters
    ----------
    bits : np.ndarray [shape=(..., bits), dtype=bool]

    Returns
    -------
    np.ndarray [shape=(...,), dtype=uint32]
    """
    weights = (1 << np.arange(bits.shape[-1], dtype=np.uint64)).astype(np.uint64)
    return (bits * weights).sum(axis=-1, dtype=np.uint64).astype(np.uint32)


def probe_keys(keys: np.ndarray, margins: np.ndarray) -> np.ndarray:
    """Each key, and the keys that result if its least certain bits are flipped.

    Parameters
    ----------
    keys : np.ndarray [shape=(n,), dtype=uint32]
    margins : np.ndarray [shape=(n, bits)]
        Distance of the value of each bit from its threshold.

    Returns
    -------
    np.ndarray [shape=(n, 8), dtype=uint32]
        The key itself comes first.

    Notes
    -----
    Source: Haitsma & Kalker (2002), "A highly robust audio fingerprinting system", section 5.2
    (soft decoding).
    """
    weakest = np.argpartition(margins, _WEAK_BITS, axis=1)[:, :_WEAK_BITS]
    flips = np.uint32(1) << weakest.astype(np.uint32)  # (n, 3)
    masks = np.stack(
        [
            sum((flips[:, bit] for bit in range(_WEAK_BITS) if on[bit]), np.zeros(len(keys), "u4"))
            for on in product((False, True), repeat=_WEAK_BITS)
        ],
        axis=1,
    )
    return keys[:, None] ^ masks.astype(np.uint32)


def equal_keys(base: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of a query and an item with the same key.

    Parameters
    ----------
    base : np.ndarray [shape=(n,), dtype=uint32]
        One key per item.
    queries : np.ndarray [shape=(m, probes), dtype=uint32]

    Returns
    -------
    np.ndarray [shape=(hits,)], np.ndarray [shape=(hits,)]
        Index of the query and of the item. Keys that over 200 items share are left out.
    """
    order = np.argsort(base, kind="stable")
    ordered = base[order]
    flat = queries.ravel()
    first = np.searchsorted(ordered, flat, side="left")
    counts = np.searchsorted(ordered, flat, side="right") - first
    counts[counts > _MAX_EQUAL] = 0
    query = np.repeat(np.arange(flat.size), counts)
    ends = np.cumsum(counts)
    within = np.arange(query.size) - np.repeat(ends - counts, counts)
    item = order[first[query] + within]
    return query // queries.shape[1], item


_TABLES = 12
_SEED = 20  # of the hyperplanes, which never change
_QUERIES_AT_ONCE = 4000
_HITS_AT_ONCE = 500_000


def candidate_pairs(
    base: np.ndarray, views: Sequence[np.ndarray], min_correlation: float, bits: int = 18
) -> np.ndarray:
    """Pairs of rows of which a view of one has a key of the other and correlates with it.

    Parameters
    ----------
    base : np.ndarray [shape=(items, dimensions)]
        Rows of norm 1.
    views : sequence of np.ndarray [shape=(items, dimensions)]
        The rows after changes that must not matter, such as mirroring.
    min_correlation : float
        Of a pair.
    bits : int
        Per key, at most 32. Fewer bits find more distant pairs, and examine more pairs in vain.

    Returns
    -------
    np.ndarray [shape=(pairs, 2), dtype=int64]
        Each pair once, the smaller index first.

    Notes
    -----
    Source: Charikar (2002), "Similarity estimation techniques from rounding algorithms": signs of
    random projections are the keys. The least certain signs are flipped for further queries.
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
                queries, items = equal_keys(keys, probes)
                codes |= _correlated(block, base, queries, items, start, min_correlation)
    pairs = np.array(sorted(codes), dtype=np.int64)
    return np.stack([pairs // count, pairs % count], axis=1)


def _correlated(
    block: np.ndarray,
    base: np.ndarray,
    queries: np.ndarray,
    items: np.ndarray,
    start: int,
    min_correlation: float,
) -> set[int]:
    """Hits that correlate, each pair encoded as one number."""
    found: set[int] = set()
    for first in range(0, len(queries), _HITS_AT_ONCE):
        query, item = queries[first : first + _HITS_AT_ONCE], items[first : first + _HITS_AT_ONCE]
        other = query + start != item
        query, item = query[other], item[other]
        kept = np.einsum("ij,ij->i", block[query], base[item]) > min_correlation
        one, two = query[kept] + start, item[kept]
        found.update((np.minimum(one, two) * len(base) + np.maximum(one, two)).tolist())
    return found


@lru_cache(maxsize=4)
def _hyperplanes(dimensions: int, bits: int) -> np.ndarray:
    """[shape=(tables, dimensions, bits)]."""
    drawn = np.random.default_rng(_SEED).standard_normal((_TABLES, dimensions, bits))
    return drawn.astype(np.float32)
