"""Tables of action units: one row per clip, or one row per frame of one clip."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from aver.errors import FeatureError, MediaError

_UNIT_COLUMN_START = "AU"
_SUCCESS_COLUMN = "success"  # OpenFace: 0 where it found no face


@dataclass(frozen=True)
class UnitTrack:
    """Action units of the frames of one clip.

    Parameters
    ----------
    units : np.ndarray [shape=(frames, units), dtype=float32]
        Frames with a face only.
    names : tuple of str
        Column names, for instance ``"AU01_r"``.
    coverage : float in [0, 1]
        Share of the file's frames that had a face.
    """

    units: np.ndarray
    names: tuple[str, ...]
    coverage: float


def read_unit_track(path: Path) -> UnitTrack:
    """Read a table with one row per frame.

    Columns are separated by ``,`` or ``;``. Those whose names start with ``AU`` are taken, in the
    file's order. Rows with an empty or non-finite value, or with 0 in OpenFace's column
    ``success``, are frames without a face.

    Raises
    ------
    MediaError
        If the file cannot be read.
    FeatureError
        If it is no table of action units; the message names the file and the row.
    """
    header, rows = _read_rows(path)
    columns = _unit_columns(path, header)
    success = header.index(_SUCCESS_COLUMN) if _SUCCESS_COLUMN in header else None
    values = np.array(
        [_numbers(path, number, row, columns, header) for number, row in enumerate(rows, start=2)],
        dtype=np.float32,
    ).reshape(len(rows), len(columns))
    found = np.isfinite(values).all(axis=1)
    if success is not None:
        found &= np.array([row[success].strip() not in ("0", "0.0") for row in rows], dtype=bool)
    names = tuple(header[column] for column in columns)
    return UnitTrack(values[found], names, float(found.mean()) if rows else 0.0)


def read_unit_means(path: Path) -> dict[str, np.ndarray]:
    """Read a table with one row per clip, whose first column names the clip.

    Returns
    -------
    dict of str to np.ndarray [shape=(units,), dtype=float32]
        By clip name. The same table is parsed once per process and content.

    Raises
    ------
    MediaError
        If the file cannot be read.
    FeatureError
        If it is no table of action units, or names a clip twice.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror}.") from None
    return _unit_means(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _unit_means(path: Path, changed_ns: int, size: int) -> dict[str, np.ndarray]:
    header, rows = _read_rows(path)
    columns = _unit_columns(path, header)
    means: dict[str, np.ndarray] = {}
    for number, row in enumerate(rows, start=2):
        name = row[0].strip()
        if name in means:
            raise FeatureError(f"{path} names the clip {name!r} twice, again in row {number}.")
        means[name] = np.array(_numbers(path, number, row, columns, header), dtype=np.float32)
    return means


def _read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            separator = ";" if first.count(";") > first.count(",") else ","
            header = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
            rows = [row for row in csv.reader(file, delimiter=separator) if row]
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise FeatureError(f"{path} is no table of action units: {error}.") from None
    return header, rows


def _unit_columns(path: Path, header: list[str]) -> list[int]:
    columns = [at for at, name in enumerate(header) if name.startswith(_UNIT_COLUMN_START)]
    if not columns:
        raise FeatureError(
            f"{path} is no table of action units: no column is named AU... Its first row must "
            "hold names such as AU01_r, separated by ',' or ';'."
        )
    return columns


def _numbers(
    path: Path, number: int, row: list[str], columns: list[int], header: list[str]
) -> list[float]:
    if len(row) != len(header):
        raise FeatureError(
            f"Row {number} of {path} has {len(row)} values where the header has {len(header)} "
            "columns; the file may be torn."
        )
    try:
        return [float(row[at]) if row[at].strip() else float("nan") for at in columns]
    except ValueError as error:
        raise FeatureError(f"Row {number} of {path} holds no number: {error}.") from None
