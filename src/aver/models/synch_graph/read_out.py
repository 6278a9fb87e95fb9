"""Read-outs of the recurrent network: `GraphReadOut`, and `CountReadOut` as a baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from aver.models.base.checkpoint import check_names
from aver.models.layers.read_out import ReadOut
from aver.models.synch_graph.graph import (
    ClipSpikes,
    SynchronyGraph,
    shuffled_graph,
    synchrony_graph,
)
from aver.models.synch_graph.graph_batch import GraphBatch, NodeEncoder, join_graphs
from aver.models.synch_graph.network import GraphNetwork
from aver.models.synch_graph.settings import (
    MODALITIES,
    GraphLoss,
    SynchGraphSettings,
    refuse_leaking_edges,
)
from aver.training.fit import fit
from aver.training.history import History
from aver.training.seeding import fixed_threads, seeded
from aver.training.task import Loss, Task


@dataclass(frozen=True, eq=False)
class SpikingClips:
    """Clips with their spikes and labels.

    Parameters
    ----------
    clip_ids : sequence of str
    spikes : sequence of ClipSpikes
    labels : np.ndarray [shape=(clips,), dtype=int]
        Class indices; -1 for other classes.
    """

    clip_ids: Sequence[str]
    spikes: Sequence[ClipSpikes]
    labels: np.ndarray


class GraphReadOut:
    """Predicts a clip from its synchrony graph.

    Parameters
    ----------
    settings : SynchGraphSettings
    positions : mapping of str to int
        Window positions, by modality.
    classes : int
    """

    network: GraphNetwork
    encoder: NodeEncoder
    history: History
    _graphs_and_nodes: tuple[int, int]

    def __init__(
        self, settings: SynchGraphSettings, positions: Mapping[str, int], classes: int
    ) -> None:
        self.settings, self.positions, self.classes = settings, dict(positions), classes

    def fit(
        self,
        train: SpikingClips,
        validation: SpikingClips,
        *,
        seed: int,
        run_folder: Path | None = None,
    ) -> None:
        """Train on `train`; the validation loss chooses the epoch.

        Raises
        ------
        SettingsError
            If the label edges reach test clips, which only `fit_predict_leaking` may use.
        """
        refuse_leaking_edges(self.settings.graph)
        graphs = self._graphs(train.clip_ids, train.spikes)
        self._fit_encoder(graphs)
        joined = train.labels if self.settings.graph.label_edges == "train" else None
        training = self._batch(graphs, train.labels, joined)
        # Validation clips have no label edges, as later the clips that are predicted.
        held_out = self._batch(
            self._graphs(validation.clip_ids, validation.spikes), validation.labels
        )
        self._graphs_and_nodes = (
            training.clips + held_out.clips,
            len(training.clip) + len(held_out.clip),
        )
        self._fit(training, held_out, seed, run_folder)

    def fit_predict_leaking(
        self,
        train: SpikingClips,
        validation: SpikingClips,
        test: SpikingClips,
        *,
        seed: int,
        run_folder: Path | None = None,
    ) -> np.ndarray:
        """The printed method: all clips in one graph, joined by their labels. LEAKS.

        Returns
        -------
        np.ndarray [shape=(test clips, classes)]
        """
        subsets = (train, validation, test)
        labels = np.concatenate([subset.labels for subset in subsets])
        graphs = [g for subset in subsets for g in self._graphs(subset.clip_ids, subset.spikes)]
        self._fit_encoder(graphs[: len(train.labels)])
        whole = self._batch(graphs, labels, labels)
        self._graphs_and_nodes = (whole.clips, len(whole.clip))
        subset_of = np.repeat([0, 1, 2], [len(subset.labels) for subset in subsets])
        training, held_out = (
            replace(whole, labels=torch.from_numpy(np.where(subset_of == k, labels, -1)))
            for k in (0, 1)
        )
        self._fit(training, held_out, seed, run_folder)
        return self._predictions(whole)[subset_of == 2]

    def probabilities(self, clip_ids: Sequence[str], spikes: Sequence[ClipSpikes]) -> np.ndarray:
        """Softmax of the clips' scores."""
        if not clip_ids:
            return np.zeros((0, self.classes))
        labels = np.full(len(clip_ids), -1)
        return self._predictions(self._batch(self._graphs(clip_ids, spikes), labels))

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights of the network, and scales of the node features."""
        weights = {
            f"network/{name}": value.detach().cpu().numpy()
            for name, value in self.network.state_dict().items()
        }
        scales = {"mean": self.encoder.mean, "std": self.encoder.std}
        return weights | {f"encoder/{name}": value for name, value in scales.items()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take what `arrays` gave.

        Raises
        ------
        CheckpointError, KeyError, ValueError
            If an array is missing, foreign, or does not fit.
        """
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
        """Parameters, epochs, and the size of the graphs of training and validation.

        Those of test clips are counted too if they are part of the training (LEAKS).
        """
        return {
            "parameters": sum(p.numel() for p in self.network.parameters()),
            **self.history.facts(held_out=True),
            "graphs": self._graphs_and_nodes[0],
            "nodes": self._graphs_and_nodes[1],
        }

    def _graphs(
        self, clip_ids: Sequence[str], spikes: Sequence[ClipSpikes]
    ) -> list[SynchronyGraph]:
        chosen = self.settings.graph
        if chosen.intra_clip_edges == "shuffled":
            return [
                shuffled_graph(one, clip_id, chosen.window_ms)
                for clip_id, one in zip(clip_ids, spikes, strict=True)
            ]
        edges = chosen.intra_clip_edges
        return [synchrony_graph(one, chosen.window_ms, edges) for one in spikes]

    def _fit_encoder(self, graphs: Sequence[SynchronyGraph]) -> None:
        chosen = self.settings
        self.encoder = NodeEncoder.fit(
            chosen.graph.encoding, self.positions, chosen.spiking.maps, graphs
        )

    def _batch(
        self,
        graphs: Sequence[SynchronyGraph],
        labels: np.ndarray,
        joined: np.ndarray | None = None,
    ) -> GraphBatch:
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
        with fixed_threads(self.settings.training.threads), torch.no_grad():
            return torch.softmax(self.network(batch), dim=1).numpy().astype(np.float64)


