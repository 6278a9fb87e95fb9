"""Reproducible training: seeds derived from the seed of a run, a fixed number of threads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derived_seed(seed: int, *parts: str | int) -> int:
    """A seed that depends on the seed of the run and on what it is used for.

    Parameters
    ----------
    seed : int
        Seed of the run.
    *parts : str or int
        The purpose: ``"network", epoch``.

    Returns
    -------
    int in [0, 2**56)


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
    """Start torch's global generators from a derived seed, and restore their state afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(seed, *parts))
        yield


@contextmanager
def fixed_threads(threads: int) -> Iterator[None]:
    """Run torch with this number of threads, and restore the previous number afterwards.

    The rounding of a sum depends on how it is split over threads; the same number of threads gives
    the same bits.

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
