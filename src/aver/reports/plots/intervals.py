"""Figures of several systems, each as a dot with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from aver.reports.plots.style import INK, MUTED, PALETTE, new_figure
from aver.reports.table import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class IntervalRow:
    """One row of the plot.

    Parameters
    ----------
    label : str
    clean, leaking : Estimate or None
        Ours, under a clean protocol and under one that leaks.
    published : float or None
        As a share, in 0 to 1.
    """

    label: str
    clean: Estimate | None = None
    leaking: Estimate | None = None
    published: float | None = None


def plot_intervals(rows: Sequence[IntervalRow], *, chance: float | None, title: str) -> Figure:
    """Draw dots with intervals, published numbers as crosses, chance as a line.

    Parameters
    ----------
    rows : sequence of IntervalRow
        From top to bottom.
    chance : float or None
        As a share.
    title : str
    """
    with new_figure(7.2, 1.5 + 0.42 * len(rows)) as figure:
        axes = figure.add_subplot()
        for place, row in enumerate(rows):
            both = row.clean is not None and row.leaking is not None
            _draw(axes, row.clean, place - 0.17 * both, PALETTE[0], "o")
            _draw(axes, row.leaking, place + 0.17 * both, PALETTE[1], "s")
            if row.published is not None:
                axes.plot(100 * row.published, place, "x", color=INK, ms=7, mew=1.8)
        if chance is not None:
            axes.axvline(100 * chance, color=MUTED, lw=1.2, ls="--")
        _legend(figure, rows, chance)
        axes.set_yticks(range(len(rows)), [fill(row.label, 38) for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
        axes.set_xlim(0, 100)
        axes.set_xlabel("accuracy in %, with 95 % intervals")
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, wrap=True)
    return figure


def _draw(axes: object, estimate: Estimate | None, place: float, color: str, marker: str) -> None:
    if estimate is None:
        return
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    axes.plot([100 * low, 100 * high], [place] * 2, color=color, lw=2.4, alpha=0.75)  # type: ignore[attr-defined]
    axes.plot(100 * estimate.value, place, marker, color=color, ms=6.5)  # type: ignore[attr-defined]


def _legend(figure: Figure, rows: Sequence[IntervalRow], chance: float | None) -> None:
    from matplotlib.lines import Line2D

    handles = []
    if any(row.clean for row in rows):
        handles.append(Line2D([], [], color=PALETTE[0], marker="o", lw=2.4, label="clean"))
    if any(row.leaking for row in rows):
        handles.append(Line2D([], [], color=PALETTE[1], marker="s", lw=2.4, label="LEAKS"))
    if any(row.published is not None for row in rows):
        handles.append(Line2D([], [], color=INK, marker="x", ls="", mew=1.8, label="published"))
    if chance is not None:
        handles.append(Line2D([], [], color=MUTED, ls="--", lw=1.2, label="chance"))
    figure.legend(
        handles=handles, loc="outside lower left", ncols=len(handles), fontsize=9, handlelength=1.8
    )