class GraphTask(Task):
    """Trains a graph network: one step per epoch, over all clips.

    Parameters
    ----------
    network : GraphNetwork
    training, validation : GraphBatch
        Clips with label -1 are neighbors only.
    loss : {"clip", "node"}
        Cross-entropy of the clips' scores, or of the scores of their neurons.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020, Multisensory Emotion Recognition via Graph Convolution
    Neural Network: "the full training set is used in each iteration"; equation 9 is ``node``.
    """

    network: GraphNetwork

    def __init__(
        self,
        network: GraphNetwork,
        training: GraphBatch,
        validation: GraphBatch,
        loss: GraphLoss = "clip",
    ) -> None:
        super().__init__(network)
        self._training, self._validation, self._loss = training, validation, loss

    @property
    def steps_per_epoch(self) -> int:
        """One."""
        return 1

    def training_batches(self, generator: torch.Generator) -> Iterator[GraphBatch]:
        """The whole training graph."""
        yield self._training

    def validation_batches(self) -> Iterator[GraphBatch]:
        """The whole validation graph."""
        yield self._validation

    def loss(self, batch: GraphBatch) -> Loss:
        """Loss over the labeled clips, or over their neurons."""
        labeled = batch.labels >= 0
        if self._loss == "node":
            nodes = self.network.node_scores(batch)
            labels = batch.labels[batch.clip]
            value = functional.cross_entropy(nodes[labels >= 0], labels[labels >= 0])
            scores = self.network.pool(nodes, batch)
        else:
            scores = self.network(batch)
            value = functional.cross_entropy(scores[labeled], batch.labels[labeled])
        correct = int((scores[labeled].argmax(dim=1) == batch.labels[labeled]).sum())
        return Loss(value, int(labeled.sum()), correct)


class CountReadOut:
    """Predicts a clip from the spike counts of all neurons; parameters as `GraphReadOut`.

    See `aver.models.layers.read_out.ReadOutSettings` for the kinds of read-out.
    """

    def __init__(
        self, settings: SynchGraphSettings, positions: Mapping[str, int], classes: int
    ) -> None:
        self.settings, self.positions = settings, dict(positions)
        equal = np.full(classes, 1 / classes)
        self._read_out = ReadOut(settings.counts, sum(positions.values()), equal)

    def fit(
        self,
        train: SpikingClips,
        validation: SpikingClips,
        *,
        seed: int,
        run_folder: Path | None = None,
    ) -> None:
        """Fit on `train`; `validation` chooses as it does for the kind of read-out."""
        labeled = validation.labels >= 0
        held_out = (self._counts(validation.spikes)[labeled], validation.labels[labeled])
        counts = self._counts(train.spikes)
        self._read_out.fit((counts, train.labels), held_out, refit=False)

    def probabilities(self, clip_ids: Sequence[str], spikes: Sequence[ClipSpikes]) -> np.ndarray:
        """Class probabilities, `[shape=(clips, classes)]`."""
        return self._read_out.probabilities(self._counts(spikes))

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that was fitted, for a checkpoint."""
        return self._read_out.arrays()

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take what `arrays` gave."""
        neurons = sum(self.positions.values()) * self.settings.spiking.maps
        self._read_out.restore(arrays, neurons)

    @property
    def facts(self) -> dict[str, object]:
        """The kind, and the ``C`` that was chosen on the validation clips."""
        facts: dict[str, object] = {"read-out of counts": self.settings.counts.kind}
        if self._read_out.C is not None:
            facts["C chosen on validation"] = self._read_out.C
        return facts

    def _counts(self, spikes: Sequence[ClipSpikes]) -> np.ndarray:
        return spike_counts(spikes, self.positions, self.settings.spiking.maps)


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
