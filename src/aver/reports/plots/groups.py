"""Accuracy by speaker or by class, sorted or in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aver.reports.plots.style import MUTED, PALETTE, new_figure
from aver.reports.table import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_groups(
    values: Mapping[str, Estimate],
    *,
    overall: float,
    chance: float | None,
    quantity: str,
    title: str,
) -> Figure:
    """Draw one dot per group from bottom to top, with an interval where it has one.

    Parameters
    ----------
    values : mapping of str to Estimate
        By speaker or class, from top to bottom.
    overall : float
        Mean line, as a share.
    chance : float or None
        As a share.
    quantity : str
        What the axis shows, for instance ``"accuracy"``.
    title : str
    """
    row_in = 0.3 if len(values) <= 30 else 0.16
    with new_figure(7.2, 1.3 + row_in * len(values)) as figure:
        axes = figure.add_subplot()
        axes.axvline(100 * overall, color=PALETTE[1], lw=1.5, label=f"all: {100 * overall:.1f}")
        if chance is not None:
            axes.axvline(100 * chance, color=MUTED, lw=1.2, ls="--", label="chance")
        for place, estimate in enumerate(values.values()):
            if estimate.low is not None and estimate.high is not None:
                span = [100 * estimate.low, 100 * estimate.high]
                axes.plot(span, [place] * 2, color=PALETTE[0], lw=2.2, alpha=0.7)
            axes.plot(100 * estimate.value, place, "o", color=PALETTE[0], ms=5.5)
        size = 9 if len(values) <= 30 else 6.5
        axes.set_yticks(range(len(values)), list(values), fontsize=size)
        axes.set_ylim(len(values) - 0.4, -0.6)
        axes.set_xlim(0, 100)
        axes.set_xlabel(f"{quantity} in %")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1.0), ncols=2, fontsize=9, borderpad=0.1)
        axes.set_title(title, wrap=True)
    return figure
