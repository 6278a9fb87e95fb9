"""Random generators that belong to a name, so that no order of work can change a draw."""

from __future__ import annotations

import hashlib

import numpy as np


def generator_for(seed: int, *names: str) -> np.random.Generator:
    """Generator of one named thing (a speaker, a clip) under a corpus seed.

    Examples
    --------
    >>> a, b = generator_for(0, "clip", "s01"), generator_for(0, "clip", "s01")
    >>> a.integers(1000) == b.integers(1000)
    np.True_
    """
    digest = hashlib.sha256("/".join((str(seed), *names)).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))
