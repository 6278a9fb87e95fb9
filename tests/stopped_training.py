"""`stopped_after_one_epoch`: interrupts trainings after their first epoch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aver.errors import TrainingInterrupted
from aver.training import fit


@contextmanager
def stopped_after_one_epoch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within it every training raises TrainingInterrupted when its first epoch is saved."""
    save_state = fit.save_state

    def save_and_stop(path: Path, state: dict[str, object]) -> None:
        save_state(path, state)
        raise TrainingInterrupted("stopped")

    with monkeypatch.context() as patched:
        patched.setattr(fit, "save_state", save_and_stop)
        yield
