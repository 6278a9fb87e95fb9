"""Plots of clips: deep features, augmented frames, and the synchrony graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aver.errors import SettingsError
from aver.models.synch_graph.settings import MODALITIES
from aver.reports.plots.style import INK, MARKERS, PALETTE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from aver.models.synch_graph.graph import SynchronyGraph


def lay_out(features: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Arrange clips in two dimensions so that neighbors stay neighbors.

    Source: van der Maaten and Hinton, JMLR 9, 2008 (t-SNE); MRPN, Figure 5.

    Parameters
    ----------
    features : np.ndarray [shape=(clips, n)]
    seed : int

    Returns
    -------
    np.ndarray [shape=(clips, 2)]

    Raises
    ------
    SettingsError
        If there are fewer than five clips.
    """
    from sklearn.manifold import TSNE

    if len(features) < 5:
        raise SettingsError(f"t-SNE needs at least 5 clips, not {len(features)}.")
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    perplexity = min(30.0, (len(features) - 1) / 4)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(scaled)


def plot_embeddings(
    places: Mapping[str, tuple[np.ndarray, Sequence[str]]], classes: Sequence[str], *, title: str
) -> Figure:
    """Draw one panel per modality.

    Parameters
    ----------
    places : mapping of str to (np.ndarray [shape=(clips, 2)], sequence of str)
        Per panel the positions and the true classes of the clips.
    classes : sequence of str
        Order of the legend.
    title : str
    """
    with new_figure(3.1 * len(places) + 0.4, 4.1) as figure:
        panels = np.atleast_1d(figure.subplots(1, len(places)))
        for axes, (name, (points, labels)) in zip(panels, places.items(), strict=True):
            for index, label in enumerate(classes):
                chosen = np.array([found == label for found in labels])
                axes.scatter(
                    *points[chosen].T,
                    s=20,
                    color=PALETTE[index % len(PALETTE)],
                    marker=MARKERS[index % len(MARKERS)],
                    alpha=0.8,
                    linewidths=0,
                    label=label if axes is panels[0] else None,
                )
            axes.set_title(name)
            axes.set_xticks([])
            axes.set_yticks([])
        figure.legend(loc="outside lower left", ncols=min(len(classes), 8), fontsize=9)
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, wrap=True)
    return figure


def plot_strips(strips: Mapping[str, np.ndarray], *, columns: int, title: str) -> Figure:
    """Draw one row of frames per strip; positions without a frame stay empty.

    Parameters
    ----------
    strips : mapping of str to np.ndarray [shape=(frames, height, width, 3)]
        Colors in [0, 1]; frames of NaN are left out.
    columns : int >= 1
        Frames shown per row, evenly spread.
    title : str

    Raises
    ------
    SettingsError
        If a strip has no frame.
    """
    for name, frames in strips.items():
        if len(frames) == 0:
            raise SettingsError(f"The strip {name!r} has no frame to show.")
    with new_figure(0.95 * columns + 0.4, 1.3 * len(strips) + 0.4) as figure:
        grid = np.atleast_2d(figure.subplots(len(strips), columns, squeeze=False))
        for row, (name, frames) in zip(grid, strips.items(), strict=True):
            shown = np.linspace(0, len(frames) - 1, columns).round().astype(int)
            for axes, index in zip(row, shown, strict=True):
                axes.set_axis_off()
                if not np.isnan(frames[index]).any():
                    axes.imshow(np.clip(frames[index], 0, 1))
                # Room above every row, which a long name in the first column must not widen.
                axes.set_title(" ", fontsize=9)
            row[0].text(0, 1.06, name, fontsize=9, transform=row[0].transAxes).set_in_layout(False)
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, wrap=True)
    return figure


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
