"""`StopRequest`: Ctrl-C and SIGTERM end training between batches, where nothing is half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import lightning.pytorch as pl


class StopRequested(Exception):  # noqa: N818 - an interruption, not a fault
    """Leaves Lightning's loops; `aver.training.fit.fit` turns it into `TrainingInterrupted`."""


class StopRequest(pl.Callback):
    """Notes the wish to stop and grants it after the batch.

    An exception raised by a signal handler can be lost: Python drops those that strike while an
    object is being deleted. So the first signal is only noted. The second raises
    `KeyboardInterrupt` at once, for batches that last too long.
    """

    def __init__(self) -> None:
        self.wanted = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM over, and give them back afterwards.

        A signal that the process ignores stays ignored. Only the main thread may do so; elsewhere
        nothing is taken over.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {which: signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)}
        try:
            for which, handler in before.items():
                if handler is not signal.SIG_IGN:
                    signal.signal(which, self._note)
            yield
        finally:
            for which, handler in before.items():
                signal.signal(which, handler)

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop after a step of learning."""
        self._grant()

    def on_validation_batch_end(
        self,
        trainer: Any,
        pl_module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Stop after a step of validation."""
        self._grant()

    def _note(self, which: int, frame: FrameType | None) -> None:
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True

    def _grant(self) -> None:
        if self.wanted:
            raise StopRequested
