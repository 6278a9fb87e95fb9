"""`ActionUnits`: intensities of the facial action units, from tables of other programs."""

from __future__ import annotations

import csv
import re
from collections import Counter
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.corpora.files import column_separator
from aver.errors import FeatureError, MediaError
from aver.execution.documents import table_lines
from aver.execution.files import composed
from aver.features.feature import DerivedFeature, Feature, FeatureRecord
from aver.settings import settings


@settings
class ActionUnits(Feature):
    """The action units of a clip, read from the table that the clip names.

    Arrays: ``units`` float32 (frames, units), and ``per_frame`` bool (), False for a table of clip
    means, which gives one row. Columns are those whose names start with ``AU``, in the file's
    order. The synthetic corpus includes such tables;
    `aver.corpora.user_files.attach_action_units` attaches others.

    Notes
    -----
    Source: Ekman & Friesen (1978), Facial Action Coding System; the column names are those of
    OpenFace 2 (Baltrusaitis et al. 2018): ``_r`` for intensity (0 to 5), ``_c`` for presence.
    """

    name = "action-units"
    modality = "action_units"
    source = "Ekman & Friesen (1978); tables as OpenFace 2 writes them"
    effort = 0.1
    version = 2

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The table that contains the clip."""
        return (clip.action_units,) if clip.action_units else ()

    def identity(self, clip: Clip) -> str:
        """The clip's row in a table of many clips; otherwise empty."""
        return clip.action_units_row

    def extract(self, clip: Clip) -> FeatureRecord:
        """Read the action units of one clip."""
        if clip.action_units is None:
            return FeatureRecord.absent("no action units")
        if clip.action_units_row:
            return _from_means(read_unit_means(clip.action_units), clip.action_units_row)
        units, coverage, flags = read_unit_track(clip.action_units)
        if not len(units):
            return FeatureRecord.absent("no face in the action units")
        return FeatureRecord({"units": units, "per_frame": np.array(True)}, coverage, flags=flags)


def _from_means(means: dict[str, np.ndarray], row: str) -> FeatureRecord:
    if row not in means:
        return FeatureRecord.absent("no action units")
    if not np.isfinite(means[row]).all():
        return FeatureRecord.absent("no face in the action units")
    units = means[row][np.newaxis].copy()  # (1, units)
    return FeatureRecord(arrays={"units": units, "per_frame": np.array(False)})


@settings
class ActionUnitFunctionals(DerivedFeature):
    """Mean and standard deviation of each action unit over the frames of a clip.

    Array: ``statistics`` float32 (2 x units,) from tables of frames; (units,), the means alone,
    from tables of clip means.
    """

    name = "action-unit-functionals"
    modality = "action_units"
    source = "Functionals of the action units"
    effort = 0.1

    @cached_property
    def basis(self) -> Feature:
        """The action units."""
        return ActionUnits()

    def derive(self, record: FeatureRecord) -> FeatureRecord:
        """Mean and standard deviation over frames."""
        units = record.arrays["units"]  # (frames, units)
        functionals = [units.mean(axis=0)]
        if record.arrays["per_frame"]:
            functionals.append(units.std(axis=0))
        return FeatureRecord(
            arrays={"statistics": np.concatenate(functionals).astype(np.float32)},
            coverage=record.coverage,
            flags=record.flags,
        )


_UNIT_COLUMN_START = "AU"
_FACE_COLUMN = "face_id"  # OpenFace, FaceLandmarkVidMulti: one row per frame and face
_SUCCESS_COLUMN = "success"  # OpenFace: 0 if it found no face


