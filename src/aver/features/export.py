"""Features as a table for R, SPSS and pandas: CSV, Parquet or NPY, with ids and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import FeatureError, SettingsError
from aver.execution.files import write_atomically
from aver.features.feature import Feature, FeatureRecord
from aver.features.store import FeatureSource

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".parquet", ".npy")
MAX_COLUMNS = 20_000
"""Of a CSV or Parquet file; images have more and go into NPY."""

_LABELS = ("speaker", "emotion", "sex", "intensity", "sentence", "take", "channel")


@dataclass(frozen=True)
class FeatureTable:
    """Values of one feature, row by row, and what each row is about.

    Parameters
    ----------
    rows : pd.DataFrame
        ``clip``, labels, ``coverage``, ``missing`` (why a clip has no values; it then has one row)
        and, if the feature has several vectors per clip, ``row`` (0, 1, ...).
    values : np.ndarray [shape=(rows, values)]
        NaN in the row of a clip without values.
    names : tuple of str
        Of the values: the array's name and the place in it, from 0.
    left_out : tuple of str
        Arrays that do not have one entry per row.
    """

    rows: pd.DataFrame
    values: np.ndarray
    names: tuple[str, ...]
    left_out: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Rows and values side by side."""
        import pandas as pd

        return pd.concat([self.rows, pd.DataFrame(self.values, columns=list(self.names))], axis=1)


def check_export_path(path: Path) -> None:
    """Refuse a file whose suffix names no format.

    Raises
    ------
    SettingsError
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SettingsError(
            f"Features cannot be exported to {path.name!r}: use a name that ends in "
            f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}."
        )


def feature_table(clips: Sequence[Clip], feature: Feature, source: FeatureSource) -> FeatureTable:
    """The values of a feature for clips that have been prepared.

    Parameters
    ----------
    clips : sequence of Clip
    feature : Feature
    source : FeatureSource
        Has the feature of every clip.

    Returns
    -------
    FeatureTable

    Raises
    ------
    FeatureError
        If no clip has the modality, or clips have values of different shapes.
    """
    import pandas as pd

    records = [source.get(clip, feature) for clip in clips]
    laid_out = [None if record.missing else _as_rows(record) for record in records]
    first = next((found for found in laid_out if found is not None), None)
    if first is None:
        reasons = sorted({record.missing for record in records})
        raise FeatureError(
            f"There is no {feature.name} to export: no clip has it ({', '.join(reasons)})."
        )
    width = len(first.names)
    rows: list[dict[str, Any]] = []
    values = []
    for clip, record, found in zip(clips, records, laid_out, strict=True):
        about = _about(clip, record)
        if found is None:
            rows.append(about)
            values.append(np.full((1, width), np.nan, dtype=np.float32))
            continue
        if found.names != first.names:
            raise FeatureError(
                f"{feature.name} of {clip.clip_id} has {len(found.names)} values per row, and that "
                f"of other clips {width}. Export clips with equal shapes only."
            )
        numbered = found.is_series
        rows += [{**about, "row": n} if numbered else about for n in range(len(found.values))]
        values.append(found.values)
    left_out = tuple(sorted({name for one in laid_out if one for name in one.left_out}))
    return FeatureTable(pd.DataFrame(rows), np.concatenate(values), first.names, left_out)


def write_features(table: FeatureTable, path: Path) -> tuple[Path, ...]:
    """Write a table in the format that the suffix names.

    Parameters
    ----------
    table : FeatureTable
    path : Path
        ``.csv``, ``.parquet``, or ``.npy``: float32 values of shape (rows, values), with ids and
        labels in a CSV file of the same name.

    Returns
    -------
    tuple of Path
        The files that were written.

    Raises
    ------
    SettingsError
        If the suffix is another one, or there are too many columns for it.
    StorageError
        If a file cannot be written.
    """
    check_export_path(path)
    suffix = path.suffix.lower()
    if suffix == ".npy":
        with write_atomically(path) as temporary, temporary.open("wb") as file:
            np.save(file, table.values, allow_pickle=False)
        beside = path.with_suffix(".csv")
        _write_csv(table.rows, beside)
        return path, beside
    if len(table.names) > MAX_COLUMNS:
        raise SettingsError(
            f"Each row has {len(table.names)} values, too many for columns. Export to a file that "
            "ends in .npy."
        )
    if suffix == ".csv":
        _write_csv(table.to_frame(), path)
    else:
        with write_atomically(path) as temporary:
            table.to_frame().to_parquet(temporary, index=False)
    return (path,)


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    with write_atomically(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")


def _about(clip: Clip, record: FeatureRecord) -> dict[str, Any]:
    labels = {name: getattr(clip, name) for name in _LABELS}
    return {
        "clip": clip.clip_id,
        **labels,
        "coverage": record.coverage,
        "missing": record.missing,
    }


@dataclass(frozen=True)
class _Rows:
    """The arrays of one record side by side."""

    values: np.ndarray  # (rows, values)
    names: tuple[str, ...]
    is_series: bool
    left_out: tuple[str, ...]


def _as_rows(record: FeatureRecord) -> _Rows:
    """One row per clip if all arrays are vectors; else one per entry of the first axis."""
    arrays: Mapping[str, np.ndarray] = {
        name: np.asarray(array) for name, array in record.arrays.items() if np.ndim(array) > 0
    }
    series = [array for array in arrays.values() if array.ndim > 1]
    length = len(series[0]) if series else 1
    blocks, names, left_out = [], [], []
    for name, array in arrays.items():
        if series and len(array) != length:
            left_out.append(name)
            continue
        block = array.reshape(length, -1) if array.size else np.zeros((length, 0))
        blocks.append(block.astype(np.float32))
        several = block.shape[1] > 1 or not series
        names += [f"{name}.{k}" if several else name for k in range(block.shape[1])]
    return _Rows(np.concatenate(blocks, axis=1), tuple(names), bool(series), tuple(left_out))
