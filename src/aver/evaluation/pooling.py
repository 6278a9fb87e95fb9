"""Answers of all folds and seeds, pooled into one `Evaluation`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aver.corpora.clip import Clip
from aver.emotions import in_canonical_order
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.fold_run import FoldRun, read_fold, remarks_of
from aver.evaluation.target_answers import TargetAnswers
from aver.models.parts.targets import Target
from aver.models.prediction import Prediction

if TYPE_CHECKING:
    from aver.evaluation.experiment import Experiment


def pool_folds(
    experiment: Experiment,
    tasks: Sequence[FoldRun],
    folders: Sequence[Path],
    about: Mapping[str, Any],
) -> Evaluation:
    """Put the test answers of every fold and seed under each other.

    Parameters
    ----------
    experiment : Experiment
    tasks : sequence of FoldRun
    folders : sequence of Path
        Of the finished tasks, in the same order.
    about : mapping of str to JSON value
        What the report says about corpus and protocol.

    Returns
    -------
    Evaluation
        Classes are those of the corpus; a class that a fold's training lacked has probability 0
        there, and so has an output of another target.
    """
    classes = experiment.corpus.classes
    facts = [json.loads((folder / "fold.json").read_text(encoding="utf-8")) for folder in folders]
    predictions = [read_fold(folder) for folder in folders]
    clips = [clip for task in tasks for clip in task.test]
    return Evaluation(
        system=experiment.title,
        corpus=experiment.corpus.label,
        protocol=experiment.protocol,
        classes=classes,
        clip_ids=tuple(clip.clip_id for clip in clips),
        speakers=tuple(clip.speaker or clip.clip_id for clip in clips),
        sexes=tuple(clip.sex for clip in clips),
        folds=np.concatenate([np.full(len(task.test), task.fold) for task in tasks]),
        seeds=np.concatenate([np.full(len(task.test), task.seed) for task in tasks]),
        truth=tuple(str(clip.emotion) for clip in clips),
        probabilities=np.concatenate([_columns(p.probabilities, p, classes) for p in predictions]),
        by_modality=_by_modality(predictions, classes),
        flags=tuple(flags for p in predictions for flags in p.flags or ((),) * len(p.clip_ids)),
        targets=_targets(predictions, clips),
        leaks=experiment.leaks,
        training_s=sum(fact["fit_s"] for fact in facts),
        prediction_s=sum(fact["predict_s"] for fact in facts),
        parameters=facts[0]["card"].get("parameters"),
        facts={**about, **_facts(experiment), "remarks": remarks_of(tasks)},
    )


def _columns(values: np.ndarray, prediction: Prediction, classes: tuple[str, ...]) -> np.ndarray:
    """Columns in the order of `classes`."""
    ordered = np.zeros((len(values), len(classes)))
    for column, name in enumerate(prediction.classes):
        ordered[:, classes.index(name)] = values[:, column]
    ordered[np.isnan(values).any(axis=1)] = np.nan
    return ordered


def _by_modality(
    predictions: Sequence[Prediction], classes: tuple[str, ...]
) -> dict[str, np.ndarray]:
    names = list(dict.fromkeys(name for p in predictions for name in p.by_modality))
    return {
        name: np.concatenate(
            [
                _columns(p.by_modality[name], p, classes)
                if name in p.by_modality
                else np.full((len(p.clip_ids), len(classes)), np.nan)
                for p in predictions
            ]
        )
        for name in names
    }


def _targets(predictions: Sequence[Prediction], clips: Sequence[Clip]) -> dict[str, TargetAnswers]:
    answers: dict[str, TargetAnswers] = {}
    for name in dict.fromkeys(name for p in predictions for name in p.other_outputs):
        target = _pooled_target(name, predictions)
        rows = np.concatenate([_target_columns(p, target) for p in predictions])
        truth = _truth(target, clips)
        truth[np.isnan(rows).any(axis=1)] = np.nan  # not asked, so not to be counted
        answers[name] = TargetAnswers(
            kind="regression" if target.regression else "classification",
            outputs=target.outputs,
            truth=truth,
            answers=rows,
        )
    return answers


def _pooled_target(name: str, predictions: Sequence[Prediction]) -> Target:
    """The target with the outputs of all folds, of which each fold's training may lack some."""
    outputs = {output for p in predictions for output in p.other_outputs.get(name, ())}
    regression = Target(name, ()).regression
    return Target(name, in_canonical_order(outputs) if regression else tuple(sorted(outputs)))


def _target_columns(prediction: Prediction, target: Target) -> np.ndarray:
    """Answers in the target's columns: 0 for outputs that training lacked, NaN if not asked."""
    shape = (len(prediction.clip_ids), len(target.outputs))
    if target.name not in prediction.other_outputs:
        return np.full(shape, np.nan)
    ordered = np.zeros(shape)
    for column, output in enumerate(prediction.other_outputs[target.name]):
        ordered[:, target.outputs.index(output)] = prediction.other_targets[target.name][:, column]
    return ordered


def _truth(target: Target, clips: Sequence[Clip]) -> np.ndarray:
    """Labels as an evaluation keeps them: columns per output, NaN where unknown."""
    labels = target.labels(clips).numpy()
    if target.regression:
        return labels
    columns = np.eye(len(target.outputs))[labels]
    columns[labels < 0] = np.nan
    return columns


def _facts(experiment: Experiment) -> Mapping[str, Any]:
    return {
        "preset": experiment.preset,
        "overrides": dict(experiment.overrides),
        "command": experiment.command,
    }
