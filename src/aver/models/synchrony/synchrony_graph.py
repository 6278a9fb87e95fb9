"""`SynchronyGraph`: the neurons that fired during a clip, joined where they fired together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from aver.errors import SettingsError
from aver.models.synchrony.clip_spikes import MODALITIES, ClipSpikes

if TYPE_CHECKING:
    import networkx

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

        from aver.execution.atomic import write_text

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
    `aver.models.synchrony.coincidences.sweep`.

    Examples
    --------
    >>> from aver.spiking import Spikes
    >>> spikes = {"video": Spikes([10.0, 90.0], [0, 1]), "sound": Spikes([40.0], [0])}
    >>> graph = synchrony_graph(ClipSpikes.of(spikes, maps=20), window_ms=50.0)
    >>> list(zip(graph.first.tolist(), graph.second.tolist(), graph.lag_ms.tolist()))
    [(0, 2, 30.0), (1, 2, -50.0)]
    """
    if not 0 < window_ms < np.inf:
        raise SettingsError(f"window_ms must be positive and finite, not {window_ms}.")
    from aver.models.synchrony.coincidences import sweep

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
