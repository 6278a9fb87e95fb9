"""A small task for the tests of training: a line with dropout, learnt from drawn numbers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aver.training.seeding import seeded
from aver.training.task import Loss, Task

SIGNALS = {"kill": signal.SIGKILL, "ctrl-c": signal.SIGINT, "term": signal.SIGTERM}


@dataclass(frozen=True)
class Points:
    x: Tensor
    y: Tensor

    def to(self, device: torch.device | str) -> Points:
        return Points(self.x.to(device), self.y.to(device))


class LineTask(Task):
    """y = x . w with noise; validation may be made to contradict training."""

    def __init__(self, *, validation_sign: float = 1.0, break_at: str = "", break_epoch: int = 0):
        with seeded(7, "line"):
            super().__init__(
                nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 1))
            )
            x = torch.randn(48, 6)
            y = x @ torch.arange(6.0)[:, None] + 0.1 * torch.randn(48, 1)
        self._train = Points(x[:32], y[:32])
        self._validation = Points(x[32:], validation_sign * y[32:])
        self._break_at, self._break_epoch, self.epochs_drawn = break_at, break_epoch, 0

    @property
    def steps_per_epoch(self) -> int:
        return 4

    def training_batches(self, generator: torch.Generator) -> Iterator[Points]:
        self.epochs_drawn += 1
        for place, rows in enumerate(torch.randperm(32, generator=generator).split(8)):
            if place == 2 and self.epochs_drawn == self._break_epoch:
                os.kill(os.getpid(), SIGNALS[self._break_at])
            yield Points(self._train.x[rows], self._train.y[rows])

    def validation_batches(self) -> Iterator[Points]:
        yield self._validation

    def loss(self, batch: Points) -> Loss:
        error = self.network(batch.x) - batch.y
        return Loss(error.square().mean(), len(batch.x), int((error.abs() < 1).sum()))
