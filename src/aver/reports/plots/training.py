"""Losses or accuracies over epochs: every fold thin, the median bold."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aver.reports.plots.style import MUTED, PALETTE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class LearningCurve:
    """Losses of one training, epoch by epoch.

    Parameters
    ----------
    name : str
        Folder of the training below ``folds/``: ``"seed-0/fold-03"``.
    training_loss, validation_loss : tuple of float
    best_epoch : int or None
        Epoch (from 1) with the lowest validation loss; None without validation.
    training_accuracy, validation_accuracy : tuple of float
        As shares; empty if the training does not measure them.
    """

    name: str
    training_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    best_epoch: int | None
    training_accuracy: tuple[float, ...] = ()
    validation_accuracy: tuple[float, ...] = ()


def read_learning_curves(run_folder: Path) -> tuple[LearningCurve, ...]:
    """Read every ``training.jsonl`` below ``folds/``, in order.

    Returns
    -------
    tuple of LearningCurve
        Empty for systems that are not trained in epochs.
    """
    root = run_folder / "folds"
    curves = []
    for log in sorted(root.rglob("training.jsonl")):
        epochs = [json.loads(line) for line in log.read_text("utf-8").splitlines() if line.strip()]
        training = _losses(epochs, "training_loss")
        validation = _losses(epochs, "validation_loss")
        if training:
            best = validation.index(min(validation)) + 1 if validation else None
            name = log.parent.relative_to(root).as_posix()
            right = (_losses(epochs, f"{part}_accuracy") for part in ("training", "validation"))
            curves.append(LearningCurve(name, training, validation, best, *right))
    return tuple(curves)


def _losses(epochs: list[dict[str, float | None]], name: str) -> tuple[float, ...]:
    values = [epoch.get(name) for epoch in epochs]
    return tuple(value for value in values if value is not None and math.isfinite(value))


def plot_losses(curves: Sequence[LearningCurve], *, title: str, quantity: str = "loss") -> Figure:
    """Draw the losses, or accuracies, of one or more trainings.

    Parameters
    ----------
    curves : sequence of LearningCurve
        At least one.
    title : str
    quantity : {"loss", "accuracy"}
    """
    with new_figure(7.2, 3.4) as figure:
        axes = figure.add_subplot()
        styles = (("training", PALETTE[0], "-"), ("validation", PALETTE[1], "--"))
        for name, color, line in styles:
            losses = [getattr(curve, f"{name}_{quantity}") for curve in curves]
            for loss in losses:
                dot = _marker(loss)
                axes.plot(range(1, len(loss) + 1), loss, dot, color=color, lw=0.7, alpha=0.3)
            middle = _median(losses)
            style = line + _marker(middle)
            axes.plot(range(1, len(middle) + 1), middle, style, color=color, lw=2.2, label=name)
        best = [curve.best_epoch for curve in curves if curve.best_epoch]
        if best:
            axes.plot(
                best,
                [0.02] * len(best),
                "|",
                color=MUTED,
                ms=9,
                mew=1.5,
                transform=axes.get_xaxis_transform(),
                label="epoch kept",
            )
        axes.set_ylim(bottom=0)
        axes.set_xlabel("epoch")
        axes.set_ylabel(quantity)
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1.0), ncols=3, fontsize=9, borderpad=0.1)
        axes.set_title(title, wrap=True)
    return figure


def _marker(values: Sequence[float]) -> str:
    """A point for a training of one epoch, which as a line would not be seen."""
    return "o" if len(values) == 1 else ""


def _median(losses: Sequence[Sequence[float]]) -> list[float]:
    """Median over the trainings that reached each epoch, while at least half of them did."""
    columns = [[value for value in column if value is not None] for column in zip_longest(*losses)]
    return [float(np.median(c)) for c in columns if len(c) * 2 >= len(losses)]
