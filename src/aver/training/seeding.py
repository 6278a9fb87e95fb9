"""Seeds derived from a run's seed, so that every part draws its own numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derived_seed(seed: int, *parts: str | int) -> int:
    """Turn a run's seed and a place in the run into a seed of its own.

    Examples
    --------
    >>> derived_seed(0, "epoch", 1) == derived_seed(0, "epoch", 1)
    True
    >>> derived_seed(0, "epoch", 1) == derived_seed(0, "epoch", 2)
    False
    """
    text = "/".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


@contextmanager
def seeded(seed: int, *parts: str | int) -> Iterator[None]:
    """Let torch's global generators start from a derived seed, and restore them afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(seed, *parts))
        yield


@contextmanager
def fixed_threads(threads: int) -> Iterator[None]:
    """Run torch with so many threads, and restore the number afterwards.

    Sums split over threads are rounded in another order; the same number of threads gives the same
    bits.

    Examples
    --------
    >>> with fixed_threads(1):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
