"""Optimizers, learning-rate schedules and the running average of the weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau, StepLR

from aver.training.settings import TrainingSettings
from aver.training.task import ParameterGroup


def make_optimizer(groups: Sequence[ParameterGroup], settings: TrainingSettings) -> Optimizer:
    """The optimizer of the settings, with one learning rate per group of parameters.

    Notes
    -----
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
    """Factor of the learning rate: a linear warm-up over a tenth of the steps, then half a cosine.

    Parameters
    ----------
    step : int in [0, steps]
    steps : int >= 1
        Number of steps of the whole training.

    Returns
    -------
    float in [0, 1]

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
) -> LRScheduler:
    """The schedule of the settings; it scales the rate of every group.

    Returns
    -------
    LRScheduler
        To be stepped after each batch (``"cosine"``), after the batches of each epoch (``"step"``)
        or with the validation loss of each epoch (``"reduce-on-plateau"``).

    Notes
    -----
    Source: Chang & Skarbek 2021, section 4.2, for halving after ten epochs without a drop; Birhala
    et al. 2020, section IV, for the division by ten every 50 "steps", which are read as epochs.
    """
    if settings.schedule == "reduce-on-plateau":
        return ReduceLROnPlateau(optimizer, factor=0.5, patience=settings.lr_patience, threshold=0)
    if settings.schedule == "step":
        return StepLR(optimizer, settings.divide_every_epochs, gamma=0.1)
    steps = settings.epochs * steps_per_epoch
    return LambdaLR(optimizer, lambda step: cosine_factor(step, steps))


class WeightAverage:
    """Exponential moving average of the weights and buffers of a network.

    While ``(1 + n) / (10 + n)`` is smaller than the decay, step n uses it instead, so that the
    random initial weights lose their influence. Buffers of whole numbers are copied.

    Parameters
    ----------
    network : nn.Module
        The average starts with its weights, on its device.
    decay : float in [0, 1)
        Per step.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self.steps = 0
        self.weights = {name: value.clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Add the weights after a training step to the average."""
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        for name, value in network.state_dict().items():
            average = self.weights[name]
            if average.dtype.is_floating_point:
                average.lerp_(value, 1 - decay)
            else:
                average.copy_(value)

    @torch.no_grad()
    def swap(self, network: nn.Module) -> None:
        """Exchange the average and the network's own weights."""
        for name, value in network.state_dict().items():
            own = value.clone()
            value.copy_(self.weights[name])
            self.weights[name].copy_(own)
