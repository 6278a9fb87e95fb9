"""`hits_of_keys`: find equal bit keys among millions without comparing all pairs."""

from __future__ import annotations

from itertools import product

import numpy as np

_WEAK_BITS = 3
_MOST_EQUAL = 200  # a key held by more items than this says nothing (hum, blank pictures)


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


def probe_keys(keys: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Each key, and what it would be with its least certain bits turned over.

    Parameters
    ----------
    keys : np.ndarray [shape=(n,), dtype=uint32]
    strengths : np.ndarray [shape=(n, bits)]
        How far each bit's value was from the decision.

    Returns
    -------
    np.ndarray [shape=(n, 8), dtype=uint32]
        The key itself comes first.

    Notes
    -----
    Source: Haitsma & Kalker (2002), "A highly robust audio fingerprinting system", section 5.2
    (soft decoding).
    """
    weakest = np.argpartition(strengths, _WEAK_BITS, axis=1)[:, :_WEAK_BITS]
    flips = np.uint32(1) << weakest.astype(np.uint32)  # (n, 3)
    masks = np.stack(
        [
            sum((flips[:, bit] for bit in range(_WEAK_BITS) if on[bit]), np.zeros(len(keys), "u4"))
            for on in product((False, True), repeat=_WEAK_BITS)
        ],
        axis=1,
    )
    return keys[:, None] ^ masks.astype(np.uint32)


def hits_of_keys(base: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of an item and a query with the same key.

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
    counts[counts > _MOST_EQUAL] = 0
    query = np.repeat(np.arange(flat.size), counts)
    ends = np.cumsum(counts)
    within = np.arange(query.size) - np.repeat(ends - counts, counts)
    item = order[first[query] + within]
    return query // queries.shape[1], item
