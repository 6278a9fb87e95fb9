"""Figures along an axis, with their intervals as bands: noise levels, offsets, shares answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aver.reports.plots.style import MARKERS, MUTED, PALETTE, new_figure
from aver.reports.table import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_INSIDE = 2  # systems; a longer legend would lie on the curves


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
    """Draw one line per system with its interval as a band.

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
        Systems that reach so much, as a share, away from this axis: a dotted line each.
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
                whole = "undamaged" if len(curves) == 1 else None
                axes.axhline(100 * undamaged[label], color=color, lw=1.4, ls=":", label=whole)
        if undamaged and len(curves) > 1:
            axes.plot([], [], color=MUTED, lw=1.4, ls=":", label="undamaged, same colour")
        if chance is not None:
            axes.axhline(100 * chance, color=MUTED, lw=1.2, ls="--", label="chance")
        if places[0] > places[-1]:
            axes.invert_xaxis()
        axes.set_ylim(0, 100)
        axes.set_xlabel(along)
        axes.set_ylabel(f"{quantity} in %")
        if len(curves) > _MOST_INSIDE:
            figure.legend(loc="outside lower center", ncols=3, fontsize=9)
        else:
            axes.legend(loc="best", fontsize=9)
        axes.set_title(title, wrap=True)
    return figure
