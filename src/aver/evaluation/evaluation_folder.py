"""An evaluation on disk: `predictions.csv` and, with the figures, `evaluation.json`.

The CSV is `Evaluation.predictions`: all that the figures are computed from, so that anyone can
compute them again with other tools. Numbers are written with all their digits, so that loading
gives the same evaluation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aver.compatibility import upgrade
from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation, TargetColumns
from aver.evaluation.summary import summarize
from aver.execution.documents import read_json
from aver.execution.files import write_atomically, write_json
from aver.models.base.prediction import probability_columns

FORMAT, FORMAT_1 = "aver evaluation 2", "aver evaluation 1"


def save_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write `evaluation.json` and `predictions.csv` into a folder, which is made if missing.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    with write_atomically(folder / "predictions.csv") as temporary:
        evaluation.predictions.to_csv(temporary, index=False, lineterminator="\n")
    write_json(
        folder / "evaluation.json",
        {
            "format": FORMAT,
            "system": evaluation.system,
            "corpus": evaluation.corpus,
            "protocol": evaluation.protocol,
            "leaks": list(evaluation.leaks),
            "classes": list(evaluation.classes),
            "modalities": list(evaluation.modalities),
            "targets": {
                target.name: {"kind": target.kind, "outputs": list(target.outputs)}
                for target in evaluation.targets
            },
            "clips": evaluation.clip_count,
            "speakers": len(evaluation.speaker_ids) - evaluation.clips_of_unknown_speakers,
            "seeds": list(evaluation.seed_values),
            "training_s": evaluation.training_s,
            "prediction_s": evaluation.prediction_s,
            "parameters": evaluation.parameters,
            "figures": summarize(evaluation).as_json(),
            "facts": dict(evaluation.facts),
        },
    )


def load_evaluation(folder: Path) -> Evaluation:
    """Read what `save_evaluation` wrote, or what version 0.1 wrote.

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
        If the folder holds no evaluation, one of another version, or files that do not belong
        together.
    """
    described = _read_description(folder)
    try:
        # The C engine reads a row that is cut off as one of empty cells.
        table = pd.read_csv(
            folder / "predictions.csv", dtype=str, keep_default_na=False, engine="python"
        )
    except OSError as error:
        raise SettingsError(
            f"{folder} has no readable predictions.csv: {error.strerror}."
        ) from error
    except ValueError as error:
        raise SettingsError(f"predictions.csv in {folder} is not a table: {error}.") from error
    try:
        if table.isna().any(axis=None):
            raise ValueError("a row of the table is cut off")
        if described["format"] == FORMAT_1:
            described, table = _upgraded(described, table)
        return _assembled(described, table)
    except Exception as error:  # any: the files can hold any value
        raise SettingsError(
            f"predictions.csv and evaluation.json in {folder} do not belong together ({error}). "
            "Evaluate the run again."
        ) from error


def _read_description(folder: Path) -> dict[str, Any]:
    path = folder / "evaluation.json"
    try:
        described = read_json(path)
    except OSError as error:
        raise SettingsError(
            f"{folder} holds no evaluation: {path.name} cannot be read ({error.strerror})."
        ) from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is not JSON: {error}.") from error
    recorded = described.get("format") if isinstance(described, dict) else None
    if recorded not in (FORMAT, FORMAT_1):
        raise SettingsError(f"{path} is of format {recorded!r}; this version reads {FORMAT!r}.")
    return described


def _upgraded(
    described: dict[str, Any], table: pd.DataFrame
) -> tuple[dict[str, Any], pd.DataFrame]:
    """What version 0.1 wrote, with today's names of modalities, facts and columns."""
    today = upgrade(described)
    names: dict[str, str] = {}
    for old, new in zip(described["modalities"], today["modalities"], strict=True):
        old_columns = probability_columns(today["classes"], old)
        names |= dict(zip(old_columns, probability_columns(today["classes"], new), strict=True))
    for name, target in today["targets"].items():
        for output in target["outputs"]:
            names[f"{name}: answered {output}"] = f"{name}: predicted {output}"
    return today, table.rename(columns=names)


def _assembled(described: dict[str, Any], table: pd.DataFrame) -> Evaluation:
    targets = tuple(
        TargetColumns(name, entry["kind"], tuple(entry["outputs"]))
        for name, entry in described["targets"].items()
    )
    numbers = [name for name in table if ": " in name or name.startswith("p ")]
    table[numbers] = table[numbers].replace("", "nan").astype(np.float64)
    table["sex"] = table["sex"].where(table["sex"] != "", None)
    return Evaluation(
        predictions=table.astype({"fold": np.int64, "seed": np.int64}),
        modalities=tuple(described["modalities"]),
        targets=targets,
        **{
            name: described[name]
            for name in (
                *("system", "corpus", "protocol", "classes", "leaks"),
                *("training_s", "prediction_s", "parameters", "facts"),
            )
        },
    )
