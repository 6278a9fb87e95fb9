"""Density of the synchrony graphs of real clips, by window, and a plot of one clip's graph.

    python benchmarks/synch_graph_density.py --corpus javanese-av/ [--preset NAME] [--set KEY=VALUE]

The spiking network of a preset learns from all clips of a corpus without labels. For several
windows: number of nodes, edge density and share of complete graphs. The graph of the first clip is
drawn.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from aver.cli.arguments import parse_assignments
from aver.corpora.corpus import open_corpus
from aver.execution.files import write_json
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.models.synch_graph.graph import SynchronyGraph, synchrony_graph

WINDOWS_MS = (5.0, 20.0, 50.0, 150.0)


def draw(graph: SynchronyGraph, path: Path) -> None:
    """Plot the graph of one clip."""
    from aver.reports.plots.clips import plot_synchrony_graph

    path.parent.mkdir(parents=True, exist_ok=True)
    plot_synchrony_graph(graph, title="One clip").savefig(path, dpi=110, facecolor="white")


def densities(
    corpus: Path, preset: str, overrides: dict[str, Any], image: Path, image_ms: float = 5.0
) -> dict[str, Any]:
    """Nodes and edge densities of real clips, by window; draws the graph of the first clip."""
    clips = list(open_corpus(corpus, "manifest", config="javanese-av").clips)
    kind, settings = load_preset(preset, {**overrides, "read_out": "counts", "counts.kind": "vote"})
    recognizer = kind(settings, FeatureStore())
    recognizer.fit(clips, clips[:2])
    spikes = recognizer.observe(clips).spikes
    rows = []
    for window_ms in WINDOWS_MS:
        graphs = [synchrony_graph(one, window_ms) for one in spikes]
        rows.append(
            {
                "window_ms": window_ms,
                "density": float(np.nanmean([graph.density for graph in graphs])),
                "complete": float(np.mean([graph.is_complete for graph in graphs])),
            }
        )
        print(f"{window_ms:5g} ms: density {rows[-1]['density']:.3f}, {rows[-1]['complete']:.3f}")
    draw(synchrony_graph(spikes[0], image_ms), image)
    nodes = [graph.nodes for graph in graphs]
    facts = {"nodes_median": float(np.median(nodes)), "nodes_range": [min(nodes), max(nodes)]}
    mean_spikes = float(np.mean([len(one) for one in spikes]))
    return {"preset": preset, "clips": len(clips), "spikes": mean_spikes, **facts, "windows": rows}


def main() -> None:
    """Count, print, write the JSON file and the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True, help="javanese-av")
    parser.add_argument("--preset", default="synch-graph-paper")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    found = densities(
        arguments.corpus,
        arguments.preset,
        parse_assignments(arguments.set, "--set"),
        arguments.out / f"synch_graph_of_one_clip_{arguments.preset}.png",
    )
    write_json(arguments.out / f"synch_graph_density_{arguments.preset}.json", found)


if __name__ == "__main__":
    main()
