"""`make_readout`: the read-out that the settings name, untrained."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from aver.models.base.checkpoint import check_names
from aver.models.snn_cross_modal.read_out import ReadOut
from aver.models.synch_graph.graph import GraphBatch, SynchronyGraph, join_graphs, synchrony_graph
from aver.models.synch_graph.network import GraphNetwork, GraphTask, NodeEncoder
from aver.models.synch_graph.settings import SynchGraphSettings, refuse_leaking_edges
from aver.models.synch_graph.spiking_network import MODALITIES, ClipSpikes
from aver.training.fit import fit
from aver.training.history import History
from aver.training.seeding import derived_seed, fixed_threads, seeded


@dataclass(frozen=True, eq=False)
class SpikingClips:
    """Clips as a read-out sees them.

    Parameters
    ----------
    clip_ids : sequence of str
    spikes : sequence of ClipSpikes
    labels : np.ndarray [shape=(clips,), dtype=int]
        Class numbers; -1 where unknown.
    """

    clip_ids: Sequence[str]
    spikes: Sequence[ClipSpikes]
    labels: np.ndarray


class Readout(ABC):
    """Learns from labelled spikes and answers for others.

    Parameters
    ----------
    settings : SynchGraphSettings
    positions : mapping of str to int
        Window positions of each modality.
    classes : int
    """

    def __init__(
        self, settings: SynchGraphSettings, positions: Mapping[str, int], classes: int
    ) -> None:
        self.settings, self.positions, self.classes = settings, dict(positions), classes

    @abstractmethod
    def learn(
        self,
        train: SpikingClips,
        validation: SpikingClips,
        *,
        seed: int,
        run_folder: Path | None = None,
    ) -> None:
        """Learn from `train`; choices are made on `validation`."""

    @abstractmethod
    def probabilities(self, clip_ids: Sequence[str], spikes: Sequence[ClipSpikes]) -> np.ndarray:
        """Answers, `[shape=(clips, classes)]`; without meaning for a clip without spikes."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """All that was learnt, for a checkpoint."""

    @abstractmethod
    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take up what `arrays` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            If an array is missing, foreign, or does not fit.
        """

    @property
    @abstractmethod
    def facts(self) -> dict[str, object]:
        """What the model card says of it."""


def spike_counts(spikes: Sequence[ClipSpikes], positions: dict[str, int], maps: int) -> np.ndarray:
    """Spikes of every neuron, `[shape=(clips, neurons)]`; neurons of the video first."""
    present = [name for name in MODALITIES if name in positions]
    first = dict(
        zip(present, np.cumsum([0, *(positions[name] * maps for name in present)]), strict=False)
    )
    begins = np.array([first.get(name, 0) for name in MODALITIES])
    neurons = sum(positions[name] * maps for name in present)
    counts = np.zeros((len(spikes), neurons))
    for row, one in zip(counts, spikes, strict=True):
        np.add.at(row, begins[one.modality] + one.position * maps + one.feature_map, 1)
    return counts


