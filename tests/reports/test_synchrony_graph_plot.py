"""The picture of one clip's graph shows its nodes and its edges, each once."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import LineCollection, PathCollection

from aver.models.synch_graph.graph import ClipSpikes, synchrony_graph
from aver.reports.plots.clips import plot_synchrony_graph
from aver.reports.plots.style import save_figure
from aver.spiking import Spikes


def drawn(window_ms):
    chance = np.random.default_rng(0)
    trains = {
        name: Spikes(chance.uniform(0, 350, 40), chance.integers(0, 30, 40))
        for name in ("video", "audio")
    }
    return synchrony_graph(ClipSpikes.of(trains, maps=20), window_ms)


def test_every_node_and_edge_is_drawn(tmp_path):
    graph = drawn(20.0)
    figure = plot_synchrony_graph(graph, title="One clip")
    axes = figure.axes[0]
    points = [c for c in axes.collections if isinstance(c, PathCollection)]
    (lines,) = (c for c in axes.collections if isinstance(c, LineCollection))
    assert sum(len(c.get_offsets()) for c in points) == graph.nodes
    assert len(lines.get_segments()) == graph.edges
    np.testing.assert_allclose(np.sort(lines.get_array()), np.sort(np.abs(graph.lag_ms)))
    png, svg = save_figure(figure, tmp_path / "graph")
    assert png.stat().st_size > 10_000
    assert "20 ms" in svg.read_text("utf-8")


def test_a_clip_without_spikes_is_a_image_too():
    plot_synchrony_graph(synchrony_graph(ClipSpikes.of({}, maps=20)), title="Nothing")
