"""The networks of Mansouri-Benssassi & Ye 2020: spiking neurons, then graph convolutions.

**1. Spiking network** (Multisensory Integration and Interaction in Spiking Neural Network). Two
groups of excitatory neurons, each with lateral inhibition, see the windows of their modality.
Membranes (1), synapses (2) and learning without labels (3) are those of
`aver.models.snn_cross_modal.network`, with membranes of 200 and 100 ms: the dynamics ``paper-2`` of
`aver.spiking.presets.preset`. Plastic connections join the groups both ways. The audio sets in 5 ms
after the video.

========  =======  ======  =======  =========  ========  =======
modality  input    window  stride   positions  features  neurons
========  =======  ======  =======  =========  ========  =======
video     100x100  40x40   40       4          20        80
audio     40x388   40x40   40x116   4          20        80
========  =======  ======  =======  =========  ========  =======

**2. Synchrony graph** (Modelling Neural Synchrony in Graph Network):
`aver.models.synch_graph.graph`. Nodes are the neurons that fired; two are joined if they spike
within 150 ms. **3. Graph convolutions** (equations 6 to 9): `GraphNetwork`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from aver.models.layers.rate_coding import ClipRates
from aver.models.layers.spiking_layer import Layer, Link, SpikingLayers
from aver.models.synch_graph.graph import ClipSpikes
from aver.models.synch_graph.graph_batch import GraphBatch
from aver.models.synch_graph.settings import MODALITIES, Pooling, RecurrentSettings
from aver.spiking.topology import Windows
from aver.training.seeding import derived_seed


class RecurrentNetwork:
    """The spiking network: video and audio at once, their excitatory layers connected both ways.

    Parameters
    ----------
    settings : RecurrentSettings
    shapes : mapping of str to (rows, columns)
        Of the inputs, by modality; a single modality has no recurrent connections.
    windows : mapping of str to Windows
        By modality.
    seed : int
    """

    def __init__(
        self,
        settings: RecurrentSettings,
        shapes: Mapping[str, tuple[int, int]],
        windows: Mapping[str, Windows],
        seed: int = 0,
    ) -> None:
        self._seed = seed
        modalities = [name for name in MODALITIES if name in shapes]
        several = len(modalities) > 1
        layers = {
            name: Layer(
                settings.maps,
                shapes[name],
                windows[name],
                source=f"{name} input",
                lag_ms=settings.lag_ms if name == "audio" and several else 0.0,
            )
            for name in modalities
        }
        links = []
        if several and settings.link_gain > 0:
            for source, target in (modalities, modalities[::-1]):
                inputs = int(np.prod(windows[target].size))
                normal_sum = settings.link_gain * settings.dynamics.normal_sum(inputs)
                links.append(Link(source, target, normal_sum))
        self.layers = SpikingLayers(settings.dynamics, layers, links, seed=seed)

    @property
    def positions(self) -> dict[str, int]:
        """Window positions, by modality."""
        return {name: layer.positions for name, layer in self.layers.layers.items()}

    def learn(self, rates: ClipRates) -> None:
        """Show training clips in random order; weights and thresholds adapt without labels."""
        rng = np.random.default_rng(derived_seed(self._seed, "order of clips"))
        passes = range(self.layers.dynamics.passes)
        orders = (rng.permutation(len(rates.clip_ids)) for _ in passes)
        self.layers.learn(self._inputs(rates), orders)

    def observe(self, rates: ClipRates) -> list[ClipSpikes]:
        """Show clips to the frozen network.

        The input spikes of a clip depend on its id only. Spikes of a modality that a clip lacks,
        which the other one may have evoked, are left out.
        """
        numbers = [derived_seed(self._seed, clip_id) >> 8 for clip_id in rates.clip_ids]
        recording = self.layers.observe(self._inputs(rates), numbers, record_spikes=True)
        maps = next(iter(self.layers.layers.values())).features
        return [
            ClipSpikes.of(
                {
                    name: recording.spikes[name][clip]
                    for name, of_clips in rates.rates_hz.items()
                    if of_clips[clip] is not None
                },
                maps,
            )
            for clip in range(len(rates.clip_ids))
        ]

    def _inputs(self, rates: ClipRates) -> dict[str, list[np.ndarray]]:
        """Rates of every input, zero for a missing modality."""
        missing = [None] * len(rates.clip_ids)
        return {
            layer.source: [
                np.zeros(layer.shape or ()) if one is None else one
                for one in rates.rates_hz.get(name, missing)
            ]
            for name, layer in self.layers.layers.items()
        }


class GraphConvolution(nn.Module):
    """``D^-1/2 (A + I) D^-1/2 X W + b``, with edges within clips and between them in A.

    Parameters
    ----------
    inputs, outputs : int

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020, equation 8; Kipf & Welling 2016, equation 2. Weights have
    the names and the initialization of `torch_geometric.nn.GCNConv`, which gives the same outputs
    over explicit edges.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.lin = nn.utils.skip_init(nn.Linear, inputs, outputs, bias=False)
        bound = math.sqrt(6.0 / (inputs + outputs))  # Glorot & Bengio 2010
        nn.init.uniform_(self.lin.weight, -bound, bound)
        self.bias = nn.Parameter(torch.zeros(outputs))

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
        gathered = _SymmetricProduct.apply(batch.own, values)
        if batch.label_edges is not None:
            gathered = gathered + batch.scale * batch.label_edges.product(batch.scale * values)
        return gathered + self.bias


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


