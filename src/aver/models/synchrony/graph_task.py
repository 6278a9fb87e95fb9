"""`GraphTask`: a graph network learns from all clips at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch.nn import functional

from aver.models.synchrony.graph_batch import GraphBatch
from aver.models.synchrony.graph_network import GraphNetwork
from aver.training.task import Loss, Task

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
