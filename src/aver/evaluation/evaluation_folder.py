"""An evaluation on disk: `predictions.csv` with every answer, `evaluation.json` with the figures.

The CSV holds all that the figures come from, one row per clip, fold and seed, so that anyone can
compute them again with other tools. Numbers are written with as many digits as they have, so that
loading gives the same object.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation, TargetPredictions
from aver.evaluation.summary import summarise
from aver.execution.files import write_atomically, write_json

FORMAT = "aver evaluation 1"
_FLAG_MARK = "; "
_OWN_COLUMNS = ("clip_id", "speaker", "sex", "fold", "seed", "truth", "prediction", "flags")


def save_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write `evaluation.json` and `predictions.csv` into a folder, made where missing.

    Raises
    ------
    StorageError
        If the place cannot be written.
    SettingsError
        If a flag holds a semicolon, which parts flags in the table.
    """
    if any(";" in flag for flags in evaluation.flags for flag in flags):
        raise SettingsError("A flag must not hold a semicolon; semicolons part flags in tables.")
    with (
        write_atomically(folder / "predictions.csv") as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows(_table(evaluation))
    write_json(
        folder / "evaluation.json",
        {
            "format": FORMAT,
            "system": evaluation.system,
            "corpus": evaluation.corpus,
            "protocol": evaluation.protocol,
            "leaks": list(evaluation.leaks),
            "classes": list(evaluation.classes),
            "modalities": list(evaluation.by_modality),
            "targets": {
                name: {"kind": target.kind, "outputs": list(target.outputs)}
                for name, target in evaluation.targets.items()
            },
            "clips": evaluation.clip_count,
            "speakers": len(evaluation.speaker_ids) - evaluation.clips_of_unknown_speakers,
            "seeds": list(evaluation.seed_values),
            "training_s": evaluation.training_s,
            "prediction_s": evaluation.prediction_s,
            "parameters": evaluation.parameters,
            "figures": summarise(evaluation).as_json(),
            "facts": dict(evaluation.facts),
        },
    )


def _blocks(
    classes: Sequence[str],
    modalities: Sequence[str],
    targets: dict[str, tuple[str, ...]],
) -> dict[str, list[str]]:
    """Column names of each block of numbers, by block."""
    blocks = {"": [f"p {label}" for label in classes]}
    for modality in modalities:
        blocks[f"modality {modality}"] = [f"{modality}: p {label}" for label in classes]
    for name, outputs in targets.items():
        blocks[f"truth {name}"] = [f"{name}: true {output}" for output in outputs]
        blocks[f"answers {name}"] = [f"{name}: answered {output}" for output in outputs]
    return blocks


def _table(evaluation: Evaluation) -> Iterator[list[str]]:
    outputs = {name: target.outputs for name, target in evaluation.targets.items()}
    blocks = _blocks(evaluation.classes, list(evaluation.by_modality), outputs)
    yield [*_OWN_COLUMNS, *(name for names in blocks.values() for name in names)]
    numbers = [evaluation.probabilities, *evaluation.by_modality.values()]
    for target in evaluation.targets.values():
        numbers += [target.truth, target.predictions]
    joined = np.concatenate(numbers, axis=1)
    for row, clip_id in enumerate(evaluation.clip_ids):
        yield [
            clip_id,
            evaluation.speakers[row],
            evaluation.sexes[row] or "",
            str(int(evaluation.folds[row])),
            str(int(evaluation.seeds[row])),
            evaluation.truth[row],
            evaluation.classes[evaluation.prediction_index[row]],
            _FLAG_MARK.join(evaluation.flags[row]),
            *("" if np.isnan(value) else repr(value) for value in joined[row].tolist()),
        ]


def load_evaluation(folder: Path) -> Evaluation:
    """Read what `save_evaluation` wrote.

    Parameters
    ----------
    folder : Path
        The folder that holds `evaluation.json` and `predictions.csv`.

    Returns
    -------
    Evaluation
        Equal to the one saved, to the last digit.

    Raises
    ------
    SettingsError
        If the folder holds none, or one of another version, or the files do not fit together.
    """
    described = _read_description(folder)
    try:
        with (folder / "predictions.csv").open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        raise SettingsError(
            f"{folder} has no readable predictions.csv: {error.strerror}."
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"predictions.csv in {folder} is no table: {error}.") from error
    try:
        return _assemble(described, rows)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"predictions.csv and evaluation.json in {folder} do not fit together ({error}). "
            "Evaluate the run again."
        ) from error


def _read_description(folder: Path) -> dict[str, Any]:
    target = folder / "evaluation.json"
    try:
        described = json.loads(target.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"{folder} holds no evaluation: {target.name} cannot be read ({error.strerror})."
        ) from error
    except ValueError as error:
        raise SettingsError(f"{target} is not JSON: {error}.") from error
    found = described.get("format") if isinstance(described, dict) else None
    if found != FORMAT:
        raise SettingsError(f"{target} is of format {found!r}; this version reads {FORMAT!r}.")
    return described


def _assemble(described: dict[str, Any], rows: list[dict[str, str]]) -> Evaluation:
    outputs = {name: tuple(entry["outputs"]) for name, entry in described["targets"].items()}
    blocks = _blocks(described["classes"], described["modalities"], outputs)

    def numbers(block: str) -> np.ndarray:
        names = blocks[block]
        values = [[float(row[name] or "nan") for name in names] for row in rows]
        return np.array(values, dtype=np.float64).reshape(len(rows), len(names))

    return Evaluation(
        system=described["system"],
        corpus=described["corpus"],
        protocol=described["protocol"],
        classes=tuple(described["classes"]),
        clip_ids=tuple(row["clip_id"] for row in rows),
        speakers=tuple(row["speaker"] for row in rows),
        sexes=tuple(row["sex"] or None for row in rows),
        folds=np.array([int(row["fold"]) for row in rows]),
        seeds=np.array([int(row["seed"]) for row in rows]),
        truth=tuple(row["truth"] for row in rows),
        probabilities=numbers(""),
        by_modality={name: numbers(f"modality {name}") for name in described["modalities"]},
        flags=tuple(tuple(filter(None, row["flags"].split(_FLAG_MARK))) for row in rows),
        targets={
            name: TargetPredictions(
                entry["kind"], outputs[name], numbers(f"truth {name}"), numbers(f"answers {name}")
            )
            for name, entry in described["targets"].items()
        },
        leaks=tuple(described["leaks"]),
        training_s=described["training_s"],
        prediction_s=described["prediction_s"],
        parameters=described["parameters"],
        facts=described["facts"],
    )
