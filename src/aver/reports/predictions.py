"""Predictions for files as text, CSV and JSON lines."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aver.models.base.predict_files import FilePredictions


def prediction_rows(predictions: FilePredictions) -> list[dict[str, Any]]:
    """One JSON-ready row per clip.

    Returns
    -------
    list of dict
        With ``clip``, ``speaker`` if known, ``emotion`` and ``probabilities`` by class (both None
        if the clip has no usable modality), ``by_modality`` (probabilities by modality; None if the
        clip lacks the modality), ``coverage`` and ``distance`` by modality, ``flags``,
        ``adaptation`` if the predictions are adapted to the speaker, and further targets.
    """
    prediction = predictions.prediction
    if prediction is None:
        return []
    rows = []
    for index, clip in enumerate(predictions.clips):
        row: dict[str, Any] = {
            "clip": clip.clip_id,
            **({"speaker": clip.speaker} if clip.speaker else {}),
            "emotion": prediction.labels[index] or None,
            "probabilities": _by_name(prediction.classes, prediction.probabilities[index]),
            "by_modality": {
                name: _by_name(prediction.classes, values[index])
                for name, values in prediction.by_modality.items()
            },
            "coverage": {
                name: round(float(share[index]), 3) for name, share in prediction.coverage.items()
            },
            "distance": {
                name: None if math.isnan(ratios[index]) else round(float(ratios[index]), 3)
                for name, ratios in prediction.distance.items()
            },
            "flags": list(prediction.flags[index]) if prediction.flags else [],
            **({"adaptation": predictions.adaptation} if predictions.adaptation else {}),
        }
        for target, values in prediction.other_targets.items():
            row[target] = _by_name(prediction.other_outputs[target], values[index])
        rows.append(row)
    return rows


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
    """Comma-separated, one row per clip; ``by_modality.audio.happy`` names a nested value.

    Cells of what was not predicted are empty.
    """
    rows = prediction_rows(predictions)
    empty = dict.fromkeys(predictions.prediction.classes if predictions.prediction else ())
    for row in rows:
        row["probabilities"] = row["probabilities"] or empty
        row["by_modality"] = {name: v or empty for name, v in row["by_modality"].items()}
    flat = [_flat(row) for row in rows]
    text = io.StringIO()
    columns = list(dict.fromkeys(column for row in flat for column in row))
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Nested mappings as ``outer.inner`` columns."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": inner for name, inner in _flat(value).items()}
        else:
            flat[key] = "; ".join(value) if isinstance(value, list) else value
    return flat


def as_table(predictions: FilePredictions) -> str:
    """For a terminal: class and percentages per clip, then a line per modality and target."""
    rows = prediction_rows(predictions)
    if not rows or predictions.prediction is None:
        return ""
    targets = list(predictions.prediction.other_targets)
    classes = predictions.prediction.classes
    names = [row["clip"] for row in rows]
    names += [f"  {name}" for row in rows for name in row["by_modality"]]
    width = max(map(len, ["clip", *names, *(f"  {name}" for name in targets)]))
    widths = [max(9, len(name)) for name in classes]
    heading = "  ".join(f"{name:>{wide}}" for name, wide in zip(classes, widths, strict=True))
    outputs = [o for row in rows for target in targets for o in (row[target] or ())]
    label_width = max([9, *map(len, (*classes, *outputs))])
    speaker_width = max([len("speaker"), *(len(row.get("speaker", "")) for row in rows)])
    has_speakers = any("speaker" in row for row in rows)

    def speaker_cell(name: str) -> str:
        return f"{name:<{speaker_width}}  " if has_speakers else ""

    label = f"{'emotion':<{label_width}}"
    lines = [f"{'clip':<{width}}  {speaker_cell('speaker')}{label}  {heading}  coverage; notes"]
    for row in rows:
        coverage = " ".join(f"{name} {share:.0%}" for name, share in row["coverage"].items())
        adapted = [predictions.adaptation] if predictions.adaptation else []
        notes = "; ".join([coverage, *row["flags"], *adapted])
        percentages = _percentages(row["probabilities"], widths)
        who, label = speaker_cell(row.get("speaker", "")), row["emotion"] or "(none)"
        lines.append(f"{row['clip']:<{width}}  {who}{label:<{label_width}}  {percentages}  {notes}")
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


FORMATS: dict[str, Callable[[FilePredictions], str]] = {
    "table": as_table,
    "csv": as_csv,
    "jsonl": as_jsonl,
}
"""Writers by name of the format."""


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
