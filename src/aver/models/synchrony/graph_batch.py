"""`GraphBatch`: the graphs of many clips as one, ready for spectral convolution."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import Tensor

from aver.models.synchrony.label_edges import LabelEdges
from aver.models.synchrony.synchrony_graph import SynchronyGraph

EdgeWeight = Literal["one", "coincidences"]


@dataclass(frozen=True, eq=False)
class GraphBatch:
    """Nodes of all clips, one behind the other, and the normalised adjacency between them.

    Parameters
    ----------
    inputs : Tensor [shape=(nodes, inputs)]
    clip : Tensor [shape=(nodes,), dtype=int64]
        Number of each node's clip.
    labels : Tensor [shape=(clips,), dtype=int64]
        Classes to learn from or to compare with; -1 for a clip that only lends its nodes.
    own : Tensor, sparse CSR [shape=(nodes, nodes)]
        Edges within clips and loops, each divided by the root of the degrees at its two ends.
    scale : Tensor [shape=(nodes, 1)]
        One over the root of the degree, label edges counted.
    label_edges : LabelEdges or None
        Edges between clips.
    """

    inputs: Tensor
    clip: Tensor
    labels: Tensor
    own: Tensor
    scale: Tensor
    label_edges: LabelEdges | None

    @property
    def clips(self) -> int:
        """Number of clips."""
        return len(self.labels)

    def to(self, device: Any) -> Self:
        """The same on another device."""
        moved = {
            name: getattr(self, name).to(device)
            for name in ("inputs", "clip", "labels", "own", "scale")
        }
        edges = self.label_edges
        if edges is not None:
            edges = LabelEdges(edges.clip.to(device), edges.label.to(device))
        return replace(self, **moved, label_edges=edges)


def join_graphs(
    graphs: Sequence[SynchronyGraph],
    inputs: Sequence[np.ndarray],
    labels: Sequence[int],
    *,
    edge_weight: EdgeWeight = "one",
    joined: Sequence[int] | None = None,
) -> GraphBatch:
    """Put the graphs of clips side by side.

    Parameters
    ----------
    graphs : sequence of SynchronyGraph
    inputs : sequence of np.ndarray [shape=(nodes, inputs)]
        One for each graph.
    labels : sequence of int
        As `GraphBatch.labels`.
    edge_weight : {"one", "coincidences"}
        What an edge counts.
    joined : sequence of int, optional
        Class of each clip for its label edges, -1 for none; without it there are none at all.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020, equation 8, and Kipf & Welling 2016: the adjacency with
    loops, ``A + I``, times the inverse roots of the degrees on both sides.
    """
    clip = torch.from_numpy(np.repeat(np.arange(len(graphs)), [graph.nodes for graph in graphs]))
    starts, neighbours, weights = _rows_of(graphs, edge_weight)
    rows = np.repeat(np.arange(len(clip)), np.diff(starts))
    degrees = np.bincount(rows, weights=weights, minlength=len(clip))
    edges = None
    if joined is not None:
        edges = LabelEdges(clip, torch.as_tensor(np.asarray(joined, dtype=np.int64)))
        degrees = degrees + edges.degrees.numpy()
    scale = 1.0 / np.sqrt(np.maximum(degrees, 1.0))
    weights *= scale[rows].astype(np.float32)
    weights *= scale[neighbours].astype(np.float32)
    return GraphBatch(
        inputs=torch.from_numpy(np.concatenate(list(inputs))),
        clip=clip,
        labels=torch.as_tensor(np.asarray(labels, dtype=np.int64)),
        own=_sparse(starts, neighbours, weights),
        scale=torch.from_numpy(scale.astype(np.float32))[:, None],
        label_edges=edges,
    )


def _sparse(starts: np.ndarray, neighbours: np.ndarray, weights: np.ndarray) -> Tensor:
    with warnings.catch_warnings():  # torch calls all sparse matrices a beta
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support")
        return torch.sparse_csr_tensor(
            torch.from_numpy(starts),
            torch.from_numpy(neighbours),
            torch.from_numpy(weights),
            size=(len(starts) - 1, len(starts) - 1),
            check_invariants=False,
        )


def _rows_of(
    graphs: Sequence[SynchronyGraph], edge_weight: EdgeWeight
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compressed rows of all graphs with loops: starts, neighbours and weights."""
    from scipy.sparse import csr_array

    lengths, neighbours, weights, nodes = [], [], [], 0
    for graph in graphs:
        values = np.ones(graph.edges)
        if edge_weight == "coincidences":
            values = np.maximum(graph.coincidences, 1).astype(np.float64)
        loops = np.arange(graph.nodes)
        ends = np.concatenate([graph.first, graph.second, loops])
        others = np.concatenate([graph.second, graph.first, loops])
        values = np.concatenate([values, values, np.ones(graph.nodes)])
        matrix = csr_array((values, (ends, others)), shape=(graph.nodes, graph.nodes))
        lengths.append(np.diff(matrix.indptr))
        neighbours.append((matrix.indices + nodes).astype(np.int32))
        weights.append(matrix.data.astype(np.float32))
        nodes += graph.nodes
    starts = np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(0, int), *lengths]))])
    return (
        starts.astype(np.int32),
        np.concatenate([np.zeros(0, np.int32), *neighbours]),
        np.concatenate([np.zeros(0, np.float32), *weights]),
    )
