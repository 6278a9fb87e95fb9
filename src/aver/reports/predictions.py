"""Predictions for files as text, CSV, JSON lines, Parquet and Excel."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aver.errors import SettingsError
from aver.execution.files import write_atomically, write_text
from aver.reports.table import for_spreadsheet

if TYPE_CHECKING:
    import pandas as pd

    from aver.models.base.predict_files import FilePredictions


def prediction_rows(predictions: FilePredictions) -> list[dict[str, Any]]:
    """One JSON-ready row per file, in the order given.

    Returns
    -------
    list of dict
        With ``path`` as given, ``clip``, ``speaker`` if known, ``emotion`` and ``probabilities`` by
        class (both None if the file cannot be used or has no usable modality), ``by_modality``
        (probabilities by modality; None if the clip lacks the modality), ``coverage`` and
        ``distance`` by modality, ``flags``, ``adaptation`` if the predictions are adapted to the
        speaker, and further targets.
    """
    prediction = predictions.prediction
    rows = []
    for index, (file, clip) in enumerate(zip(predictions.files, predictions.clips, strict=True)):
        row: dict[str, Any] = {
            "path": file.path or file.name,
            "clip": file.name,
            **({"speaker": clip.speaker} if clip and clip.speaker else {}),
            "emotion": prediction.labels[index] or None,
            "probabilities": _by_name(prediction.classes, prediction.probabilities[index]),
            "by_modality": {
                name: _by_name(prediction.classes, values[index])
                for name, values in prediction.by_modality.items()
            },
            "coverage": {
                name: _rounded(share[index]) for name, share in prediction.coverage.items()
            },
            "distance": {
                name: _rounded(ratios[index]) for name, ratios in prediction.distance.items()
            },
            "flags": list(prediction.flags[index]) if prediction.flags else [],
            **({"adaptation": predictions.adaptation} if predictions.adaptation and clip else {}),
        }
        for target, values in prediction.other_targets.items():
            row[target] = _by_name(prediction.other_outputs[target], values[index])
        rows.append(row)
    return rows


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 3)


def _by_name(names: Sequence[str], values: Sequence[float]) -> dict[str, float] | None:
    """None for a row of NaN: there is no prediction."""
    if math.isnan(values[0]):
        return None
    return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}


def as_jsonl(predictions: FilePredictions) -> str:
    """One JSON object per line."""
    rows = prediction_rows(predictions)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_csv(predictions: FilePredictions) -> str:
    """Comma-separated, with the columns of `FilePredictions.to_frame`.

    Cells of what was not predicted are empty. Texts that a spreadsheet would run as a formula get
    an apostrophe in front.
    """
    return _for_people(predictions).to_csv(index=False, lineterminator="\n")


def as_tsv(predictions: FilePredictions) -> str:
    """As `as_csv`, separated by tabs."""
    return _for_people(predictions).to_csv(index=False, lineterminator="\n", sep="\t")


def _for_people(predictions: FilePredictions) -> pd.DataFrame:
    table = predictions.to_frame().round(4)
    return table.map(lambda cell: for_spreadsheet(cell) if isinstance(cell, str) else cell)


def as_table(predictions: FilePredictions) -> str:
    """For a terminal: class and percentages per clip, then a line per modality and target."""
    rows = prediction_rows(predictions)
    targets = list(predictions.prediction.other_targets)
    classes = predictions.prediction.classes
    names = [row["path"] for row in rows]
    names += [f"  {name}" for row in rows for name in row["by_modality"]]
    width = max(map(len, ["path", *names, *(f"  {name}" for name in targets)]))
    widths = [max(9, len(name)) for name in classes]
    heading = "  ".join(f"{name:>{wide}}" for name, wide in zip(classes, widths, strict=True))
    outputs = [o for row in rows for target in targets for o in (row[target] or ())]
    label_width = max([9, *map(len, (*classes, *outputs))])
    speaker_width = max([len("speaker"), *(len(row.get("speaker", "")) for row in rows)])
    has_speakers = any("speaker" in row for row in rows)

    def speaker_cell(name: str) -> str:
        return f"{name:<{speaker_width}}  " if has_speakers else ""

    label = f"{'emotion':<{label_width}}"
    lines = [f"{'path':<{width}}  {speaker_cell('speaker')}{label}  {heading}  coverage; notes"]
    for row, clip in zip(rows, predictions.clips, strict=True):
        shares = ((name, share) for name, share in row["coverage"].items() if share is not None)
        coverage = " ".join(f"{name} {share:.0%}" for name, share in shares)
        adapted = [row["adaptation"]] if "adaptation" in row else []
        notes = "; ".join([*([coverage] if clip else []), *row["flags"], *adapted])
        percentages = _percentages(row["probabilities"], widths)
        who, label = speaker_cell(row.get("speaker", "")), row["emotion"] or "(none)"
        lines.append(f"{row['path']:<{width}}  {who}{label:<{label_width}}  {percentages}  {notes}")
        if clip is None:
            continue
        for name, values in row["by_modality"].items():
            label = "(missing)" if values is None else max(values, key=values.__getitem__)
            percentages = _percentages(values, widths).rstrip()
            lines.append(
                f"{'  ' + name:<{width}}  {speaker_cell('')}{label:<{label_width}}  {percentages}"
            )
        for name in (target for target in targets if row[target]):
            label = max(row[name], key=row[name].__getitem__)
            percentages = ", ".join(f"{output} {share:.1%}" for output, share in row[name].items())
            lines.append(
                f"{'  ' + name:<{width}}  {speaker_cell('')}{label:<{label_width}}  {percentages}"
            )
    return "\n".join(lines) + "\n"


def _percentages(values: dict[str, float] | None, widths: Sequence[int]) -> str:
    if not values:
        return "  ".join(" " * wide for wide in widths)
    return "  ".join(
        f"{value:{wide}.1%}" for value, wide in zip(values.values(), widths, strict=True)
    )


TEXT_FORMATS: dict[str, Callable[[FilePredictions], str]] = {
    "table": as_table,
    "csv": as_csv,
    "tsv": as_tsv,
    "jsonl": as_jsonl,
}
"""Formats that can be printed."""

_SUFFIXES = {
    ".txt": "table",
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
}
_NEEDED = {"parquet": "pyarrow", "xlsx": "openpyxl"}


def format_of(target: Path, chosen: str = "") -> str:
    """The format of a file, by its suffix.

    Parameters
    ----------
    target : Path
    chosen : str
        Format that the user chose; needed if the suffix says nothing.

    Raises
    ------
    SettingsError
        If suffix and chosen format differ, there is no such format, or it needs a package that is
        not installed.
    """
    from importlib.util import find_spec

    meant = _SUFFIXES.get(target.suffix.lower(), "")
    if not meant and not chosen:
        raise SettingsError(
            f"The suffix of {target} names no format. Use one of {', '.join(_SUFFIXES)}."
        )
    if meant and chosen and meant != chosen:
        raise SettingsError(
            f"The suffix of {target} means {meant}, but the format chosen is {chosen}. Change one "
            "of them."
        )
    found = meant or chosen
    if found in _NEEDED and find_spec(_NEEDED[found]) is None:
        raise SettingsError(
            f"Writing {target} needs the package {_NEEDED[found]}. Install it with: pip install "
            f"'aver[tables]', or use the suffix .csv."
        )
    return found


def write_predictions(predictions: FilePredictions, target: Path, chosen: str = "") -> None:
    """Write a file in the format that its suffix names; see `format_of`.

    Parquet and JSON lines have file names as they are; in CSV, TSV and Excel files those that a
    spreadsheet would run as a formula have an apostrophe in front.
    """
    found = format_of(target, chosen)
    if found in TEXT_FORMATS:
        write_text(target, TEXT_FORMATS[found](predictions))
        return
    with write_atomically(target) as temporary:
        if found == "parquet":
            predictions.to_frame().to_parquet(temporary, index=False)
        else:
            _for_people(predictions).to_excel(temporary, index=False, engine="openpyxl")


def describe_source(predictions: FilePredictions, checkpoint: str | None) -> str:
    """Say which recognizer predicted, and to which clips it was adapted.

    Parameters
    ----------
    predictions : FilePredictions
    checkpoint : str or None
        None: the weights that come with aver.
    """
    from aver.models.base.checkpoint import DEFAULT, DEFAULT_ADAPTED
    from aver.networks.shipped import find_shipped

    adapted = f"; {predictions.adaptation}" if predictions.adaptation else ""
    if checkpoint is not None:
        return f"{checkpoint}{adapted}"
    name = DEFAULT_ADAPTED if predictions.adaptation else DEFAULT
    return f"{name}, which comes with aver: {find_shipped(name, 'recognizer').summary}{adapted}"
