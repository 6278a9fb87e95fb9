"""`GraphNetwork`: graph convolutions, then one answer for each clip."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import global_add_pool, global_mean_pool

from aver.models.synchrony.graph_batch import GraphBatch
from aver.models.synchrony.graph_convolution import GraphConvolution

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