class CountReadout(Readout):
    """Reads how often each neuron fired, as the recognisers of spiking layers do.

    Neurons are numbered through both modalities. See `Readout` for parameters, and
    `aver.models.snn_cross_modal.read_out.ReadOutSettings` for kinds.
    """

    def __init__(
        self, settings: SynchGraphSettings, positions: Mapping[str, int], classes: int
    ) -> None:
        super().__init__(settings, positions, classes)
        places, alike = sum(self.positions.values()), np.full(classes, 1 / classes)
        self._read_out = ReadOut(settings.counts, places, alike)

    def learn(
        self,
        train: SpikingClips,
        validation: SpikingClips,
        *,
        seed: int,
        run_folder: Path | None = None,
    ) -> None:
        """Fit on `train`; `validation` chooses as it does for the kind of read-out."""
        known = validation.labels >= 0
        held_out = (self._counts(validation.spikes)[known], validation.labels[known])
        counts = self._counts(train.spikes)
        self._read_out.fit((counts, train.labels), held_out, refit=False)

    def probabilities(self, clip_ids: Sequence[str], spikes: Sequence[ClipSpikes]) -> np.ndarray:
        """Answers by the counts."""
        return self._read_out.probabilities(self._counts(spikes))

    def arrays(self) -> dict[str, np.ndarray]:
        """What the read-out learnt."""
        return self._read_out.arrays()

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take up what `arrays` gave."""
        neurons = sum(self.positions.values()) * self.settings.spiking.maps
        self._read_out.restore(arrays, neurons)

    @property
    def facts(self) -> dict[str, object]:
        """The kind, and the strength that the validation clips chose."""
        found: dict[str, object] = {"read-out of counts": self.settings.counts.kind}
        if self._read_out.C is not None:
            found["strength chosen on validation"] = self._read_out.C
        return found

    def _counts(self, spikes: Sequence[ClipSpikes]) -> np.ndarray:
        return spike_counts(spikes, self.positions, self.settings.spiking.maps)


class GraphReadout(Readout):
    """Every clip a graph; see `Readout` for parameters."""

    network: GraphNetwork | None = None
    encoder: NodeEncoder | None = None
    history: History | None = None

    def learn(
        self,
        train: SpikingClips,
        validation: SpikingClips,
        *,
        seed: int,
        run_folder: Path | None = None,
    ) -> None:
        """Learn from `train`; the validation loss chooses the epoch.

        Raises
        ------
        SettingsError
            If the label edges reach test clips, which only `learn_leaking` may see.
        """
        refuse_leaking_edges(self.settings.graph)
        graphs = self._graphs(train.clip_ids, train.spikes)
        self._learn_encoder(graphs)
        joined = train.labels if self.settings.graph.label_edges == "train" else None
        training = self._batch(graphs, train.labels, joined)
        # A clip that is not learnt from has no label edges, here as later in use.
        held_out = self._batch(
            self._graphs(validation.clip_ids, validation.spikes), validation.labels
        )
        self._fit(training, held_out, seed, run_folder)

    def learn_leaking(
        self,
        train: SpikingClips,
        validation: SpikingClips,
        test: SpikingClips,
        *,
        seed: int,
        run_folder: Path | None = None,
    ) -> np.ndarray:
        """The printed method: all clips in one graph, joined by their labels. It LEAKS.

        Returns
        -------
        np.ndarray [shape=(test clips, classes)]
        """
        parts = (train, validation, test)
        labels = np.concatenate([part.labels for part in parts])
        graphs = [g for part in parts for g in self._graphs(part.clip_ids, part.spikes)]
        self._learn_encoder(graphs[: len(train.labels)])
        whole = self._batch(graphs, labels, labels)
        part_of = np.repeat([0, 1, 2], [len(part.labels) for part in parts])
        learned, chosen = (
            dataclasses.replace(whole, labels=torch.from_numpy(np.where(part_of == k, labels, -1)))
            for k in (0, 1)
        )
        self._fit(learned, chosen, seed, run_folder)
        return self._predictions(whole)[part_of == 2]

    def probabilities(self, clip_ids: Sequence[str], spikes: Sequence[ClipSpikes]) -> np.ndarray:
        """Softmax of the clips' scores."""
        if not clip_ids:
            return np.zeros((0, self.classes))
        labels = np.full(len(clip_ids), -1)
        return self._predictions(self._batch(self._graphs(clip_ids, spikes), labels))

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights of the network, and scales of the node features."""
        assert self.network is not None
        assert self.encoder is not None
        weights = {
            f"network/{name}": value.detach().cpu().numpy()
            for name, value in self.network.state_dict().items()
        }
        scales = {"mean": self.encoder.mean, "std": self.encoder.std}
        return weights | {f"encoder/{name}": value for name, value in scales.items()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take up what `arrays` gave."""
        if not arrays["encoder/mean"].shape == arrays["encoder/std"].shape == (2,):
            raise ValueError("scales of node features are not two numbers each")
        self.encoder = NodeEncoder(
            self.settings.graph.encoding,
            self.positions,
            self.settings.spiking.maps,
            arrays["encoder/mean"],
            arrays["encoder/std"],
        )
        network = self._build(self.encoder.inputs)
        weights = {name[8:]: v for name, v in arrays.items() if name.startswith("network/")}
        check_names(weights, network.state_dict())
        network.load_state_dict({name: torch.from_numpy(v) for name, v in weights.items()})
        self.network = network.eval()

    @property
    def facts(self) -> dict[str, object]:
        """Parameters and epochs."""
        assert self.network is not None
        assert self.history is not None
        return {
            "parameters": sum(p.numel() for p in self.network.parameters()),
            "epochs": len(self.history.epochs),
            "best_epoch": self.history.best_epoch,
        }

    def _graphs(
        self, clip_ids: Sequence[str], spikes: Sequence[ClipSpikes]
    ) -> list[SynchronyGraph]:
        chosen = self.settings.graph
        if chosen.intra_clip_edges != "shuffled":
            edges = chosen.intra_clip_edges
            return [synchrony_graph(one, chosen.window_ms, edges) for one in spikes]
        return [
            _with_shuffled_edges(one, clip_id, chosen.window_ms)
            for clip_id, one in zip(clip_ids, spikes, strict=True)
        ]

    def _learn_encoder(self, graphs: Sequence[SynchronyGraph]) -> None:
        chosen = self.settings
        self.encoder = NodeEncoder.learn(
            chosen.graph.encoding, self.positions, chosen.spiking.maps, graphs
        )

    def _batch(
        self,
        graphs: Sequence[SynchronyGraph],
        labels: np.ndarray,
        joined: np.ndarray | None = None,
    ) -> GraphBatch:
        assert self.encoder is not None
        return join_graphs(
            graphs,
            [self.encoder.encode(graph) for graph in graphs],
            labels.tolist(),
            edge_weight=self.settings.graph.edge_weight,
            joined=None if joined is None else joined.tolist(),
        )

    def _build(self, inputs: int) -> GraphNetwork:
        chosen = self.settings.graph
        return GraphNetwork(
            inputs,
            self.classes,
            hidden=chosen.hidden,
            layers=chosen.layers,
            dropout=chosen.dropout,
            pooling=chosen.pooling,
        )

    def _fit(
        self, training: GraphBatch, held_out: GraphBatch, seed: int, run_folder: Path | None
    ) -> None:
        with seeded(seed, "start"):
            self.network = self._build(training.inputs.shape[1])
        task = GraphTask(self.network, training, held_out, self.settings.graph.loss)
        self.history = fit(
            task,
            self.settings.training,
            seed=seed,
            run_folder=run_folder,
            description="Training the graph network",
        )

    def _predictions(self, batch: GraphBatch) -> np.ndarray:
        assert self.network is not None
        with fixed_threads(self.settings.training.threads), torch.no_grad():
            return torch.softmax(self.network(batch), dim=1).numpy().astype(np.float64)


def _with_shuffled_edges(spikes: ClipSpikes, clip_id: str, window_ms: float) -> SynchronyGraph:
    """Nodes and their features of these spikes, edges of the same with their times dealt anew."""
    chance = np.random.default_rng(derived_seed(0, "shuffled spikes", clip_id))
    joined = synchrony_graph(spikes.shuffled(chance), window_ms)
    return dataclasses.replace(
        synchrony_graph(spikes, window_ms, "none"),
        first=joined.first,
        second=joined.second,
        coincidences=joined.coincidences,
        lag_ms=joined.lag_ms,
    )


def make_readout(
    settings: SynchGraphSettings, positions: Mapping[str, int], classes: int
) -> Readout:
    """Make a read-out of graphs or of counts.

    Parameters
    ----------
    settings : SynchGraphSettings
    positions : mapping of str to int
        Window positions of each modality.
    classes : int
    """
    if settings.readout == "counts":
        return CountReadout(settings, positions, classes)
    # torch-geometric takes seconds to import; only those who train or answer wait.

    return GraphReadout(settings, positions, classes)
