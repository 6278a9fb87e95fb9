"""`fixed_threads`: results that do not depend on how many threads torch was given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


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
