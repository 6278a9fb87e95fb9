"""`GraphTask`: a graph network learns from all clips at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import MessagePassing, global_add_pool, global_mean_pool
from torch_geometric.nn.dense.linear import Linear

from aver.models.synch_graph.graph import GraphBatch, SynchronyGraph
from aver.models.synch_graph.spiking_network import MODALITIES
from aver.training.task import Loss, Task

Encoding = Literal["numbers", "one-hot", "neuron"]


@dataclass(frozen=True, eq=False)
class NodeEncoder:
    """Turns modality, position, map, spike count and first spike of each node into inputs.

    Parameters
    ----------
    encoding : {"numbers", "one-hot", "neuron"}
        ``"numbers"``: one input each, position and map as shares of their range. ``"one-hot"``: an
        input for every position of either modality and for every map. ``"neuron"``: an input for
        every neuron, which holds its spike count, and the first spike.
    positions : mapping of str to int
        Window positions of each modality.
    maps : int
        Neurons at each position.
    mean, std : np.ndarray [shape=(2,)]
        Of the logarithm of the spike count, and of the first spike in ms, over the nodes of the
        training clips; these two are standardised by them.
    """

    encoding: Encoding
    positions: Mapping[str, int]
    maps: int
    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def learn(
        cls,
        encoding: Encoding,
        positions: Mapping[str, int],
        maps: int,
        graphs: Sequence[SynchronyGraph],
    ) -> NodeEncoder:
        """Take mean and deviation from training graphs; nodes of all clips count the same."""
        values = np.concatenate([np.zeros((0, 2)), *(_timing(graph) for graph in graphs)])
        if not len(values):
            values = np.zeros((1, 2))
        std = values.std(axis=0)
        return cls(
            encoding,
            positions,
            maps,
            values.mean(axis=0),
            np.where(std > 1e-9, std, 1.0),
        )

    @property
    def inputs(self) -> int:
        """Number of inputs of a node."""
        places = sum(self.positions.values())
        return {
            "numbers": 5,
            "one-hot": len(MODALITIES) + places + self.maps + 2,
            "neuron": places * self.maps + 1,
        }[self.encoding]

    def encode(self, graph: SynchronyGraph) -> np.ndarray:
        """Inputs of all nodes, `[shape=(nodes, inputs), dtype=float32]`."""
        timing = (_timing(graph) - self.mean) / self.std
        if self.encoding == "numbers":
            widest = np.array([max(1, self.positions.get(name, 1)) for name in MODALITIES])
            described = [
                graph.modality,
                graph.position / widest[graph.modality],
                graph.feature_map / self.maps,
            ]
            return np.column_stack([*described, timing]).astype(np.float32)
        place = self._first_places[graph.modality] + graph.position
        if self.encoding == "neuron":
            counts = _one_hot(place * self.maps + graph.feature_map, self.inputs - 1)
            counts *= np.log1p(graph.spike_count)[:, None]
            return np.column_stack([counts, timing[:, 1]]).astype(np.float32)
        return np.column_stack(
            [
                _one_hot(graph.modality, len(MODALITIES)),
                _one_hot(place, sum(self.positions.values())),
                _one_hot(graph.feature_map, self.maps),
                timing,
            ]
        ).astype(np.float32)

    @property
    def _first_places(self) -> np.ndarray:
        """Number of the first position of each modality, all positions counted through."""
        counts = [self.positions.get(name, 0) for name in MODALITIES]
        return np.cumsum([0, *counts[:-1]])


def _timing(graph: SynchronyGraph) -> np.ndarray:
    """Logarithm of the spike count, and first spike in ms: (nodes, 2)."""
    return np.column_stack([np.log1p(graph.spike_count), graph.first_spike_ms])


def _one_hot(index: np.ndarray, width: int) -> np.ndarray:
    rows = np.zeros((len(index), width))
    rows[np.arange(len(index)), index] = 1.0
    return rows


class _SymmetricProduct(torch.autograd.Function):
    """A symmetric sparse matrix times features: the gradient is the same product again.

    Autograd would transpose the matrix instead, and keep a second copy of it.
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, values: Tensor) -> Tensor:
        ctx.matrix = matrix
        return matrix @ values

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return None, ctx.matrix @ gradient.contiguous()


