"""`Task`: a network, its training and validation batches, and a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Loss:
    """Result of one batch.

    Parameters
    ----------
    value : Tensor [shape=()]
        The mean over the clips of the batch; it is minimized.
    clips : int
        Weight of the batch in the mean over an epoch.
    correct : int
        Number of correctly classified clips. It is logged only; no decision depends on it.
    """

    value: Tensor
    clips: int
    correct: int = 0


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that share a learning rate.

    Parameters
    ----------
    parameters : tuple of nn.Parameter
    rate_factor : float > 0
        Factor of the learning rate of the settings.
    """

    parameters: tuple[nn.Parameter, ...]
    rate_factor: float = 1.0


class Task(ABC):
    """What `aver.training.fit.fit` trains; models subclass it.

    Parameters
    ----------
    network : nn.Module
        Its parameters are trained in place.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def parameter_groups(self) -> tuple[ParameterGroup, ...]:
        """The trained parameters and their learning rates; by default all at the same rate."""
        trained = tuple(p for p in self.network.parameters() if p.requires_grad)
        return (ParameterGroup(trained),)

    def begin_epoch(self, epoch: int) -> None:  # noqa: B027 - most tasks freeze nothing
        """Called before each epoch, counted from 0, to freeze and unfreeze modules."""

    @property
    @abstractmethod
    def steps_per_epoch(self) -> int:
        """Number of batches that `training_batches` yields."""

    @abstractmethod
    def training_batches(self, generator: torch.Generator) -> Iterator[Any]:
        """One epoch in a random order.

        Parameters
        ----------
        generator : torch.Generator
            The only source of random numbers. Its seed depends only on the seed of the run and the
            epoch, so that a resumed training sees the same batches.

        Yields
        ------
        Any
            A batch with a method ``to(device)``.
        """

    @abstractmethod
    def validation_batches(self) -> Iterator[Any]:
        """All validation clips, without augmentation, in the same batches every time."""

    @abstractmethod
    def loss(self, batch: Any) -> Loss:
        """Run the network on a batch; `fit` has set it to training or evaluation mode."""