def read_unit_track(path: Path) -> tuple[np.ndarray, float, tuple[str, ...]]:
    """Read a table with one row per frame.

    Columns are separated by ``,``, ``;`` or tabs; decimal commas are read unless the comma
    separates columns. Columns whose names start with ``AU`` are read, in the file's order. Rows
    with an empty or non-finite value, or with 0 in the column ``success`` of OpenFace, are frames
    without a face. If the column ``face_id`` names several faces, only the rows of the face that
    is found in most frames are read; the first of those found equally often.

    Returns
    -------
    units : np.ndarray [shape=(frames, units), dtype=float32]
        Frames with a face only.
    coverage : float in [0, 1]
        Share of the table's frames that have this face.
    flags : tuple of str
        ``"several faces"`` if rows of other faces were left out.

    Raises
    ------
    MediaError
        If the file cannot be read.
    FeatureError
        If it is not a table of action units; the message names the file and the row.
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
    if not rows:
        return values, 0.0, ()
    if _FACE_COLUMN not in header:
        return values[found], float(found.mean()), ()
    faces = np.array([row[header.index(_FACE_COLUMN)].strip() for row in rows])
    present = Counter(faces[found].tolist())
    if len(present) < 2:
        return values[found], float(found.mean()), ()
    chosen = found & (faces == max(present, key=present.__getitem__))
    frames = len({_frame(header, row, number) for number, row in enumerate(rows)})
    return values[chosen], min(1.0, float(chosen.sum()) / frames), ("several faces",)


def _frame(header: list[str], row: list[str], number: int) -> str:
    """What tells the frame of a row apart: its number or time, or else the row itself."""
    column = next((name for name in ("frame", "timestamp") if name in header), None)
    return row[header.index(column)].strip() if column else str(number)


def read_unit_means(path: Path) -> dict[str, np.ndarray]:
    """Read a table with one row per clip; the first column is the name of the clip.

    Returns
    -------
    dict of str to np.ndarray [shape=(units,), dtype=float32]
        By clip name. An unchanged table is parsed once per process.

    Raises
    ------
    MediaError
        If the file cannot be read.
    FeatureError
        If it is not a table of action units, or names a clip twice.
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
        name = composed(row[0].strip())
        if name in means:
            raise FeatureError(f"{path} names the clip {name!r} twice, again in row {number}.")
        means[name] = np.array(_numbers(path, number, row, columns, header), dtype=np.float32)
    return means


def _read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = table_lines(file)
            first = next(lines, "")
            separator = column_separator(first)
            header = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
            rows = [row for row in csv.reader(lines, delimiter=separator) if row]
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise FeatureError(f"{path} is not a table of action units: {error}.") from None
    return header, rows


def _unit_columns(path: Path, header: list[str]) -> list[int]:
    columns = [at for at, name in enumerate(header) if name.startswith(_UNIT_COLUMN_START)]
    if not columns:
        raise FeatureError(
            f"{path} is not a table of action units: no column name starts with AU. Its first row "
            "must contain names such as AU01_r, separated by ',' or ';'."
        )
    return columns


def _numbers(
    path: Path, number: int, row: list[str], columns: list[int], header: list[str]
) -> list[float]:
    if len(row) != len(header):
        raise FeatureError(
            f"Row {number} of {path} has {len(row)} values, but the header has {len(header)} "
            "columns; the file may be truncated."
        )
    try:
        return [_number(row[at]) for at in columns]
    except ValueError as error:
        raise FeatureError(
            f"Row {number} of {path} contains a value that is not a number: {error}."
        ) from None


# printf of Windows writes -nan(ind), 1.#IND and 1.#QNAN; R and pandas NA, <NA>; Excel #N/A.
_NO_NUMBER = re.compile(
    r"[+-]?(nan(\(\w*\))?|1[.,]#(ind|qnan|snan|inf)0*)|#?n/?a[!]?|<na>|#(num|value|div/0)!|"
    r"null|none|missing|[-.?]|",
    re.IGNORECASE,
)

_LARGEST = float(np.finfo(np.float32).max)


def _number(cell: str) -> float:
    """A number with a decimal point or comma; NaN for an empty cell or a word for no number.

    NaN also for a number that a value of the feature cannot hold, such as 1e308.
    """
    text = cell.strip()
    number = float("nan") if _NO_NUMBER.fullmatch(text) else float(text.replace(",", "."))
    return number if abs(number) <= _LARGEST else float("nan")
