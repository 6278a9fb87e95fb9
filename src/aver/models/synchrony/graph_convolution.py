"""`GraphConvolution`: Kipf & Welling's layer over edges within clips and label edges between."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch_geometric.nn import MessagePassing
from torch_geometric.nn.dense.linear import Linear

from aver.models.synchrony.graph_batch import GraphBatch


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
