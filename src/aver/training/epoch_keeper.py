"""`EpochKeeper`: after each epoch, keep the best weights, log and state; say when to stop."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from torch import Tensor

from aver.errors import SettingsError
from aver.execution.atomic import write_atomically, write_text
from aver.execution.progress import ProgressBar
from aver.training.history import History
from aver.training.resume_state import RESUME_NAME

LOG_NAME = "training.jsonl"


class EpochKeeper(pl.Callback):
    """Remembers every epoch and the weights of the best one, in memory and in the run folder.

    Parameters
    ----------
    run_folder : Path or None
        Nothing is written without it.
    bar : ProgressBar
    patience : int >= 1
        Stop after so many epochs without a lower validation loss. This follows from the kept epochs
        alone, so that a resumed run stops where an unbroken one does.
    keep_last : bool
        Keep the last epoch whatever its loss, and never stop early.
    """

    def __init__(
        self, run_folder: Path | None, bar: ProgressBar, patience: int, keep_last: bool = False
    ) -> None:
        self._run_folder = run_folder
        self._bar = bar
        self._patience = patience
        self._keep_last = keep_last
        self.rows: list[dict[str, Any]] = []
        self.best_epoch = 0
        self.best_loss = float("inf")
        self.best_weights: dict[str, Tensor] = {}

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs to know; plain values and tensors only."""
        return {
            "rows": self.rows,
            "best_epoch": self.best_epoch,
            "best_loss": self.best_loss,
            "best_weights": self.best_weights,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue where the state ends."""
        self.rows = list(state_dict["rows"])
        self.best_epoch = state_dict["best_epoch"]
        self.best_loss = state_dict["best_loss"]
        self.best_weights = state_dict["best_weights"]

    @property
    def stopped_early(self) -> bool:
        """Whether patience has run out, or the loss is a number no longer."""
        if not self.rows:
            return False
        waited = 0 if self._keep_last else len(self.rows) - self.best_epoch
        return waited >= self._patience or not math.isfinite(self.rows[-1]["validation_loss"])

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Leave a training alone that had stopped early before it was resumed."""
        trainer.should_stop = self.stopped_early

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Move the bar."""
        self._bar.advance()

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Compare with the best epoch; averaged weights, if any, are in the network now.

        Raises
        ------
        SettingsError
            If the loss of the first epoch is not finite: there is nothing to keep.
        """
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        epoch = trainer.current_epoch + 1
        row: dict[str, Any] = {"epoch": epoch, **dict(sorted(figures.items()))}
        row["learning_rate"] = float(trainer.optimizers[0].param_groups[0]["lr"])
        loss = row["validation_loss"]
        if self.best_epoch == 0 and not math.isfinite(loss):
            raise SettingsError(
                f"Training went astray: the validation loss after epoch {epoch} is {loss}, at a "
                f"learning rate of {row['learning_rate']:g}. Choose a smaller "
                "training.learning_rate, or limit the step with training.gradient_clip."
            )
        self.rows.append(row)
        if loss < self.best_loss or (self._keep_last and math.isfinite(loss)):
            self.best_epoch, self.best_loss = epoch, loss
            self.best_weights = {
                name: value.detach().cpu().clone()
                for name, value in pl_module.network.state_dict().items()
            }
        self._bar.describe(
            f"Epoch {epoch}: validation loss {loss:.3f} "
            f"(kept {self.best_loss:.3f} of epoch {self.best_epoch})"
        )
        if self.stopped_early:
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Write the log and the resume state, each whole or not at all."""
        if self._run_folder is None:
            return
        write_text(
            self._run_folder / LOG_NAME, "".join(json.dumps(row) + "\n" for row in self.rows)
        )
        with write_atomically(self._run_folder / RESUME_NAME) as temporary:
            trainer.save_checkpoint(temporary)

    def history(self) -> History:
        """The record of the whole training."""
        return History(tuple(self.rows), self.best_epoch, self.stopped_early)
