"""`summarize`: the figures of an evaluation with their intervals, as an object and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from aver.evaluation.calibration import calibration_error, concordance, mean_absolute_error
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import Interval, Method, SpeakerSums, interval
from aver.evaluation.metrics import (
    METRICS,
    accuracy,
    class_precision,
    class_recall,
    confusion_matrix,
)

PROPORTIONS = ("accuracy", "unweighted_recall", "macro_f1")
"""Metrics shown in percent."""


@dataclass(frozen=True, eq=False)
class Summary:
    """Figures of one evaluation.

    Parameters
    ----------
    metrics : mapping of str to Interval
        Accuracy, unweighted recall, macro F1, log loss, Brier score, calibration error.
    recall : mapping of str to Interval
        By class.
    precision : mapping of str to float
        By class; NaN for a class that is never predicted.
    clips_of_class : mapping of str to int
    speaker_accuracy : mapping of str to float
    clips_of_speaker : mapping of str to int
    sex_accuracy : mapping of str to Interval
        By sex, if the corpus states it.
    fold_accuracy, seed_accuracy : mapping of str to float
    confusion : np.ndarray [shape=(classes, classes)]
        Clips by true and predicted class.
    targets : mapping of str to mapping of str to Interval
        Figures of targets besides emotion, by target, then by metric (and output).
    """

    metrics: Mapping[str, Interval]
    recall: Mapping[str, Interval]
    precision: Mapping[str, float]
    clips_of_class: Mapping[str, int]
    speaker_accuracy: Mapping[str, float]
    clips_of_speaker: Mapping[str, int]
    sex_accuracy: Mapping[str, Interval]
    fold_accuracy: Mapping[str, float]
    seed_accuracy: Mapping[str, float]
    confusion: np.ndarray
    targets: Mapping[str, Mapping[str, Interval]]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values; undefined figures become null."""
        values = asdict(self)
        values["confusion"] = self.confusion.tolist()
        return _without_nan(values)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def summarize(evaluation: Evaluation, *, method: Method = "auto") -> Summary:
    """All figures of one evaluation.

    Parameters
    ----------
    evaluation : Evaluation
        All folds and seeds pooled.
    method : {"auto", "t", "bootstrap"}
        Of the intervals; see `aver.evaluation.intervals`.

    Returns
    -------
    Summary
    """
    weights = evaluation.clip_weights
    metrics = {**METRICS, "calibration_error": calibration_error}
    matrix = confusion_matrix(evaluation)

    def with_interval(sums: SpeakerSums, clips: int | None = None) -> Interval:
        return interval(sums, method=method, clips=clips)

    return Summary(
        metrics={
            name: interval_of_metric(name, metric(evaluation), evaluation.clip_count, method)
            for name, metric in metrics.items()
        },
        recall={
            label: with_interval(class_recall(evaluation, label), round(matrix[row].sum()))
            for row, label in enumerate(evaluation.classes)
        },
        precision={label: class_precision(evaluation, label).value for label in evaluation.classes},
        clips_of_class={
            label: round(matrix[row].sum()) for row, label in enumerate(evaluation.classes)
        },
        speaker_accuracy=dict(
            zip(
                evaluation.speaker_ids,
                accuracy(evaluation).by_speaker.tolist(),
                strict=True,
            )
        ),
        clips_of_speaker={
            speaker: round(weights[evaluation.speaker_index == index].sum())
            for index, speaker in enumerate(evaluation.speaker_ids)
        },
        sex_accuracy={
            str(sex): with_interval(accuracy(part), part.clip_count)
            for sex, rows in evaluation.predictions.groupby("sex").indices.items()
            for part in (evaluation.rows(rows),)
        },
        fold_accuracy=_accuracy_by(evaluation, "fold"),
        seed_accuracy=_accuracy_by(evaluation, "seed"),
        confusion=matrix,
        targets={
            target.name: _target_figures(evaluation, target.name, method)
            for target in evaluation.targets
        },
    )


def interval_of_metric(
    name: str, sums: SpeakerSums, clips: int, method: Method = "auto"
) -> Interval:
    """The interval of one metric; a binomial one over clips if it is the same for all speakers.

    Macro F1 is not a share of clips: if it is the same for all speakers and between 0 and 1 (for
    instance if one class is always predicted), it has no interval.

    Parameters
    ----------
    name : str
        Of the metric, as in `Summary.metrics`.
    sums : SpeakerSums
    clips : int
        Number of clips tested.
    method : {"auto", "t", "bootstrap"}

    Returns
    -------
    Interval
    """
    share = name in PROPORTIONS and (name != "macro_f1" or sums.value in (0.0, 1.0))
    found = interval(sums, method=method, clips=clips if share else None)
    if name == "macro_f1" and not share and found.is_a_point:
        return replace(found, low=None, high=None, method="none")
    return found


def _accuracy_by(evaluation: Evaluation, column: str) -> dict[str, float]:
    groups = evaluation.predictions.groupby(column).indices
    return {str(group): accuracy(evaluation.rows(rows)).value for group, rows in groups.items()}


def _target_figures(evaluation: Evaluation, name: str, method: Method) -> dict[str, Interval]:
    target = evaluation.target_predictions[name]
    if not target.known.any():
        return {}
    if target.kind == "classification":
        part = evaluation.of_target(name)
        return {
            metric: interval_of_metric(metric, METRICS[metric](part), part.clip_count, method)
            for metric in PROPORTIONS
        }
    known = evaluation.rows(target.known)
    figures = {}
    for output in target.outputs:
        figures[f"concordance of {output}"] = interval(
            concordance(known, name, output), method=method
        )
        figures[f"mean absolute error of {output}"] = interval(
            mean_absolute_error(known, name, output), method=method
        )
    return figures
