"""Plots of one evaluated system and the baselines beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aver.evaluation.calibration import SHARES, reliability, selective_accuracy
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy
from aver.evaluation.summary import Summary
from aver.reports.plots.charts import (
    IntervalRow,
    plot_confusion,
    plot_curves,
    plot_groups,
    plot_intervals,
    plot_reliability,
)
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
        Where learning curves lie.

    Yields
    ------
    name, description, Figure
    """
    first = evaluations[0]
    chance = 1 / len(first.classes)
    yield (
        "intervals",
        "Accuracy of the system and the baselines with intervals",
        plot_intervals(_interval_rows(evaluations), chance=chance, title="Accuracy beside others"),
    )
    yield (
        "confusion",
        "Confusion matrix in percent of the true class",
        plot_confusion(
            summary.confusion, first.classes, title="Answers in % of the true class's clips"
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
    counted = [curve for curve in curves if curve.training_accuracy and curve.validation_accuracy]
    if counted:
        figure = plot_losses(counted, title="Accuracies while learning", quantity="accuracy")
        yield "learning-accuracy", "Training and validation accuracy by epoch", figure
    yield from _confidence_plots(first, chance)


def _confidence_plots(evaluation: Evaluation, chance: float) -> Iterator[tuple[str, str, Figure]]:
    yield (
        "reliability",
        "Accuracy by confidence",
        plot_reliability(reliability(evaluation), title="Does confidence mean what it says?"),
    )
    predicted = [
        Estimate.of(interval(sums, clips=round(sums.sums[:, 1].sum())))
        for sums in selective_accuracy(evaluation)
    ]
    yield (
        "selective",
        "Accuracy where only the surest clips are answered",
        plot_curves(
            [100 * share for share in SHARES],
            {evaluation.system: predicted},
            along="share of clips answered, the surest first, in %",
            quantity="accuracy",
            chance=chance,
            title="Accuracy when it may decline to answer",
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
