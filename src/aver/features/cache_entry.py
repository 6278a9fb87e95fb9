"""One entry of the feature cache: a record as a safetensors file."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np

from aver.execution.atomic import write_atomically
from aver.features.feature import FeatureRecord

_FORMAT = "aver-feature-1"


class CacheWarning(UserWarning):
    """A cache entry was torn or foreign, and is computed again."""


def write_entry(place: Path, record: FeatureRecord) -> None:
    """Write a record, whole or not at all.

    Raises
    ------
    StorageError
        If the disk is full or the place cannot be written.
    """
    from safetensors.numpy import save

    about = {
        "format": _FORMAT,
        "entry": place.stem,
        "coverage": repr(float(record.coverage)),
        "missing": record.missing,
        "flags": json.dumps(list(record.flags)),
    }
    arrays = {name: np.ascontiguousarray(array) for name, array in record.arrays.items()}
    with write_atomically(place) as temporary:
        temporary.write_bytes(save(arrays, metadata=about))


def read_entry(place: Path) -> FeatureRecord | None:
    """Read what `write_entry` wrote; None with a `CacheWarning` where it is torn or foreign."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(place, framework="numpy") as file:
            about = file.metadata() or {}
            if (about.get("format"), about.get("entry")) != (_FORMAT, place.stem):
                raise ValueError("it was not written under this name and format")
            return FeatureRecord(
                arrays={name: file.get_tensor(name) for name in file.keys()},  # noqa: SIM118
                coverage=float(about["coverage"]),
                missing=about["missing"],
                flags=tuple(json.loads(about["flags"])),
            )
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        warnings.warn(
            f"The cache entry {place} is torn or foreign ({error}); it is computed again.",
            CacheWarning,
            stacklevel=3,
        )
        return None
