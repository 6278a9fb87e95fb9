"""`Task`: what is to be learnt - a network, batches to learn and to validate from, a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Loss:
    """Outcome of one batch.

    Parameters
    ----------
    value : Tensor [shape=()]
        Mean over the clips of the batch; what is minimised.
    clips : int
        Weight of the batch in the mean over an epoch.
    right : int
        Clips answered rightly, for the log; no decision rests on it.
    """

    value: Tensor
    clips: int
    right: int = 0


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that share a learning rate.

    Parameters
    ----------
    parameters : tuple of nn.Parameter
    rate_factor : float > 0
        Times the learning rate of the settings.
    """

    parameters: tuple[nn.Parameter, ...]
    rate_factor: float = 1.0


class Task(ABC):
    """What `aver.training.fit.fit` learns; models subclass it.

    Parameters
    ----------
    network : nn.Module
        Its parameters are trained in place.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def parameter_groups(self) -> tuple[ParameterGroup, ...]:
        """What is trained, and how fast; every parameter alike unless a task says otherwise."""
        trained = tuple(p for p in self.network.parameters() if p.requires_grad)
        return (ParameterGroup(trained),)

    def begin_epoch(self, epoch: int) -> None:  # noqa: B027 - most tasks freeze nothing
        """Called before each epoch, counted from 0: where parts are frozen and thawed."""

    @property
    @abstractmethod
    def steps_per_epoch(self) -> int:
        """Batches that `training_batches` yields."""

    @abstractmethod
    def training_batches(self, generator: torch.Generator) -> Iterator[Any]:
        """One epoch in a random order.

        Parameters
        ----------
        generator : torch.Generator
            The only source of chance; its seed depends on the run's seed and the epoch alone, so
            that a resumed run sees the same batches.

        Yields
        ------
        Any
            A batch with a method ``to(device)``.
        """

    @abstractmethod
    def validation_batches(self) -> Iterator[Any]:
        """All validation clips, without augmentation, always the same."""

    @abstractmethod
    def loss(self, batch: Any) -> Loss:
        """Run the network on a batch; the network is in training or evaluation mode already."""
