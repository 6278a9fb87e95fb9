"""`GraphBatch`: the graphs of many clips as one, ready for spectral convolution."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import torch
from torch import Tensor

from aver.errors import LabelError, SettingsError
from aver.models.synch_graph.spiking_network import MODALITIES, ClipSpikes
from aver.spiking.kernels.compile import compiled

if TYPE_CHECKING:
    import networkx


@compiled(nogil=True)
def sweep(
    time_ms: np.ndarray, node: np.ndarray, nodes: int, window_ms: float
) -> tuple[np.ndarray, np.ndarray]:
    """Count coincidences of all pairs of nodes.

    The window slides over the spikes and knows the nodes that have spikes in it, how many, and
    the latest one. A spike is met by nodes, not by spikes: pairs of spikes are counted without
    being visited, and the work after sorting is at most one step per spike and node.

    Parameters
    ----------
    time_ms : np.ndarray [shape=(spikes,), dtype=float64], rising
    node : np.ndarray [shape=(spikes,), dtype=int64, range=0..nodes-1]
    nodes : int
    window_ms : float >= 0

    Returns
    -------
    np.ndarray [shape=(nodes, nodes), dtype=int64]
        Above the diagonal, pairs of spikes not further apart than the window.
    np.ndarray [shape=(nodes, nodes), dtype=float64]
        Time of the later-numbered node's spike minus that of the other, for their closest pair;
        infinite where there is none within the window.
    """
    counts = np.zeros((nodes, nodes), np.int64)
    lags_ms = np.full((nodes, nodes), np.inf)
    inside = np.zeros(nodes, np.int64)
    latest_ms = np.zeros(nodes)
    active = np.zeros(nodes, np.int64)
    place = np.full(nodes, -1)
    n_active = tail = 0
    for s in range(time_ms.size):
        now_ms, a = time_ms[s], node[s]
        while now_ms - time_ms[tail] > window_ms:
            gone = node[tail]
            tail += 1
            inside[gone] -= 1
            if inside[gone] == 0:
                n_active -= 1
                last = active[n_active]
                active[place[gone]] = last
                place[last] = place[gone]
                place[gone] = -1
        for k in range(n_active):
            b = active[k]
            if b == a:
                continue
            low, high = min(a, b), max(a, b)
            counts[low, high] += inside[b]
            lag_ms = now_ms - latest_ms[b]
            if lag_ms < abs(lags_ms[low, high]):
                lags_ms[low, high] = lag_ms if a == high else -lag_ms
        if inside[a] == 0:
            place[a] = n_active
            active[n_active] = a
            n_active += 1
        inside[a] += 1
        latest_ms[a] = now_ms
    return counts, lags_ms


WINDOW_MS = 150.0
"""Source: Mansouri-Benssassi & Ye 2020, Modelling Neural Synchrony in Graph Network."""

Edges = Literal["synchrony", "all", "none"]


@dataclass(frozen=True, eq=False)
class SynchronyGraph:
    """One clip as an undirected graph without loops.

    Nodes are numbered by modality, window position and feature map, so that video comes first.

    Parameters
    ----------
    modality : np.ndarray [shape=(nodes,), dtype=int, index into `MODALITIES`]
    position, feature_map : np.ndarray [shape=(nodes,), dtype=int]
    spike_count : np.ndarray [shape=(nodes,), dtype=int, range=1..]
    first_spike_ms : np.ndarray [shape=(nodes,)]
    first, second : np.ndarray [shape=(edges,), dtype=int]
        Nodes that an edge joins, ``first < second``.
    coincidences : np.ndarray [shape=(edges,), dtype=int]
        Pairs of spikes within the window; 0 for an edge that no synchrony made.
    lag_ms : np.ndarray [shape=(edges,)]
        How much later `second` fired than `first`, for the closest two of their spikes; NaN where
        no two are within the window. Positive between the modalities: the sound was later.
    window_ms : float

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020, Modelling Neural Synchrony in Graph Network.
    Differs from the paper: it names the modality as the one feature of a node; position, map,
    number of spikes and first spike are read from "the location of a neuron" and "time of spiking".
    """

    modality: np.ndarray
    position: np.ndarray
    feature_map: np.ndarray
    spike_count: np.ndarray
    first_spike_ms: np.ndarray
    first: np.ndarray
    second: np.ndarray
    coincidences: np.ndarray
    lag_ms: np.ndarray
    window_ms: float

    @property
    def nodes(self) -> int:
        """Number of neurons that fired."""
        return int(self.modality.size)

    @property
    def edges(self) -> int:
        """Number of undirected edges."""
        return int(self.first.size)

    @property
    def density(self) -> float:
        """Share of the possible edges that there are; NaN with fewer than two nodes."""
        possible = self.nodes * (self.nodes - 1) // 2
        return self.edges / possible if possible else float("nan")

    @property
    def is_complete(self) -> bool:
        """Whether every two nodes are joined: then the edges say nothing."""
        return self.edges == self.nodes * (self.nodes - 1) // 2

    def to_networkx(self) -> networkx.Graph:
        """The graph for NetworkX, with all features of nodes and edges as attributes."""
        import networkx

        graph = networkx.Graph(window_ms=self.window_ms)
        for k in range(self.nodes):
            graph.add_node(
                k,
                modality=MODALITIES[self.modality[k]],
                position=int(self.position[k]),
                feature_map=int(self.feature_map[k]),
                spike_count=int(self.spike_count[k]),
                first_spike_ms=float(self.first_spike_ms[k]),
            )
        for a, b, count, lag_ms in zip(
            self.first, self.second, self.coincidences, self.lag_ms, strict=True
        ):
            attributes = {} if np.isnan(lag_ms) else {"lag_ms": float(lag_ms)}
            graph.add_edge(int(a), int(b), coincidences=int(count), **attributes)
        return graph

    def write_graphml(self, path: Path) -> None:
        """Write the graph for Gephi, Cytoscape, igraph and others.

        Raises
        ------
        StorageError
            If the file cannot be written.
        """
        import networkx

        from aver.execution.files import write_text

        write_text(path, "\n".join(networkx.generate_graphml(self.to_networkx())) + "\n")


def synchrony_graph(
    spikes: ClipSpikes, window_ms: float = WINDOW_MS, edges: Edges = "synchrony"
) -> SynchronyGraph:
    """Build the graph of one clip.

    Parameters
    ----------
    spikes : ClipSpikes
    window_ms : float > 0
        Two neurons are joined if any two of their spikes are at most so far apart.
    edges : {"synchrony", "all", "none"}
        ``"all"`` joins all neurons of the clip; ``"none"`` leaves them alone.

    Raises
    ------
    SettingsError
        If the window is not positive.

    Notes
    -----
    After sorting the spikes, the cost is at most one step per spike and node; see
    `aver.models.synch_graph.graph.sweep`.

    Examples
    --------
    >>> from aver.spiking import Spikes
    >>> spikes = {"video": Spikes([10.0, 90.0], [0, 1]), "audio": Spikes([40.0], [0])}
    >>> graph = synchrony_graph(ClipSpikes.of(spikes, maps=20), window_ms=50.0)
    >>> list(zip(graph.first.tolist(), graph.second.tolist(), graph.lag_ms.tolist()))
    [(0, 2, 30.0), (1, 2, -50.0)]
    """
    if not 0 < window_ms < np.inf:
        raise SettingsError(f"window_ms must be positive and finite, not {window_ms}.")

    keys = np.stack([spikes.modality, spikes.position, spikes.feature_map], axis=1)
    neurons, node, spike_count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    node = node.reshape(-1).astype(np.int64)
    count = len(neurons)
    first_spike_ms = np.full(count, np.inf)
    np.minimum.at(first_spike_ms, node, spikes.time_ms)
    coincidences, lags_ms = sweep(spikes.time_ms, node, count, float(window_ms))
    joined = {
        "synchrony": lambda: np.nonzero(coincidences),
        "all": lambda: np.triu_indices(count, 1),
        "none": lambda: (np.zeros(0, int), np.zeros(0, int)),
    }[edges]()
    lag_ms = lags_ms[joined]
    return SynchronyGraph(
        modality=neurons[:, 0],
        position=neurons[:, 1],
        feature_map=neurons[:, 2],
        spike_count=spike_count,
        first_spike_ms=first_spike_ms,
        first=joined[0],
        second=joined[1],
        coincidences=coincidences[joined],
        lag_ms=np.where(np.isinf(lag_ms), np.nan, lag_ms),
        window_ms=float(window_ms),
    )


@dataclass(frozen=True, eq=False)
class LabelEdges:
    """The adjacency of nodes that share their clip's class but not their clip.

    With one-hot rows K (nodes, classes) and C (nodes, clips) of the joined nodes, the matrix is
    ``K K' - C C'``: every class a block of ones, less the blocks of its own clips. Its product
    with features is therefore the sum over the class minus the sum over the clip: exact, and
    linear in nodes in time and memory, where the edges themselves grow with their square
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
    between subgraphs are connected if they share the same class label". Where the labels of test
    clips are among them, the graph gives the answers away.

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
        """Sum over the neighbours of each node.

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
    with warnings.catch_warnings():  # torch calls all sparse matrices a beta
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
    """Compressed rows of all graphs with loops: starts, neighbours and weights."""
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
