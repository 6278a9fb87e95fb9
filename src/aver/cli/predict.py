"""`aver predict`: class probabilities for any files, fused and per modality."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonargparse import ArgumentParser, Namespace

from aver.cli.arguments import Command, add_strict_argument, add_work_arguments

if TYPE_CHECKING:
    import numpy as np

    from aver.models.base.predict_files import OwnClips


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("paths", type=Path, nargs="+", help="videos, sound files, or folders")
    parser.add_argument(
        "--checkpoint",
        metavar="RUN",
        help="run folder of 'aver train', or a name of 'aver list weights'; default: the weights "
        "that come with the package",
    )
    parser.add_argument(
        "--speaker-clips",
        type=Path,
        metavar="DIR",
        help="other clips of the same speaker, without labels, to adapt to; one speaker per call",
    )
    parser.add_argument(
        "--action-units",
        type=Path,
        metavar="PATH",
        help="action units, keyed by file names: a CSV with one row per clip, or a folder of one "
        "CSV per clip",
    )
    parser.add_argument("--format", default="table", choices=("table", "csv", "jsonl"))
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there, not to the screen")
    add_strict_argument(parser)
    add_work_arguments(parser)


def _run(arguments: Namespace) -> int:
    from aver import api
    from aver.errors import MediaError
    from aver.execution.files import write_text
    from aver.features.store import FeatureStore

    predictions = api.predict(
        arguments.paths,
        arguments.checkpoint,
        action_units=arguments.action_units,
        speaker_clips=arguments.speaker_clips,
        store=FeatureStore(arguments.cache),
        workers=arguments.workers,
    )
    text = _FORMATS[arguments.format](predictions)
    if arguments.out is None:
        sys.stdout.write(text)
    else:
        write_text(arguments.out, text)
        print(f"Wrote {arguments.out}")
    if predictions.clips:
        print(f"aver: answered by {_predicted_by(arguments, predictions)}", file=sys.stderr)
    for problem in predictions.problems:
        print(f"aver: not answered: {problem.path}: {problem.reason}", file=sys.stderr)
    for problem in predictions.unused:
        print(f"aver: not adapted to: {problem.path}: {problem.reason}", file=sys.stderr)
    if not predictions.clips:
        raise MediaError(f"None of the {len(predictions.problems)} files could be used.")
    unread = len(predictions.problems) + len(predictions.unused)
    if arguments.strict and unread:
        raise MediaError(f"{unread} files could not be read (--strict).")
    return 0


def _predicted_by(arguments: Namespace, predictions: OwnClips) -> str:
    """Whose answers these are, and what they rest upon."""
    from aver.models.base.checkpoint import DEFAULT, DEFAULT_ADAPTED
    from aver.networks.shipped import find_shipped

    adapted = f"; {predictions.adaptation}" if predictions.adaptation else ""
    if arguments.checkpoint is not None:
        return f"{arguments.checkpoint}{adapted}."
    name = DEFAULT_ADAPTED if arguments.speaker_clips else DEFAULT
    return f"{name}, which comes with aver: {find_shipped(name, 'recognizer').summary}{adapted}."


def rows_of(predictions: OwnClips) -> list[dict[str, Any]]:
    """One flat, JSON-ready row per clip."""
    prediction = predictions.prediction
    if prediction is None:
        return []
    rows = []
    for index, clip_id in enumerate(prediction.clip_ids):
        row: dict[str, Any] = {
            "clip": clip_id,
            "emotion": prediction.labels[index],
            "probabilities": _named(prediction.classes, prediction.probabilities[index]),
            "by_modality": {
                name: None
                if values[index][0] != values[index][0]  # NaN: the clip lacks the modality
                else _named(prediction.classes, values[index])
                for name, values in prediction.by_modality.items()
            },
            "coverage": {
                name: round(float(share[index]), 3) for name, share in prediction.coverage.items()
            },
            "flags": list(prediction.flags[index]) if prediction.flags else [],
            **({"adaptation": predictions.adaptation} if predictions.adaptation else {}),
        }
        for target, values in prediction.other_targets.items():
            row[target] = _named(prediction.other_outputs[target], values[index])
        rows.append(row)
    return rows


def _named(names: tuple[str, ...], values: np.ndarray) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Nested mappings as ``outer.inner`` columns."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": inner for name, inner in _flat(value).items()}
        else:
            flat[key] = "; ".join(value) if isinstance(value, list) else value
    return flat


def _as_jsonl(predictions: OwnClips) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows_of(predictions))


def _as_csv(predictions: OwnClips) -> str:
    import io

    rows = rows_of(predictions)
    for row in rows:  # the same columns, empty, where a clip lacks a modality
        row["by_modality"] = {
            name: values or dict.fromkeys(row["probabilities"])
            for name, values in row["by_modality"].items()
        }
    flat = [_flat(row) for row in rows]
    columns = list(dict.fromkeys(column for row in flat for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def as_table(predictions: OwnClips) -> str:
    """For a screen: answer and percent per class; a line per modality and other target below."""
    rows = rows_of(predictions)
    if not rows or predictions.prediction is None:
        return ""
    targets = list(predictions.prediction.other_targets)
    classes = list(rows[0]["probabilities"])
    width = max(len(row["clip"]) for row in rows)
    width = max(width, *(len(name) + 2 for row in rows for name in row["by_modality"]), 4)
    width = max(width, *(len(name) + 2 for name in targets), 0)
    head = f"{'clip':<{width}}  {'answer':<9}  " + "  ".join(f"{name:>9}" for name in classes)
    lines = [f"{head}  covered; notes"]
    for row in rows:
        covered = " ".join(f"{name} {share:.0%}" for name, share in row["coverage"].items())
        adapted = [predictions.adaptation] if predictions.adaptation else []
        notes = "; ".join([covered, *row["flags"], *adapted])
        lines.append(
            f"{row['clip']:<{width}}  {row['emotion']:<9}  "
            f"{_percent(row['probabilities'])}  {notes}"
        )
        for name, values in row["by_modality"].items():
            said = "(nothing)" if values is None else max(values, key=values.__getitem__)
            numbers = "" if values is None else _percent(values)
            lines.append(f"{'  ' + name:<{width}}  {said:<9}  {numbers}")
        for name in targets:
            said = max(row[name], key=row[name].__getitem__)
            numbers = ", ".join(f"{word} {share:.1%}" for word, share in row[name].items())
            lines.append(f"{'  ' + name:<{width}}  {said:<9}  {numbers}")
    return "\n".join(lines) + "\n"


def _percent(values: dict[str, float]) -> str:
    return "  ".join(f"{value:9.1%}" for value in values.values())


_FORMATS = {"table": as_table, "csv": _as_csv, "jsonl": _as_jsonl}

COMMAND = Command(
    name="predict",
    summary="Answer for videos and sound files: probabilities, coverage, flags.",
    example="aver predict my-videos/",
    add_arguments=_add_arguments,
    run=_run,
)
