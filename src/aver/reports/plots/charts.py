"""Charts of results: confusion matrices, curves, groups, intervals, reliability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from aver.evaluation.calibration import Reliability
from aver.reports.plots.style import INK, MARKERS, MUTED, PALETTE, new_figure
from aver.reports.table import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_confusion(matrix: np.ndarray, classes: Sequence[str], *, title: str) -> Figure:
    """Draw a confusion matrix: rows true, columns predicted, shares of the row in percent.

    Parameters
    ----------
    matrix : np.ndarray [shape=(classes, classes)]
        Clips.
    classes : sequence of str
    title : str
    """
    totals = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.where(totals > 0, totals, 1)
    count = len(classes)
    with new_figure(2.2 + 0.62 * count, 1.6 + 0.55 * count) as figure:
        axes = figure.add_subplot()
        _draw_shares(axes, shares, digits=0, bold=np.eye(count, dtype=bool))
        labels = [
            f"{label} ({round(float(n))})" for label, n in zip(classes, totals[:, 0], strict=True)
        ]
        axes.set_xticks(range(count), list(classes), rotation=40, ha="right")
        axes.set_yticks(range(count), labels)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true (clips)")
        axes.set_title(title, wrap=True)
    return figure


def plot_matrix(
    shares: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    down: str,
    across: str,
    title: str,
) -> Figure:
    """Draw shares by two names, in percent; a cell that is NaN stays empty.

    Parameters
    ----------
    shares : np.ndarray [shape=(rows, columns)]
        In [0, 1].
    rows, columns : sequence of str
    down, across : str
        What rows and columns are.
    title : str
    """
    with new_figure(3.4 + 0.85 * len(columns), 1.8 + 0.55 * len(rows)) as figure:
        axes = figure.add_subplot()
        _draw_shares(axes, shares, digits=1, bold=np.zeros(shares.shape, dtype=bool))
        axes.set_xticks(range(len(columns)), list(columns), rotation=40, ha="right")
        axes.set_yticks(range(len(rows)), [fill(row, 28) for row in rows])
        axes.set_xlabel(across)
        axes.set_ylabel(down)
        axes.set_title(title, wrap=True)
    return figure


def _draw_shares(axes: Axes, shares: np.ndarray, *, digits: int, bold: np.ndarray) -> None:
    """Cells with their share in percent, darker for a higher one; NaN leaves a cell empty."""
    from matplotlib.colors import LinearSegmentedColormap

    # One hue from white to dark blue: darker is more, also in gray and for any color vision.
    blues = LinearSegmentedColormap.from_list("ink", ["#ffffff", "#9ecae1", "#08306b"])
    height, width = shares.shape
    # Cells are drawn as shapes and not as an image, so that the SVG stays sharp and small.
    axes.pcolormesh(
        np.arange(width + 1) - 0.5,
        np.arange(height + 1) - 0.5,
        100 * np.ma.masked_invalid(shares),
        cmap=blues,
        vmin=0,
        vmax=100,
        edgecolors=INK,
        linewidth=0.4,
    )
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    axes.grid(visible=False)
    for row, column in np.argwhere(np.isfinite(shares)):
        share = shares[row, column]
        axes.text(
            column,
            row,
            f"{100 * share:.{digits}f}",
            ha="center",
            va="center",
            color=_readable_on(blues(share)),
            fontweight="bold" if bold[row, column] else "normal",
        )


def _readable_on(paper: tuple[float, ...]) -> str:
    """Black or white, whichever stands out more (relative luminance of WCAG 2.1)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in paper[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.179 else "#ffffff"


_MAX_INSIDE = 2  # systems; a longer legend would lie on the curves


def plot_curves(
    places: Sequence[float],
    curves: Mapping[str, Sequence[Estimate]],
    *,
    along: str,
    quantity: str,
    chance: float | None,
    title: str,
    undamaged: Mapping[str, float] | None = None,
) -> Figure:
    """Draw one line per system, with its intervals as a band.

    Parameters
    ----------
    places : sequence of float
        Along the axis, in the order shown from left to right.
    curves : mapping of str to sequence of Estimate
        One estimate per place; at most eight systems.
    along, quantity : str
        Names of the axes, with units.
    chance : float or None
        As a share.
    title : str
    undamaged : mapping of str to float, optional
        Results without degradation, as shares, that have no position on this axis: dotted lines.
    """
    with new_figure(7.2, 3.6) as figure:
        axes = figure.add_subplot()
        for index, (label, estimates) in enumerate(curves.items()):
            color = PALETTE[index % len(PALETTE)]
            values = [100 * estimate.value for estimate in estimates]
            low = [100 * (e.value if e.low is None else e.low) for e in estimates]
            high = [100 * (e.value if e.high is None else e.high) for e in estimates]
            axes.fill_between(places, low, high, color=color, alpha=0.18, lw=0)
            marker = MARKERS[index % len(MARKERS)]
            axes.plot(places, values, color=color, marker=marker, ms=5, lw=2, label=label)
            if undamaged and label in undamaged:
                whole = "not degraded" if len(curves) == 1 else None
                axes.axhline(100 * undamaged[label], color=color, lw=1.4, ls=":", label=whole)
        if undamaged and len(curves) > 1:
            axes.plot([], [], color=MUTED, lw=1.4, ls=":", label="not degraded, same color")
        if chance is not None:
            axes.axhline(100 * chance, color=MUTED, lw=1.2, ls="--", label="chance")
        if places[0] > places[-1]:
            axes.invert_xaxis()
        axes.set_ylim(0, 100)
        axes.set_xlabel(along)
        axes.set_ylabel(f"{quantity} in %")
        if len(curves) > _MAX_INSIDE:
            figure.legend(loc="outside lower center", ncols=3, fontsize=9)
        else:
            axes.legend(loc="best", fontsize=9)
        axes.set_title(title, wrap=True)
    return figure


def plot_groups(
    values: Mapping[str, Estimate],
    *,
    overall: float,
    chance: float | None,
    quantity: str,
    title: str,
) -> Figure:
    """Draw one dot per group from bottom to top, with its interval if it has one.

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


def plot_reliability(found: Reliability, *, title: str) -> Figure:
    """Draw accuracy by confidence, and below how many clips each bin holds.

    Parameters
    ----------
    found : Reliability
    title : str
    """
    width = 100 * (found.edges[1] - found.edges[0])
    centers = 100 * (found.edges[:-1] + found.edges[1:]) / 2
    with new_figure(7.2, 4.2) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0, 100], [0, 100], color=MUTED, lw=1.2, ls="--", label="perfect calibration")
        upper.bar(centers, 100 * found.accuracy, 0.9 * width, color=PALETTE[5], alpha=0.75)
        upper.plot(
            100 * found.confidence, 100 * found.accuracy, "o-", color=PALETTE[0], label="measured"
        )
        upper.set_ylim(0, 100)
        upper.set_ylabel("accuracy in %")
        upper.legend(loc="upper left", fontsize=9)
        upper.set_title(title)
        lower.bar(centers, found.clips, 0.9 * width, color=PALETTE[7])
        lower.set_ylabel("clips")
        lower.set_xlim(0, 100)
        lower.set_xlabel("confidence in %")
    return figure
