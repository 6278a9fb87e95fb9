"""The graph of one clip: who fired when, and who fired together with whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aver.models.synchrony.clip_spikes import MODALITIES
from aver.reports.plots.style import INK, MARKERS, PALETTE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from aver.models.synchrony.synchrony_graph import SynchronyGraph


def plot_synchrony_graph(graph: SynchronyGraph, *, title: str) -> Figure:
    """Draw nodes by first spike and neuron, edges by the lag of their closest spikes.

    Parameters
    ----------
    graph : SynchronyGraph
    title : str
    """
    with new_figure(7.2, 5.4) as figure:
        axes = figure.add_subplot()
        # Rows in the order of the nodes, with a gap between the modalities.
        rows = np.arange(graph.nodes) + 4.0 * graph.modality
        _draw_edges(figure, axes, graph, rows)
        for number, modality in enumerate(MODALITIES):
            its = graph.modality == number
            axes.scatter(
                graph.first_spike_ms[its],
                rows[its],
                s=12 + 8 * graph.spike_count[its],
                marker=MARKERS[number],
                color=PALETTE[number],
                edgecolors="white",
                linewidths=0.5,
                zorder=3,
                label=f"{modality}: {int(its.sum())} neurons",
            )
        axes.set_xlabel("first spike (ms)")
        axes.set_ylabel("neuron, by window position and map")
        axes.set_yticks([])
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.1), ncols=2, fontsize=9)
        share = f", {100 * graph.density:.0f} % of all" if graph.nodes > 1 else ""
        axes.set_title(
            f"{title}\n{graph.nodes} nodes, {graph.edges} edges{share}, window "
            f"{graph.window_ms:g} ms"
        )
    return figure


def _draw_edges(figure: Figure, axes: Axes, graph: SynchronyGraph, rows: np.ndarray) -> None:
    from matplotlib.collections import LineCollection

    lags_ms = np.abs(graph.lag_ms)
    order = np.argsort(-np.nan_to_num(lags_ms, nan=np.inf))  # the closest on top
    ends = np.stack([graph.first[order], graph.second[order]], axis=1)  # (edges, 2)
    lines = LineCollection(
        np.stack([graph.first_spike_ms[ends], rows[ends]], axis=2),  # type: ignore[arg-type]
        array=lags_ms[order],
        cmap="viridis",
        linewidths=0.5,
        alpha=float(np.clip(300 / max(graph.edges, 1), 0.05, 0.7)),
        zorder=1,
    )
    lines.set_clim(0, graph.window_ms)
    axes.add_collection(lines)
    bar = figure.colorbar(lines, ax=axes, shrink=0.7)
    bar.solids.set_alpha(1)  # type: ignore[union-attr]
    bar.set_label("lag of the closest spikes (ms)", color=INK)
