"""Plots of an evaluated system and the runs that it is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aver.errors import SettingsError
from aver.evaluation.calibration import SHARES, reliability, selective_accuracy
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.fold_run import read_fold
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy
from aver.evaluation.summary import Summary
from aver.models.base.prediction import Prediction
from aver.reports.corpus_matrix import recall_matrix
from aver.reports.plots.charts import (
    IntervalRow,
    plot_confusion,
    plot_curves,
    plot_groups,
    plot_intervals,
    plot_matrix,
    plot_reliability,
)
from aver.reports.plots.clips import lay_out, plot_embeddings
from aver.reports.plots.training import plot_losses, read_learning_curves
from aver.reports.run_tables import comparable_numbers
from aver.reports.table import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def run_plots(
    evaluations: Sequence[Evaluation], summary: Summary, run_folder: Path
) -> Iterator[tuple[str, str, Figure]]:
    """Draw all plots of a run.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        The system first.
    summary : Summary
        Of the system.
    run_folder : Path
        Has the learning curves.

    Yields
    ------
    name, description, Figure
    """
    first = evaluations[0]
    chance = 1 / len(first.classes)
    yield (
        "intervals",
        "Accuracy of all systems with intervals",
        plot_intervals(_interval_rows(evaluations), chance=chance, title="Accuracy of all systems"),
    )
    yield (
        "confusion",
        "Confusion matrix in percent of the true class",
        plot_confusion(
            summary.confusion,
            first.classes,
            title="Predictions in % of the clips of the true class",
        ),
    )
    matrix = recall_matrix(first)
    if matrix is not None:
        shares, trainings, tested = matrix
        yield (
            "corpora",
            "Unweighted recall by training and test corpus",
            plot_matrix(
                shares,
                trainings,
                tested,
                down="trained on",
                across="tested on",
                title="Unweighted recall in %",
            ),
        )
    speakers = sorted(summary.speaker_accuracy.items(), key=lambda item: item[1])
    if first.knows_speakers:
        yield (
            "speakers",
            "Accuracy of each speaker",
            plot_groups(
                {speaker: Estimate(share) for speaker, share in speakers},
                overall=summary.metrics["accuracy"].value,
                chance=chance,
                quantity="accuracy",
                title="By speaker",
            ),
        )
    yield (
        "classes",
        "Recall of each class with intervals",
        plot_groups(
            {label: Estimate.of(found) for label, found in summary.recall.items()},
            overall=summary.metrics["unweighted_recall"].value,
            chance=chance,
            quantity="recall",
            title="By class",
        ),
    )
    curves = read_learning_curves(run_folder)
    if curves:
        title = f"Losses of {len(curves)} trainings (median bold)" if curves[1:] else "Losses"
        yield "losses", "Training and validation loss by epoch", plot_losses(curves, title=title)
    with_accuracy = [
        curve for curve in curves if curve.training_accuracy and curve.validation_accuracy
    ]
    if with_accuracy:
        figure = plot_losses(with_accuracy, title="Accuracies during training", quantity="accuracy")
        yield "learning-accuracy", "Training and validation accuracy by epoch", figure
    yield from _confidence_plots(first, chance)


def _confidence_plots(evaluation: Evaluation, chance: float) -> Iterator[tuple[str, str, Figure]]:
    yield (
        "reliability",
        "Accuracy by confidence",
        plot_reliability(reliability(evaluation), title="Accuracy by confidence"),
    )
    predicted = [
        Estimate.of(interval(sums, clips=round(sums.sums[:, 1].sum())))
        for sums in selective_accuracy(evaluation)
    ]
    yield (
        "selective",
        "Accuracy if only the most confident predictions are kept",
        plot_curves(
            [100 * share for share in SHARES],
            {evaluation.system: predicted},
            along="share of clips kept, most confident first, in %",
            quantity="accuracy",
            chance=chance,
            title="Accuracy of the most confident predictions",
        ),
    )


def _interval_rows(evaluations: Sequence[Evaluation]) -> list[IntervalRow]:
    by_system: dict[str, IntervalRow] = {}
    for evaluation in evaluations:
        found = Estimate.of(interval(accuracy(evaluation), clips=evaluation.clip_count))
        row = by_system.get(evaluation.system, IntervalRow(evaluation.system))
        by_system[evaluation.system] = (
            replace(row, leaking=found) if evaluation.leaks else replace(row, clean=found)
        )
    rows = list(by_system.values())
    humans = [n for n in comparable_numbers(evaluations[0]) if n.by == "humans"]
    for number in humans:
        label = f"human raters ({number.modality})"
        rows.append(IntervalRow(label, published=number.value / 100))
    return rows


_MIN_CLIPS, _MAX_PANELS = 5, 4


def plot_deep_features(
    evaluation: Evaluation, run_folder: Path
) -> Iterator[tuple[str, str, Figure]]:
    """Draw the deep features of the first fold, one panel per modality and one of the fused ones.

    The networks of different folds have features of their own, so one fold is shown.

    Yields
    ------
    name, description, Figure
        Nothing for systems without deep features, or with too few clips in the fold.
    """
    seed, fold = evaluation.seeds.min(), evaluation.folds.min()
    folder = run_folder / "folds" / f"seed-{seed}" / f"fold-{fold:02d}"
    if not (folder / "predictions.safetensors").exists():
        return
    prediction = read_fold(folder)
    names = [
        name
        for name, features in prediction.embeddings.items()
        if (~np.isnan(features).any(axis=1)).sum() >= _MIN_CLIPS
    ]
    if names:
        shown = sorted(names, key=lambda name: name == "fused")[-_MAX_PANELS:]
        panels = {name: feature_panel(evaluation, prediction, name) for name in shown}
        title = f"Deep features of the test clips of fold {fold}, seed {seed}"
        figure = plot_embeddings(panels, evaluation.classes, title=title)
        yield "deep-features", "Deep features of the clips in two dimensions", figure


def feature_panel(
    run: Evaluation, prediction: Prediction, name: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Positions in the plane, and true classes, of the clips that have these deep features.

    Raises
    ------
    SettingsError
        If the run has none of this name, or of fewer than five clips.
    """
    features = prediction.embeddings.get(name)
    if features is None:
        raise SettingsError(
            f"{run.system} has no deep features named {name!r}. "
            f"It has: {', '.join(prediction.embeddings) or 'none'}."
        )
    truth = dict(zip(run.clip_ids, run.truth, strict=True))
    known = ~np.isnan(features).any(axis=1)
    labels = [truth[clip_id] for clip_id in prediction.clip_ids]
    kept = tuple(label for label, keep in zip(labels, known, strict=True) if keep)
    return lay_out(features[known]), kept
