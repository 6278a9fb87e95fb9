"""`make_optimizer`: AdamW or SGD with momentum, as the settings say."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.optim import Optimizer

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