class GraphNetwork(nn.Module):
    """Three graph convolutions and a pooling layer (equation 8, Figure 2).

    ``Z = softmax(pool(A' relu(A' relu(A' X W0) W1) W2))``, ``A' = D^-1/2 (A + I) D^-1/2``

    =========  ==================
    X          (nodes, inputs)
    W0         (inputs, hidden)
    W1         (hidden, hidden)
    W2         (hidden, classes)
    Z          (clips, classes)
    =========  ==================

    Parameters
    ----------
    inputs : int
        Inputs per node.
    classes : int
    hidden : int
        Width of all layers but the last.
    layers : int >= 1
        Convolutions.
    dropout : float in [0, 1)
        Before each convolution.
    pooling : {"mean", "sum", "fingerprint"}
        ``"mean"`` and ``"sum"`` pool the class scores of the clip's nodes. ``"fingerprint"``: in
        every layer each node adds a softmax vector to the fingerprint of its clip, and a linear
        layer gives the class scores.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020, equation 8 and Figure 2; the fingerprint is algorithm 2
    of Duvenaud et al. 2015, Convolutional networks on graphs for learning molecular fingerprints,
    which the paper cites for its pooling.
    Differs from the paper: equation 8 is available as extracted text only, "softmax(Ac(Ac(AXW",
    where "c(" very likely stands for a non-linearity between the propagations. It is ReLU here, as
    in Kipf & Welling 2016. With the fingerprint the last convolution has `hidden`
    outputs too.
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
            return self.read(_sum_by_clip(torch.stack(votes).sum(dim=0), batch))
        return self.pool(outputs[-1], batch)

    def pool(self, scores: Tensor, batch: GraphBatch) -> Tensor:
        """Scores of clips from those of nodes, `(nodes, classes)`; 0 for a clip without nodes."""
        sums = _sum_by_clip(scores, batch)
        if self.pooling == "sum":
            return sums
        return sums / _sum_by_clip(scores.new_ones(len(scores), 1), batch).clamp(min=1)

    def _layers(self, batch: GraphBatch) -> list[Tensor]:
        """Outputs of each convolution; all but the last after ReLU."""
        values, outputs = batch.inputs, []
        for number, convolution in enumerate(self.convolutions, start=1):
            values = functional.dropout(values, self.dropout, self.training)
            values = convolution(values, batch)
            if number < len(self.convolutions):
                values = values.relu()
            outputs.append(values)
        return outputs


def _sum_by_clip(values: Tensor, batch: GraphBatch) -> Tensor:
    """Sums over the nodes of each clip, `[shape=(clips, columns)]`."""
    clip = batch.clip[:, None].expand_as(values)
    return values.new_zeros(batch.clips, values.shape[1]).scatter_add_(0, clip, values)
