"""`stopped_after_one_epoch`: trainings that are stopped once their first epoch is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aver.errors import TrainingInterrupted
from aver.training.fit import EpochKeeper


@contextmanager
def stopped_after_one_epoch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within it every training raises TrainingInterrupted after its first epoch."""
    keep = EpochKeeper.on_train_epoch_end

    def keep_and_stop(self: EpochKeeper, trainer: object, module: object) -> None:
        keep(self, trainer, module)
        raise TrainingInterrupted("stopped")

    with monkeypatch.context() as patched:
        patched.setattr(EpochKeeper, "on_train_epoch_end", keep_and_stop)
        yield
