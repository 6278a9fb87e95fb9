"""Cost of Synch-Graph's graphs: label edges as sums, against explicit edges in torch-geometric.

Clips of random spikes in the paper's sizes: 160 neurons that all fire, 150 ms, so that every graph
is complete; six classes; ``label_edges=all``. One training epoch is a forward and a backward pass
of three convolutions, an Adam step, and a forward pass for validation; the median of five epochs,
of explicit edges a single one. Each size runs in a process of its own; peak memory is its resident
set, seconds are its processor time. Ours runs a second time with a C library that does not return
the memory of freed arrays. Explicit edges go through `torch_geometric.nn.GCNConv`, with rising
numbers of clips up to the last one within 8 GB.

    python benchmarks/synch_graph.py [--clips 158 315 630 1260] [--explicit 6 12 24 36 48 60]

`synch_graph_density.py` measures the density of the graphs of real clips.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aver.execution.files import write_json
from aver.models.synch_graph.graph import ClipSpikes, SynchronyGraph, synchrony_graph
from aver.models.synch_graph.graph_batch import GraphBatch, NodeEncoder, join_graphs
from aver.spiking import Spikes

CLASSES, MAPS, POSITIONS = 6, 20, {"video": 4, "audio": 4}
LIMIT_GB = 8.0
KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "4000000000", "MALLOC_TRIM_THRESHOLD_": "8000000000"}
REPEATS = (
    5  # epochs, of which the first also pays for fresh memory; edges built: one, for they are slow
)


def drawn_graphs(clips: int) -> list[SynchronyGraph]:
    """Graphs of 160 neurons, each of which fires three times."""
    chance = np.random.default_rng(0)
    neurons = {name: np.repeat(np.arange(places * MAPS), 3) for name, places in POSITIONS.items()}
    return [
        synchrony_graph(
            ClipSpikes.of(
                {n: Spikes(chance.uniform(0, 350, len(who)), who) for n, who in neurons.items()},
                MAPS,
            )
        )
        for _ in range(clips)
    ]


def joined(graphs: list[SynchronyGraph], label_edges: bool) -> GraphBatch:
    """All clips in one graph, classes in turn."""
    encoder = NodeEncoder.fit("one-hot", POSITIONS, MAPS, graphs)
    labels = [k % CLASSES for k in range(len(graphs))]
    inputs = [encoder.encode(graph) for graph in graphs]
    return join_graphs(graphs, inputs, labels, joined=labels if label_edges else None)


def one_epoch(
    network: torch.nn.Module, scores: Any, labels: torch.Tensor, repeats: int = 1
) -> float:
    """Seconds of computing time of a training epoch, a median; `scores` calls the network."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    taken_s = []
    for _ in range(repeats):
        started_s = time.process_time()
        network.train()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(scores(), labels).backward()
        optimizer.step()
        network.eval()
        with torch.no_grad():
            scores()
        taken_s.append(time.process_time() - started_s)
    return float(np.median(taken_s))


def implicit(clips: int) -> dict[str, Any]:
    """Our network, label edges as sums."""
    from aver.models.synch_graph.network import GraphNetwork

    started_s = time.process_time()
    graphs = drawn_graphs(clips)
    batch = joined(graphs, label_edges=True)
    built_s = time.process_time() - started_s
    network = GraphNetwork(batch.inputs.shape[1], CLASSES)
    # Label edges join every two nodes of a class that are not in one clip.
    same = sum(int(np.sum(batch.labels.numpy() == k)) ** 2 for k in range(CLASSES)) - clips
    return {
        "nodes": len(batch.clip),
        "edges_within_clips": sum(graph.edges for graph in graphs),
        "label_edges": same * 160 * 160 // 2,
        "building_s": built_s,
        "epoch_s": one_epoch(network, lambda: network(batch), batch.labels, REPEATS),
    }


class ExplicitNetwork(torch.nn.Module):
    """The same three convolutions as torch-geometric has them."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        from torch_geometric.nn import GCNConv

        widths = [(inputs, 64), (64, 64), (64, CLASSES)]
        self.layers = torch.nn.ModuleList(GCNConv(a, b) for a, b in widths)

    def forward(
        self, values: torch.Tensor, edges: torch.Tensor, clip: torch.Tensor
    ) -> torch.Tensor:
        """Mean score of each clip's nodes."""
        from torch_geometric.nn import global_mean_pool

        for number, layer in enumerate(self.layers):
            values = torch.nn.functional.dropout(values, 0.5, self.training)
            values = layer(values, edges)
            values = values.relu() if number < 2 else values
        return global_mean_pool(values, clip)


