"""Losses or accuracies over epochs: every fold thin, the median bold."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from aver.reports.plots.style import MUTED, PALETTE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from aver.reports.learning_curves import LearningCurve


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
                axes.plot(range(1, len(loss) + 1), loss, color=color, lw=0.7, alpha=0.3)
            middle = _median(losses)
            axes.plot(range(1, len(middle) + 1), middle, line, color=color, lw=2.2, label=name)
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


def _median(losses: Sequence[Sequence[float]]) -> list[float]:
    """Median over the trainings that reached each epoch, while at least half of them did."""
    columns = [[value for value in column if value is not None] for column in zip_longest(*losses)]
    return [float(np.median(c)) for c in columns if len(c) * 2 >= len(losses)]
