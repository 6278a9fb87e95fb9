"""`joined_arrays`, `taken_arrays`: arrays of several parts in one checkpoint, under their names."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def joined_arrays(parts: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """All arrays of all parts, named ``<part>:<array>``."""
    return {
        f"{part}:{key}": array for part, arrays in parts.items() for key, array in arrays.items()
    }


def taken_arrays(joined: dict[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    """Take the arrays of one part out of what `joined_arrays` gave; the others stay.

    Examples
    --------
    >>> joined = joined_arrays({"layer": {"weights": np.ones(2)}, "read-out": {"mean": np.ones(1)}})
    >>> list(taken_arrays(joined, "layer")), list(joined)
    (['weights'], ['read-out:mean'])
    """
    names = [name for name in joined if name.startswith(f"{part}:")]
    return {name.removeprefix(f"{part}:"): joined.pop(name) for name in names}
