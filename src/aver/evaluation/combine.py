"""Concatenate predictions of folds and seeds, and fuse unimodal runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from aver.corpora.clip import Clip
from aver.emotions import in_canonical_order
from aver.errors import SettingsError
from aver.evaluation.evaluation import CLIP_COLUMNS, ROW_KEYS, Evaluation, TargetColumns
from aver.models.base.prediction import Prediction, mean_of_known, probability_columns
from aver.models.data.targets import Target

_KEPT_FACTS = ("adapt", "adaptation", "corpora")
"""What holds for a fusion of runs as for each of them."""


class FoldPredictions(NamedTuple):
    """The predictions of one fold with one seed, for `concatenate_folds`."""

    clips: Sequence[Clip]
    """The tested clips, labeled, in the order of the predictions."""
    prediction: Prediction
    fold: int = 0
    seed: int = 0


def concatenate_folds(folds: Sequence[FoldPredictions], classes: tuple[str, ...]) -> dict[str, Any]:
    """Concatenate the predictions of folds and seeds.

    Parameters
    ----------
    folds : sequence of FoldPredictions
    classes : tuple of str
        Of the corpus; a fold's training may lack some.

    Returns
    -------
    dict
        The arguments `predictions`, `modalities` and `targets` of an `Evaluation`. A class that a
        fold's training lacked has probability 0 there; so has an output of another target.
    """
    predictions = [fold.prediction for fold in folds]
    modalities = tuple(dict.fromkeys(name for p in predictions for name in p.by_modality))
    numbers = pd.concat([p.to_frame() for p in predictions], ignore_index=True)
    clips = [clip for fold in folds for clip in fold.clips]
    sizes = [len(fold.clips) for fold in folds]
    table = pd.DataFrame(
        {
            "clip_id": [clip.clip_id for clip in clips],
            "speaker": [clip.speaker or clip.clip_id for clip in clips],
            "sex": [clip.sex for clip in clips],
            "fold": np.repeat([fold.fold for fold in folds], sizes),
            "seed": np.repeat([fold.seed for fold in folds], sizes),
            "truth": [str(clip.emotion) for clip in clips],
            "flags": numbers["flags"],
        }
    )
    blocks = [_filled(numbers, probability_columns(classes))]
    blocks += [_filled(numbers, probability_columns(classes, name)) for name in modalities]
    targets = []
    for name in dict.fromkeys(name for p in predictions for name in p.other_outputs):
        target = _pooled_target(name, predictions)
        targets.append(
            TargetColumns(
                name, "regression" if target.regression else "classification", target.outputs
            )
        )
        predicted = _filled(numbers, targets[-1].predictions)
        truth = pd.DataFrame(_truth(target, clips), columns=targets[-1].truth)
        truth[predicted.isna().any(axis=1)] = np.nan  # not predicted, so not counted
        blocks += [truth, predicted]
    return {
        "predictions": pd.concat([table, *blocks], axis=1),
        "modalities": modalities,
        "targets": tuple(targets),
    }


def _filled(numbers: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Columns with 0 for classes that a fold's training lacked; rows of NaN stay."""
    block = numbers.reindex(columns=columns)
    predicted = block.notna().any(axis=1)
    block[predicted] = block[predicted].fillna(0.0)
    return block


def _pooled_target(name: str, predictions: Sequence[Prediction]) -> Target:
    """The target with the outputs of all folds, of which each fold's training may lack some."""
    outputs = {output for p in predictions for output in p.other_outputs.get(name, ())}
    regression = Target(name, ()).regression
    return Target(name, in_canonical_order(outputs) if regression else tuple(sorted(outputs)))


def _truth(target: Target, clips: Sequence[Clip]) -> np.ndarray:
    """Labels as an evaluation keeps them: columns per output, NaN if unknown."""
    labels = target.labels(clips).numpy()
    if target.regression:
        return labels.astype(np.float64)
    columns = np.eye(len(target.outputs))[labels]
    columns[labels < 0] = np.nan
    return columns


def pool_seeds(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Concatenate the rows of several runs.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        Same system, corpus and split; different seeds.

    Returns
    -------
    Evaluation
        Rows of the first run first. A clip counts once, with its mean over seeds.

    Raises
    ------
    SettingsError
        If the runs differ in classes, protocol, modalities or targets.
    """
    first = evaluations[0]
    for other in evaluations[1:]:
        for name in ("corpus", "protocol", "classes", "leaks"):
            if getattr(other, name) != getattr(first, name):
                raise SettingsError(
                    f"Seeds can be pooled within one protocol only; {name} differs: "
                    f"{getattr(first, name)!r} and {getattr(other, name)!r}."
                )
        if set(other.predictions.columns) != set(first.predictions.columns):
            raise SettingsError("Seeds can be pooled only if modalities and targets are equal.")
    if len(evaluations) == 1:
        return first
    return replace(
        first,
        predictions=pd.concat([run.predictions for run in evaluations], ignore_index=True),
        training_s=sum(run.training_s or 0.0 for run in evaluations),
        prediction_s=sum(run.prediction_s or 0.0 for run in evaluations),
    )


def fuse_late(evaluations: Sequence[Evaluation], system: str) -> Evaluation:
    """Average the probabilities of runs over the rows that all of them tested.

    A baseline without parameters: unimodal networks that were trained independently. A clip that
    one of them could not use (for instance with unreadable audio) is left out.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        Usually one per modality; the same folds and seeds.
    system : str
        Name for tables.

    Returns
    -------
    Evaluation
        Its facts hold the names of the runs (``"fused"``) and how many clips were tested by some
        of them only (``"left_out_clips"``).

    Raises
    ------
    SettingsError
        If the runs have no row in common, other classes, or only some use unlabeled clips of test
        speakers.
    """
    first = evaluations[0]
    for other in evaluations[1:]:
        if other.classes != first.classes:
            raise SettingsError(
                f"{first.system!r} and {other.system!r} have different classes: "
                f"{', '.join(first.classes)}, and {', '.join(other.classes)}."
            )
        if other.facts.get("adapt") != first.facts.get("adapt"):
            raise SettingsError(
                f"Of {first.system!r} and {other.system!r} one uses unlabeled clips of test "
                "speakers and one does not. Fuse runs that both do, or that both do not."
            )
    tables = [run.predictions.set_index(ROW_KEYS) for run in evaluations]
    shared = tables[0].index
    for table in tables[1:]:
        shared = shared[shared.isin(table.index)]
    if shared.empty:
        raise SettingsError(
            f"{' and '.join(repr(run.system) for run in evaluations)} have no clip, fold and seed "
            "in common; run them on one split."
        )
    columns = probability_columns(first.classes)
    fused = tables[0].loc[shared].reset_index()[list(CLIP_COLUMNS)]
    fused[columns] = mean_of_known([table.loc[shared, columns].to_numpy() for table in tables])
    tested = pd.concat([run.predictions["clip_id"] for run in evaluations]).nunique()
    return replace(
        first,
        system=system,
        predictions=fused,
        modalities=(),
        targets=(),
        training_s=sum(run.training_s or 0.0 for run in evaluations),
        prediction_s=sum(run.prediction_s or 0.0 for run in evaluations),
        parameters=sum(run.parameters or 0 for run in evaluations) or None,
        facts={
            **{key: first.facts[key] for key in _KEPT_FACTS if key in first.facts},
            "fused": [run.system for run in evaluations],
            "left_out_clips": tested - fused["clip_id"].nunique(),
        },
    )
