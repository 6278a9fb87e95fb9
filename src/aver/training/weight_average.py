"""`WeightAverage`: a running average of the weights, which is what gets validated and kept."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WeightAverage:
    """Exponential average of a network's weights and buffers.

    Early steps use the decay ``(1 + n) / (10 + n)`` while that is smaller, so that the random start
    is forgotten.

    Parameters
    ----------
    network : nn.Module
    decay : float in [0, 1)
        Per step.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self.steps = 0
        self.weights = {name: value.clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take one step of training into the average."""
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        for name, value in network.state_dict().items():
            kept = self.weights[name]
            if kept.dtype.is_floating_point:
                kept.lerp_(value, 1 - decay)
            else:
                kept.copy_(value)

    @torch.no_grad()
    def swap(self, network: nn.Module) -> None:
        """Exchange the average and the network's own weights."""
        for name, value in network.state_dict().items():
            own: Tensor = value.clone()
            value.copy_(self.weights[name])
            self.weights[name].copy_(own)
