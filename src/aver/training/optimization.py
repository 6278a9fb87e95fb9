"""`WeightAverage`: a running average of the weights, which is what gets validated and kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau, StepLR

from aver.training.settings import TrainingSettings
from aver.training.task import ParameterGroup


def make_optimizer(groups: Sequence[ParameterGroup], settings: TrainingSettings) -> Optimizer:
    """The optimiser of a training; schedules scale the rate of each group.

    Source: Chang & Skarbek 2021, section 4.2 (AdamW); Birhala et al. 2020, section IV (SGD with
    momentum 0.9).
    """
    rate, decay = settings.learning_rate, settings.weight_decay
    parameters = [
        {"params": list(group.parameters), "lr": rate * group.rate_factor} for group in groups
    ]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=settings.momentum, weight_decay=decay)
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)


_WARM_UP_SHARE = 0.1


def cosine_factor(step: int, steps: int) -> float:
    """Share of the full learning rate: a linear warm-up, then half a cosine.

    Parameters
    ----------
    step : int in [0, steps]
    steps : int >= 1
        Of the whole training.

    Examples
    --------
    >>> cosine_factor(10, 100), round(cosine_factor(55, 100), 3), cosine_factor(100, 100)
    (1.0, 0.5, 0.0)
    """
    warm_up = max(1, round(_WARM_UP_SHARE * steps))
    if step < warm_up:
        return (step + 1) / (warm_up + 1)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm_up) / max(1, steps - warm_up))))


def make_schedule(
    optimizer: Optimizer, settings: TrainingSettings, steps_per_epoch: int
) -> dict[str, Any]:
    """A schedule that counts, in the words of Lightning's ``lr_scheduler``: by steps or a cosine.

    Source: Birhala et al. 2020, section IV, for the division by ten every 50 "steps", which are
    read as epochs.
    """
    if settings.schedule == "step":
        divided = StepLR(optimizer, settings.divide_every_epochs, gamma=0.1)
        return {"scheduler": divided, "interval": "epoch"}
    steps = settings.epochs * steps_per_epoch
    cosine = LambdaLR(optimizer, lambda step: cosine_factor(step, steps))
    return {"scheduler": cosine, "interval": "step"}


def reduce_on_plateau(optimizer: Optimizer, settings: TrainingSettings) -> ReduceLROnPlateau:
    """The schedule that looks at the validation loss; to be stepped with it after each epoch.

    Source: Chang & Skarbek 2021, section 4.2, for halving after ten epochs without a drop.
    """
    return ReduceLROnPlateau(optimizer, factor=0.5, patience=settings.lr_patience, threshold=0.0)


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
