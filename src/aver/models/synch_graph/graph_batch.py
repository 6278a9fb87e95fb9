"""`GraphBatch`: the graphs of many clips as one, with encoded nodes and edges by labels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from aver.errors import LabelError
from aver.models.synch_graph.graph import SynchronyGraph
from aver.models.synch_graph.settings import MODALITIES, EdgeWeight, Encoding


@dataclass(frozen=True, eq=False)
class NodeEncoder:
    """Encodes modality, position, map, spike count and first spike of each node as inputs.

    Parameters
    ----------
    encoding : {"modality", "numbers", "one-hot", "neuron"}
        ``"modality"``, as printed: two inputs, audio or video. ``"numbers"``: one input each,
        position and map as shares of their range. ``"one-hot"``: an input for every position of
        either modality and for every map. ``"neuron"``: an input for each neuron, its spike count,
        and one for the first spike.
    positions : mapping of str to int
        Window positions of each modality.
    maps : int
        Neurons at each position.
    mean, std : np.ndarray [shape=(2,)]
        Of the logarithm of the spike count, and of the first spike in ms, over the nodes of the
        training clips; both are standardized.
    """

    encoding: Encoding
    positions: Mapping[str, int]
    maps: int
    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def fit(
        cls,
        encoding: Encoding,
        positions: Mapping[str, int],
        maps: int,
        graphs: Sequence[SynchronyGraph],
    ) -> NodeEncoder:
        """Take mean and standard deviation over the nodes of training graphs."""
        values = np.concatenate([np.zeros((0, 2)), *(_timing(graph) for graph in graphs)])
        if not len(values):
            values = np.zeros((1, 2))
        mean, std = values.mean(axis=0), values.std(axis=0)
        return cls(encoding, positions, maps, mean, np.where(std > 1e-9, std, 1.0))

    @property
    def inputs(self) -> int:
        """Number of inputs per node."""
        positions = sum(self.positions.values())
        return {
            "modality": len(MODALITIES),
            "numbers": 5,
            "one-hot": len(MODALITIES) + positions + self.maps + 2,
            "neuron": positions * self.maps + 1,
        }[self.encoding]

    def encode(self, graph: SynchronyGraph) -> np.ndarray:
        """Inputs of all nodes, `[shape=(nodes, inputs), dtype=float32]`."""
        if self.encoding == "modality":
            return _one_hot(graph.modality, len(MODALITIES)).astype(np.float32)
        timing = (_timing(graph) - self.mean) / self.std
        if self.encoding == "numbers":
            counts = np.array([max(1, self.positions.get(name, 1)) for name in MODALITIES])
            numbers = [
                graph.modality,
                graph.position / counts[graph.modality],
                graph.feature_map / self.maps,
            ]
            return np.column_stack([*numbers, timing]).astype(np.float32)
        position = self._first_positions[graph.modality] + graph.position
        if self.encoding == "neuron":
            neurons = _one_hot(position * self.maps + graph.feature_map, self.inputs - 1)
            neurons *= np.log1p(graph.spike_count)[:, None]
            return np.column_stack([neurons, timing[:, 1]]).astype(np.float32)
        return np.column_stack(
            [
                _one_hot(graph.modality, len(MODALITIES)),
                _one_hot(position, sum(self.positions.values())),
                _one_hot(graph.feature_map, self.maps),
                timing,
            ]
        ).astype(np.float32)

    @property
    def _first_positions(self) -> np.ndarray:
        """Index of the first position of each modality among all positions."""
        counts = [self.positions.get(name, 0) for name in MODALITIES]
        return np.cumsum([0, *counts[:-1]])


def _timing(graph: SynchronyGraph) -> np.ndarray:
    """Logarithm of the spike count, and first spike in ms: (nodes, 2)."""
    return np.column_stack([np.log1p(graph.spike_count), graph.first_spike_ms])


def _one_hot(index: np.ndarray, width: int) -> np.ndarray:
    rows = np.zeros((len(index), width))
    rows[np.arange(len(index)), index] = 1.0
    return rows


@dataclass(frozen=True, eq=False)
class LabelEdges:
    """The adjacency of nodes that share their clip's class but not their clip.

    With one-hot rows K (nodes, classes) and C (nodes, clips) of the joined nodes, the matrix is
    ``K K' - C C'``: every class a block of ones, less the blocks of its own clips. Its product
    with features is therefore the sum over the class minus the sum over the clip: exact, and
    linear in nodes in time and memory, whereas the number of edges grows with their square
    (3e9 at 130,000 nodes).

    Parameters
    ----------
    clip : Tensor [shape=(nodes,), dtype=int64]
        The clip of each node, counted from 0.
    label : Tensor [shape=(clips,), dtype=int64]
        The class of each clip; -1 for a clip that gets no such edges.

    Raises
    ------
    LabelError
        If a node belongs to no clip.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020, Multisensory Interaction Learning Workflow: "neurons
    between subgraphs are connected if they share the same class label". If the test clips are
    among them, the graph contains the labels that are to be predicted.

    Examples
    --------
    >>> edges = LabelEdges(clip=torch.tensor([0, 0, 1, 2]), label=torch.tensor([5, 5, 3]))
    >>> edges.product(torch.eye(4)).int().tolist()
    [[0, 0, 1, 0], [0, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
    """

    clip: Tensor
    label: Tensor

    def __post_init__(self) -> None:
        if len(self.clip) and not 0 <= int(self.clip.min()) <= int(self.clip.max()) < len(
            self.label
        ):
            raise LabelError(
                f"Nodes belong to clips {int(self.clip.min())} to {int(self.clip.max())}, but "
                f"there are labels for {len(self.label)} clips. Give every clip a label, or -1."
            )

    @property
    def degrees(self) -> Tensor:
        """Number of such edges at each node, `[shape=(nodes,), dtype=float64]`."""
        return self.product(torch.ones(len(self.clip), 1, dtype=torch.float64))[:, 0]

    def product(self, values: Tensor) -> Tensor:
        """Sum over the neighbors of each node.

        Parameters
        ----------
        values : Tensor [shape=(nodes, columns)]

        Returns
        -------
        Tensor [shape=(nodes, columns)]
        """
        of_clip = values.new_zeros(len(self.label), values.shape[1])
        of_clip = of_clip.index_add(0, self.clip, values)  # (clips, columns)
        joined = self.label >= 0
        classes = 1 + max(0, int(self.label.max()))
        of_class = values.new_zeros(classes, values.shape[1])
        of_class = of_class.index_add(0, self.label[joined], of_clip[joined])
        of_others = of_class[self.label.clamp_min(0)] - of_clip
        return (of_others * joined[:, None].to(values.dtype))[self.clip]


@dataclass(frozen=True, eq=False)
class GraphBatch:
    """Nodes of all clips, concatenated, and the normalized adjacency between them.

    Parameters
    ----------
    inputs : Tensor [shape=(nodes, inputs)]
    clip : Tensor [shape=(nodes,), dtype=int64]
        Number of each node's clip.
    labels : Tensor [shape=(clips,), dtype=int64]
        Classes of the clips; -1 for a clip whose nodes are neighbors only.
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
    """Join the graphs of clips into one.

    Parameters
    ----------
    graphs : sequence of SynchronyGraph
    inputs : sequence of np.ndarray [shape=(nodes, inputs)]
        One for each graph.
    labels : sequence of int
        As `GraphBatch.labels`.
    edge_weight : {"one", "coincidences"}
        Weight of an edge within a clip.
    joined : sequence of int, optional
        Class of each clip for its label edges, -1 for none; None: no label edges at all.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020, equation 8, and Kipf & Welling 2016: the adjacency with
    loops, ``A + I``, times the inverse roots of the degrees on both sides.
    """
    clip = torch.from_numpy(np.repeat(np.arange(len(graphs)), [graph.nodes for graph in graphs]))
    starts, neighbors, weights = _rows_of(graphs, edge_weight)
    rows = np.repeat(np.arange(len(clip)), np.diff(starts))
    degrees = np.bincount(rows, weights=weights, minlength=len(clip))
    edges = None
    if joined is not None:
        edges = LabelEdges(clip, torch.as_tensor(np.asarray(joined, dtype=np.int64)))
        degrees = degrees + edges.degrees.numpy()
    scale = 1.0 / np.sqrt(np.maximum(degrees, 1.0))
    weights *= scale[rows].astype(np.float32)
    weights *= scale[neighbors].astype(np.float32)
    return GraphBatch(
        inputs=torch.from_numpy(np.concatenate(list(inputs))),
        clip=clip,
        labels=torch.as_tensor(np.asarray(labels, dtype=np.int64)),
        own=_sparse(starts, neighbors, weights),
        scale=torch.from_numpy(scale.astype(np.float32))[:, None],
        label_edges=edges,
    )


def _sparse(starts: np.ndarray, neighbors: np.ndarray, weights: np.ndarray) -> Tensor:
    with warnings.catch_warnings():  # torch calls all sparse matrices beta
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support")
        return torch.sparse_csr_tensor(
            torch.from_numpy(starts),
            torch.from_numpy(neighbors),
            torch.from_numpy(weights),
            size=(len(starts) - 1, len(starts) - 1),
            check_invariants=False,
        )


def _rows_of(
    graphs: Sequence[SynchronyGraph], edge_weight: EdgeWeight
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compressed rows of all graphs with loops: starts, neighbors and weights."""
    from scipy.sparse import csr_array

    lengths, neighbors, weights, nodes = [], [], [], 0
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
        neighbors.append((matrix.indices + nodes).astype(np.int32))
        weights.append(matrix.data.astype(np.float32))
        nodes += graph.nodes
    starts = np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(0, int), *lengths]))])
    return (
        starts.astype(np.int32),
        np.concatenate([np.zeros(0, np.int32), *neighbors]),
        np.concatenate([np.zeros(0, np.float32), *weights]),
    )