class GraphConvolution(MessagePassing):
    """``D^-1/2 (A + I) D^-1/2 X W + b``, with A the sum of both kinds of edges.

    Parameters
    ----------
    inputs, outputs : int

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020, equation 8; Kipf & Welling 2016, equation 2. Weights have
    the names of `torch_geometric.nn.GCNConv`, whose answers over explicit edges are the same.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(aggr="sum")
        self.lin = Linear(inputs, outputs, bias=False, weight_initializer="glorot")
        self.bias = torch.nn.Parameter(torch.zeros(outputs))

    def forward(self, values: Tensor, batch: GraphBatch) -> Tensor:
        """Features of the next layer.

        Parameters
        ----------
        values : Tensor [shape=(nodes, inputs)]
        batch : GraphBatch

        Returns
        -------
        Tensor [shape=(nodes, outputs)]
        """
        values = self.lin(values)
        gathered = self.propagate(batch.own, x=values)
        if batch.label_edges is not None:
            gathered = gathered + batch.scale * batch.label_edges.product(batch.scale * values)
        return gathered + self.bias

    def message_and_aggregate(self, adj_t: Tensor, x: Tensor) -> Tensor:
        """Sum over neighbours as one sparse product, without a message for every edge."""
        return _SymmetricProduct.apply(adj_t, x)


Pooling = Literal["mean", "sum", "fingerprint"]


class GraphNetwork(nn.Module):
    """Scores of the classes for clips and for their neurons.

    Parameters
    ----------
    inputs : int
        Inputs of a node.
    classes : int
    hidden : int
        Width of all layers but the last.
    layers : int >= 1
        Convolutions.
    dropout : float in [0, 1)
        Before each convolution.
    pooling : {"mean", "sum", "fingerprint"}
        ``"mean"`` and ``"sum"`` pool the class scores of the clip's nodes. ``"fingerprint"``: in
        every layer each node casts one vote, shared out by a softmax over the places of a
        fingerprint; the votes of a clip are added up and a dense layer reads them.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020, equation 8 and Figure 2; the fingerprint is algorithm 2
    of Duvenaud et al. 2015, Convolutional networks on graphs for learning molecular fingerprints,
    which the paper cites for its pooling.
    Differs from the paper: equation 8 prints no non-linearity between the layers; as in Kipf &
    Welling 2016, on which it builds, it is ReLU. With the fingerprint the last convolution has
    `hidden` outputs too.
    """

    def __init__(
        self,
        inputs: int,
        classes: int,
        *,
        hidden: int = 64,
        layers: int = 3,
        dropout: float = 0.5,
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__()
        last = hidden if pooling == "fingerprint" else classes
        widths = [inputs, *[hidden] * (layers - 1), last]
        self.convolutions = nn.ModuleList(GraphConvolution(a, b) for a, b in pairwise(widths))
        self.dropout, self.pooling = dropout, pooling
        if pooling == "fingerprint":
            self.votes = nn.ModuleList(nn.Linear(width, hidden) for width in widths[1:])
            self.read = nn.Linear(hidden, classes)

    def node_scores(self, batch: GraphBatch) -> Tensor:
        """Outputs of the last convolution, `[shape=(nodes, outputs)]`."""
        return self._layers(batch)[-1]

    def forward(self, batch: GraphBatch) -> Tensor:
        """Class scores of the clips, `[shape=(clips, classes)]`."""
        outputs = self._layers(batch)
        if self.pooling == "fingerprint":
            votes = [
                torch.softmax(vote(output), dim=1)
                for vote, output in zip(self.votes, outputs, strict=True)
            ]
            found = global_add_pool(torch.stack(votes).sum(dim=0), batch.clip, batch.clips)
            return self.read(found)
        return self.pool(outputs[-1], batch)

    def pool(self, scores: Tensor, batch: GraphBatch) -> Tensor:
        """Scores of nodes, `(nodes, classes)`, as scores of clips; 0 for a clip without nodes."""
        pool = global_add_pool if self.pooling == "sum" else global_mean_pool
        return pool(scores, batch.clip, batch.clips)

    def _layers(self, batch: GraphBatch) -> list[Tensor]:
        """What each convolution yields; all but the last after ReLU."""
        values, outputs = batch.inputs, []
        for number, convolution in enumerate(self.convolutions, start=1):
            values = functional.dropout(values, self.dropout, self.training)
            values = convolution(values, batch)
            if number < len(self.convolutions):
                values = values.relu()
            outputs.append(values)
        return outputs


GraphLoss = Literal["clip", "node"]


class GraphTask(Task):
    """One step an epoch, over the whole graph.

    Parameters
    ----------
    network : GraphNetwork
    training, validation : GraphBatch
        Clips whose label is -1 take part as neighbours only.
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
        """Loss over the labelled clips, or over their neurons."""
        known = batch.labels >= 0
        if self._loss == "node":
            nodes = self.network.node_scores(batch)
            labels = batch.labels[batch.clip]
            value = functional.cross_entropy(nodes[labels >= 0], labels[labels >= 0])
            scores = self.network.pool(nodes, batch)
        else:
            scores = self.network(batch)
            value = functional.cross_entropy(scores[known], batch.labels[known])
        right = int((scores[known].argmax(dim=1) == batch.labels[known]).sum())
        return Loss(value, int(known.sum()), right)
