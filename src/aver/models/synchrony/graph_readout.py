"""`GraphReadout`: answers of the graph network."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from aver.models.checkpoint import check_names
from aver.models.synchrony.clip_spikes import ClipSpikes
from aver.models.synchrony.graph_batch import GraphBatch, join_graphs
from aver.models.synchrony.graph_network import GraphNetwork
from aver.models.synchrony.graph_task import GraphTask
from aver.models.synchrony.node_features import NodeEncoder
from aver.models.synchrony.readout import Readout, SpikingClips
from aver.models.synchrony.settings import refuse_leaking_edges
from aver.models.synchrony.synchrony_graph import SynchronyGraph, synchrony_graph
from aver.training.fit import fit
from aver.training.fixed_threads import fixed_threads
from aver.training.history import History
from aver.training.seeding import derived_seed, seeded


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
        learnt, chosen = (
            dataclasses.replace(whole, labels=torch.from_numpy(np.where(part_of == k, labels, -1)))
            for k in (0, 1)
        )
        self._fit(learnt, chosen, seed, run_folder)
        return self._answers(whole)[part_of == 2]

    def probabilities(self, clip_ids: Sequence[str], spikes: Sequence[ClipSpikes]) -> np.ndarray:
        """Softmax of the clips' scores."""
        if not clip_ids:
            return np.zeros((0, self.classes))
        labels = np.full(len(clip_ids), -1)
        return self._answers(self._batch(self._graphs(clip_ids, spikes), labels))

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights of the network, and scales of the node features."""
        assert self.network is not None
        assert self.encoder is not None
        weights = {
            f"network/{name}": value.detach().cpu().numpy()
            for name, value in self.network.state_dict().items()
        }
        scales = {"mean": self.encoder.mean, "deviation": self.encoder.deviation}
        return weights | {f"encoder/{name}": value for name, value in scales.items()}

    def restore(self, arrays: Mapping[str, np.ndarray], folder: Path) -> None:
        """Take up what `arrays` gave."""
        if not arrays["encoder/mean"].shape == arrays["encoder/deviation"].shape == (2,):
            raise ValueError("scales of node features are not two numbers each")
        self.encoder = NodeEncoder(
            self.settings.graph.encoding,
            self.positions,
            self.settings.spiking.maps,
            arrays["encoder/mean"],
            arrays["encoder/deviation"],
        )
        network = self._build(self.encoder.inputs)
        weights = {name[8:]: v for name, v in arrays.items() if name.startswith("network/")}
        check_names(weights, network.state_dict(), folder)
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

    def _answers(self, batch: GraphBatch) -> np.ndarray:
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
