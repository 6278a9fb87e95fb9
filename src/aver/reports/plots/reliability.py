"""Confidence against accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aver.evaluation.calibration import Reliability
from aver.reports.plots.style import MUTED, PALETTE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_reliability(found: Reliability, *, title: str) -> Figure:
    """Draw accuracy by confidence, and below how many clips each bin holds.

    Parameters
    ----------
    found : Reliability
    title : str
    """
    width = 100 * (found.edges[1] - found.edges[0])
    centres = 100 * (found.edges[:-1] + found.edges[1:]) / 2
    with new_figure(7.2, 4.2) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0, 100], [0, 100], color=MUTED, lw=1.2, ls="--", label="as it says")
        upper.bar(centres, 100 * found.accuracy, 0.9 * width, color=PALETTE[5], alpha=0.75)
        upper.plot(
            100 * found.confidence, 100 * found.accuracy, "o-", color=PALETTE[0], label="reached"
        )
        upper.set_ylim(0, 100)
        upper.set_ylabel("accuracy in %")
        upper.legend(loc="upper left", fontsize=9)
        upper.set_title(title)
        lower.bar(centres, found.clips, 0.9 * width, color=PALETTE[7])
        lower.set_ylabel("clips")
        lower.set_xlim(0, 100)
        lower.set_xlabel("confidence in %")
    return figure
