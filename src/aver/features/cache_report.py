"""Show what a feature cache holds, and clear it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aver.errors import SettingsError, StorageError

_HOUR_S = 3600.0
_DAY_S = 24 * _HOUR_S


@dataclass(frozen=True)
class CachedFeature:
    """The cache entries of one feature with certain settings.

    Parameters
    ----------
    name : str
        Name in the table of features.
    key : str
        Hash of its settings.
    entries, size_bytes : int
    newest_s : float
        Time of the newest entry, in seconds since the epoch.
    """

    name: str
    key: str
    entries: int
    size_bytes: int
    newest_s: float


@dataclass(frozen=True)
class CacheReport:
    """Contents of a cache by feature and settings.

    Parameters
    ----------
    root : Path
    features : tuple of CachedFeature
        Largest first.
    """

    root: Path
    features: tuple[CachedFeature, ...]

    @property
    def size_bytes(self) -> int:
        """Size of all entries."""
        return sum(feature.size_bytes for feature in self.features)

    @property
    def entries(self) -> int:
        """Number of all entries."""
        return sum(feature.entries for feature in self.features)

    def text(self) -> str:
        """The report as a table for people."""
        if not self.features:
            return f"The feature cache at {self.root} is empty."
        width = max(len("feature"), *(len(feature.name) for feature in self.features))
        lines = [f"{'feature':{width}}  {'settings':16}  {'entries':>8}  {'MB':>10}  newest"]
        for feature in self.features:
            newest = time.strftime("%Y-%m-%d", time.localtime(feature.newest_s))
            lines.append(
                f"{feature.name:{width}}  {feature.key:16}  {feature.entries:8d}  "
                f"{feature.size_bytes / 1e6:10.1f}  {newest}"
            )
        total = f"{self.entries} entries, {self.size_bytes / 1e6:.1f} MB, at {self.root}"
        return "\n".join([*lines, total])


def describe_cache(root: Path) -> CacheReport:
    """Count the entries of a feature cache by feature and settings.

    Parameters
    ----------
    root : Path
        Cache folder; a missing folder counts as an empty cache.

    Returns
    -------
    CacheReport
    """
    features = []
    for folder in _feature_folders(root):
        states = [state for _, state in _entries(folder)]
        if states:
            name, _, key = folder.name.rpartition("-")
            sizes, times = [s.st_size for s in states], [s.st_mtime for s in states]
            features.append(CachedFeature(name, key, len(states), sum(sizes), max(times)))
    return CacheReport(root, tuple(sorted(features, key=lambda f: (-f.size_bytes, f.name))))


@dataclass(frozen=True)
class Cleared:
    """How much `clear_cache` removed."""

    entries: int
    size_bytes: int

    @property
    def megabytes(self) -> float:
        """Size in millions of bytes."""
        return self.size_bytes / 1e6


def clear_cache(
    root: Path, *, feature: str | None = None, older_than_days: float | None = None
) -> Cleared:
    """Remove cache entries; they are computed again when needed.

    Parameters
    ----------
    root : Path
        Cache folder.
    feature : str, optional
        Only entries of this feature, with any settings.
    older_than_days : float >= 0, optional
        Only entries that are older.

    Returns
    -------
    Cleared

    Raises
    ------
    SettingsError
        If the cache holds no entry of that feature (the message lists what it holds), or the age is
        negative.
    StorageError
        If an entry cannot be removed.
    """
    if older_than_days is not None and older_than_days < 0:
        raise SettingsError(f"older_than_days is {older_than_days}; give 0 or more.")
    folders = list(_feature_folders(root))
    names = sorted({folder.name.rpartition("-")[0] for folder in folders})
    if feature is not None:
        if feature not in names:
            contents = f"It holds: {', '.join(names)}." if names else "It is empty."
            raise SettingsError(f"The cache at {root} holds no feature {feature!r}. {contents}")
        folders = [folder for folder in folders if folder.name.rpartition("-")[0] == feature]
    before_s = time.time() - (older_than_days or 0.0) * _DAY_S
    entries = size_bytes = 0
    for folder in folders:
        for path, state in _entries(folder):
            if older_than_days is None or state.st_mtime < before_s:
                _remove(path)
                entries += 1
                size_bytes += state.st_size
        _remove_empty(folder)
    return Cleared(entries, size_bytes)


def _feature_folders(root: Path) -> Iterator[Path]:
    folder = root / "features"
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if path.is_dir() and "-" in path.name)


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Paths and states of entries, without those that other processes write or remove meanwhile."""
    for path in folder.glob("*/*.safetensors"):
        with suppress(FileNotFoundError):
            state = path.stat()
            being_written = path.name.startswith(".") and state.st_mtime > time.time() - _HOUR_S
            if not being_written:
                yield path, state


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{path} cannot be removed: {error.strerror}.") from None


def _remove_empty(folder: Path) -> None:
    """Remove the empty ones of a folder and its subfolders."""
    for each in (*folder.iterdir(), folder):
        with suppress(OSError):
            each.rmdir()
