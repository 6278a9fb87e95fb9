"""Show what a feature cache holds, and clear it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aver.errors import SettingsError, StorageError

if TYPE_CHECKING:
    import pandas as pd

_HOUR_S = 3600.0
_DAY_S = 24 * _HOUR_S


@dataclass(frozen=True)
class CacheReport:
    """Contents of a cache by feature and settings.

    Parameters
    ----------
    root : Path
    table : pd.DataFrame
        Columns ``feature``, ``settings`` (their hash), ``entries``, ``size_bytes`` and ``newest``
        (time of the newest entry, UTC); the largest feature first.
    """

    root: Path
    table: pd.DataFrame

    def text(self) -> str:
        """The report as a table for people."""
        if self.table.empty:
            return f"The feature cache at {self.root} is empty."
        megabytes = self.table["size_bytes"] / 1e6
        shown = self.table.drop(columns="size_bytes").assign(
            MB=megabytes.map("{:.1f}".format), newest=self.table["newest"].dt.strftime("%Y-%m-%d")
        )
        columns = ["feature", "settings", "entries", "MB", "newest"]
        total = f"{self.table['entries'].sum()} entries, {megabytes.sum():.1f} MB, at {self.root}"
        return f"{shown[columns].to_string(index=False)}\n{total}"


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
    import pandas as pd

    entries = pd.DataFrame(
        [
            (*folder.name.rsplit("-", 1), state.st_size, state.st_mtime)
            for folder in _feature_folders(root)
            for _, state in _entries(folder)
        ],
        columns=["feature", "settings", "size_bytes", "newest"],
    )
    table = entries.groupby(["feature", "settings"], as_index=False).agg(
        entries=("size_bytes", "size"), size_bytes=("size_bytes", "sum"), newest=("newest", "max")
    )
    table["newest"] = pd.to_datetime(table["newest"], unit="s")
    table = table.sort_values(["size_bytes", "feature"], ascending=[False, True])
    return CacheReport(root, table.reset_index(drop=True))


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
    root: Path,
    *,
    feature: str | None = None,
    older_than_days: float | None = None,
    keep_bytes: float | None = None,
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
    keep_bytes : float >= 0, optional
        Only as many entries as exceed this size together, the least recently used first.

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
    if keep_bytes is not None and keep_bytes < 0:
        raise SettingsError(f"keep_bytes is {keep_bytes}; give 0 or more.")
    folders = list(_feature_folders(root))
    names = sorted({folder.name.rpartition("-")[0] for folder in folders})
    if feature is not None:
        if feature not in names:
            contents = f"It holds: {', '.join(names)}." if names else "It is empty."
            raise SettingsError(f"The cache at {root} holds no feature {feature!r}. {contents}")
        folders = [folder for folder in folders if folder.name.rpartition("-")[0] == feature]
    before_s = time.time() - (older_than_days or 0.0) * _DAY_S
    found = [entry for folder in folders for entry in _entries(folder)]
    chosen = [
        (path, state)
        for path, state in found
        if older_than_days is None or state.st_mtime < before_s
    ]
    if keep_bytes is not None:
        excess = sum(state.st_size for _, state in found) - keep_bytes
        chosen = _least_recently_used(chosen, excess)
    for path, _ in chosen:
        _remove(path)
    for folder in folders:
        _remove_empty(folder)
    return Cleared(len(chosen), sum(state.st_size for _, state in chosen))


def _least_recently_used(
    entries: list[tuple[Path, os.stat_result]], size_bytes: float
) -> list[tuple[Path, os.stat_result]]:
    """The entries that were not used for the longest time, with at least this size together."""
    chosen = []
    for path, state in sorted(entries, key=lambda entry: entry[1].st_atime_ns):
        if size_bytes <= 0:
            break
        chosen.append((path, state))
        size_bytes -= state.st_size
    return chosen


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