def explicit(clips: int) -> dict[str, Any]:
    """torch-geometric over every single edge."""
    started_s = time.process_time()
    graphs = drawn_graphs(clips)
    batch = joined(graphs, label_edges=False)
    label = batch.labels[batch.clip]
    edges = [batch.own.to_sparse_coo().indices()]
    edges[0] = edges[0][:, edges[0][0] != edges[0][1]].long()
    for k in range(CLASSES):
        nodes = torch.nonzero(label == k)[:, 0]
        a, b = nodes.repeat_interleave(len(nodes)), nodes.repeat(len(nodes))
        apart = batch.clip[a] != batch.clip[b]
        edges.append(torch.stack([a[apart], b[apart]]))
    ends = torch.cat(edges, dim=1)
    del edges
    built_s = time.process_time() - started_s
    network = ExplicitNetwork(batch.inputs.shape[1])
    epoch_s = one_epoch(network, lambda: network(batch.inputs, ends, batch.clip), batch.labels)
    figures = {"nodes": len(batch.clip), "directed_edges": ends.shape[1], "building_s": built_s}
    return {**figures, "epoch_s": epoch_s}


def in_own_process(kind: str, clips: int, keep_memory: bool = False) -> dict[str, Any]:
    """Run one size in a fresh process and give its figures with its peak memory.

    With `keep_memory` the C library keeps what arrays give back, in place of asking the system for
    fresh pages for every array above 32 MB, which is what takes longer at the largest size.
    """
    command = [sys.executable, "-W", "ignore", __file__, "--one", kind, str(clips)]
    environment = {**os.environ, **(KEPT_MEMORY if keep_memory else {})}
    found = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    figures: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    print(
        f"{kind:9s} {clips:6d} {figures['nodes']:8d} {figures['epoch_s']:9.2f} s "
        f"{figures['peak_gb']:7.2f} GB"
    )
    return figures


def run_one(kind: str, clips: int) -> None:
    """What the fresh process does."""
    torch.set_num_threads(1)
    before_gb = peak_gb()
    figures = {"implicit": implicit, "explicit": explicit}[kind](clips)
    facts = {"clips": clips, "peak_gb": peak_gb(), "start_gb": before_gb}
    print(json.dumps({**facts, **figures}))


def peak_gb() -> float:
    """Highest resident set of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def growth(rows: list[dict[str, Any]], figure: str) -> float:
    """Exponent of the growth with the number of clips, by least squares of logarithms."""
    clips = np.log([row["clips"] for row in rows])
    return float(np.polyfit(clips, np.log([row[figure] for row in rows]), 1)[0])


def main() -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, nargs="*", default=[158, 315, 630, 1260])
    parser.add_argument("--explicit", type=int, nargs="*", default=[6, 12, 24, 36, 48, 60])
    parser.add_argument("--one", nargs=2, metavar=("KIND", "CLIPS"), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    if arguments.one:
        run_one(arguments.one[0], int(arguments.one[1]))
        return
    print("edges      clips    nodes      epoch    peak")
    ours = [in_own_process("implicit", clips) for clips in arguments.clips]
    kept = [in_own_process("implicit", clips, keep_memory=True) for clips in arguments.clips]
    theirs: list[dict[str, Any]] = []
    for clips in arguments.explicit:
        theirs.append(in_own_process("explicit", clips))
        if theirs[-1]["peak_gb"] > LIMIT_GB:
            break
    fitting = [row for row in theirs if row["peak_gb"] <= LIMIT_GB]
    figures = {
        "limit_gb": LIMIT_GB,
        "threads": 1,
        "implicit": ours,
        "implicit_keeping_memory": kept,
        "explicit": theirs,
        "explicit_largest_within_limit": fitting[-1]["clips"] if fitting else None,
        "implicit_growth": {name: growth(ours, name) for name in ("epoch_s", "building_s")},
        "implicit_keeping_memory_growth": {"epoch_s": growth(kept, "epoch_s")},
        "explicit_growth": {"epoch_s": growth(theirs[-3:], "epoch_s")} if len(theirs) > 2 else {},
    }
    write_json(arguments.out / "synch_graph.json", figures)
    print(json.dumps({name: value for name, value in figures.items() if "growth" in name}))


if __name__ == "__main__":
    main()
