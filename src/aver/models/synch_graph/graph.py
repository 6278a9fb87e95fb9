"""`SynchronyGraph`: the neurons of one clip, joined if they spike within a window.

Source: Mansouri-Benssassi & Ye 2020, Modelling Neural Synchrony in Graph Network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from aver.errors import SettingsError
from aver.models.synch_graph.settings import MODALITIES, WINDOW_MS
from aver.spiking.kernels.compile import compiled
from aver.spiking.spikes import Spikes
from aver.training.seeding import derived_seed

if TYPE_CHECKING:
    import networkx


@dataclass(frozen=True, eq=False)
class ClipSpikes:
    """Spikes of the excitatory neurons of one clip, in order of time.

    Parameters
    ----------
    modality : np.ndarray [shape=(spikes,), dtype=int, index into `MODALITIES`]
    position : np.ndarray [shape=(spikes,), dtype=int]
        Window position of the neuron.
    feature_map : np.ndarray [shape=(spikes,), dtype=int]
        Which of the neurons at that position.
    time_ms : np.ndarray [shape=(spikes,), dtype=float64]
        From the beginning of the clip.

    Examples
    --------
    >>> spikes = ClipSpikes.of({"audio": Spikes([7.0, 3.5], [20, 1])}, maps=20)
    >>> spikes.position.tolist(), spikes.feature_map.tolist(), spikes.time_ms.tolist()
    ([0, 1], [1, 0], [3.5, 7.0])
    """

    modality: np.ndarray
    position: np.ndarray
    feature_map: np.ndarray
    time_ms: np.ndarray

    @classmethod
    def of(cls, spikes: Mapping[str, Spikes], maps: int) -> ClipSpikes:
        """Join the spikes that the engine recorded in the populations of the modalities.

        Parameters
        ----------
        spikes : mapping of {"video", "audio"} to Spikes
        maps : int >= 1
            Neurons at each window position.
        """
        present = [name for name in MODALITIES if name in spikes]
        neuron = np.concatenate([np.zeros(0, np.int64), *(spikes[m].neuron for m in present)])
        modality = np.concatenate(
            [np.zeros(0, np.int64)]
            + [np.full(len(spikes[m]), MODALITIES.index(m)) for m in present]
        )
        time_ms = np.concatenate([np.zeros(0), *(spikes[m].time_ms for m in present)])
        order = np.argsort(time_ms, kind="stable")
        return cls(modality[order], neuron[order] // maps, neuron[order] % maps, time_ms[order])

    def __len__(self) -> int:
        return int(self.time_ms.size)

    def shuffled(self, rng: np.random.Generator) -> ClipSpikes:
        """The same neurons with the same numbers of spikes, but with permuted times.

        What remains of the synchrony is that of neurons with these numbers of spikes.
        """
        time_ms = rng.permutation(self.time_ms)
        order = np.argsort(time_ms, kind="stable")
        neurons = (self.modality[order], self.position[order], self.feature_map[order])
        return ClipSpikes(*neurons, time_ms[order])


@dataclass(frozen=True, eq=False)
class SynchronyGraph:
    """The spikes of one clip as an undirected graph without loops.

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
        Pairs of spikes within the window; 0 if the edge does not come from synchrony.
    lag_ms : np.ndarray [shape=(edges,)]
        How much later `second` fired than `first`, for the closest two of their spikes; NaN if no
        two are within the window. Positive between the modalities if the audio is later.
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
        """Share of all possible edges; NaN with fewer than two nodes."""
        possible = self.nodes * (self.nodes - 1) // 2
        return self.edges / possible if possible else float("nan")

    @property
    def is_complete(self) -> bool:
        """Whether every two nodes are joined, so that the edges carry no information."""
        return self.edges == self.nodes * (self.nodes - 1) // 2

    def to_networkx(self) -> networkx.Graph:
        """The graph for NetworkX, with all features of nodes and edges as attributes.

        Raises
        ------
        SettingsError
            If NetworkX is not installed.
        """
        try:
            import networkx
        except ImportError:
            raise SettingsError("This needs NetworkX: pip install networkx.") from None

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
        SettingsError
            If NetworkX is not installed.
        StorageError
            If the file cannot be written.
        """
        graph = self.to_networkx()
        import networkx

        from aver.execution.files import write_text

        write_text(path, "\n".join(networkx.generate_graphml(graph)) + "\n")


def synchrony_graph(
    spikes: ClipSpikes,
    window_ms: float = WINDOW_MS,
    edges: Literal["synchrony", "all", "none"] = "synchrony",
) -> SynchronyGraph:
    """Build the graph of one clip.

    Parameters
    ----------
    spikes : ClipSpikes
    window_ms : float > 0
        Two neurons are joined if any two of their spikes are at most so far apart.
    edges : {"synchrony", "all", "none"}
        ``"all"`` joins all neurons of the clip, ``"none"`` joins none.

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


def shuffled_graph(spikes: ClipSpikes, clip_id: str, window_ms: float) -> SynchronyGraph:
    """The nodes of these spikes, joined as if the times of the spikes had been permuted.

    Parameters
    ----------
    spikes : ClipSpikes
    clip_id : str
        Chooses the permutation.
    window_ms : float > 0
    """
    rng = np.random.default_rng(derived_seed(0, "shuffled spikes", clip_id))
    joined = synchrony_graph(spikes.shuffled(rng), window_ms)
    return replace(
        synchrony_graph(spikes, window_ms, "none"),
        first=joined.first,
        second=joined.second,
        coincidences=joined.coincidences,
        lag_ms=joined.lag_ms,
    )


@compiled(nogil=True)
def sweep(
    time_ms: np.ndarray, node: np.ndarray, nodes: int, window_ms: float
) -> tuple[np.ndarray, np.ndarray]:
    """Count coincidences of all pairs of nodes.

    A window slides over the spikes; for each node with spikes in it, their number and the time of
    the latest are kept. Each spike is compared with these nodes, not with their spikes: pairs of
    spikes are counted without being visited, in at most one step per spike and node.

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
        infinite if there is none within the window.
    """
    counts = np.zeros((nodes, nodes), np.int64)
    lags_ms = np.full((nodes, nodes), np.inf)
    inside = np.zeros(nodes, np.int64)
    latest_ms = np.zeros(nodes)
    active = np.zeros(nodes, np.int64)
    slot = np.full(nodes, -1)  # of a node in `active`
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
                active[slot[gone]] = last
                slot[last] = slot[gone]
                slot[gone] = -1
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
            slot[a] = n_active
            active[n_active] = a
            n_active += 1
        inside[a] += 1
        latest_ms[a] = now_ms
    return counts, lags_ms
