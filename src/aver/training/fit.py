"""`fit`: train any task, stop early, keep the best epoch, survive being killed."""

from __future__ import annotations

import json
import logging
import math
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from aver.errors import CheckpointError, SettingsError, TrainingInterrupted
from aver.execution.files import write_atomically, write_text
from aver.execution.progress import ProgressBar, progress_bar
from aver.training.history import RESUME_NAME, History
from aver.training.optimization import (
    WeightAverage,
    make_optimizer,
    make_schedule,
    reduce_on_plateau,
)
from aver.training.seeding import derived_seed, fixed_threads, seeded
from aver.training.settings import TrainingSettings
from aver.training.task import Loss, Task


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


class _Mean:
    """Mean loss and accuracy over the batches of an epoch, summed without leaving the device."""

    def __init__(self) -> None:
        self.loss: Tensor | float = 0.0
        self.right = 0
        self.clips = 0

    def add(self, loss: Loss) -> None:
        self.loss = self.loss + loss.value.detach().double() * loss.clips
        self.right += loss.right
        self.clips += loss.clips

    @property
    def mean_loss(self) -> float:
        return float(self.loss) / max(1, self.clips)

    @property
    def accuracy(self) -> float:
        return self.right / max(1, self.clips)


class TaskModule(pl.LightningModule):
    """Runs a task's steps; all chance is drawn from seeds of the epoch.

    Parameters
    ----------
    task : Task
    settings : TrainingSettings
    seed : int
    """

    def __init__(self, task: Task, settings: TrainingSettings, seed: int) -> None:
        super().__init__()
        self.network = task.network
        self.task = task
        self.settings = settings
        self.seed = seed
        self.average = (
            WeightAverage(task.network, settings.ema_decay) if settings.ema_decay else None
        )
        self.training_mean, self.validation_mean = _Mean(), _Mean()
        self._plateau: ReduceLROnPlateau | None = None
        self._plateau_state: dict[str, Any] | None = None

    def train_dataloader(self) -> Any:
        """Batches of the current epoch, drawn anew each time they are asked for."""
        return _Batches(self, training=True)

    def val_dataloader(self) -> Any:
        """All validation batches."""
        return _Batches(self, training=False)

    def transfer_batch_to_device(self, batch: Any, device: Any, dataloader_idx: int) -> Any:
        """Batches know how to move themselves."""
        return batch.to(device)

    def on_train_epoch_start(self) -> None:
        """Seed dropout and everything else that draws from torch's own generators."""
        torch.manual_seed(derived_seed(self.seed, "network", self.current_epoch))
        self.task.begin_epoch(self.current_epoch)
        self.training_mean = _Mean()

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """One step of learning."""
        loss = self.task.loss(batch)
        self.training_mean.add(loss)
        return loss.value

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Take the weights after each step into their average."""
        if self.average is not None:
            self.average.update(self.network)

    def on_validation_epoch_start(self) -> None:
        """Validate the averaged weights, where they are averaged."""
        self.validation_mean = _Mean()
        if self.average is not None:
            self.average.swap(self.network)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """One step of validation."""
        self.validation_mean.add(self.task.loss(batch))

    def on_validation_epoch_end(self) -> None:
        """Log what early stopping and the schedule look at."""
        self.log("validation_loss", self.validation_mean.mean_loss)
        self.log("validation_accuracy", self.validation_mean.accuracy)
        self.log("training_loss", self.training_mean.mean_loss)
        self.log("training_accuracy", self.training_mean.accuracy)

    def on_validation_end(self) -> None:
        """Go on training the weights themselves; callbacks have seen the average by now.

        The rate is halved here, for Lightning would do it after the resume state is written.
        """
        if self.average is not None:
            self.average.swap(self.network)
        if self._plateau is not None:
            self._plateau.step(float(self.trainer.callback_metrics["validation_loss"]))

    def configure_optimizers(self) -> Any:
        """The optimiser and the schedule of the settings."""
        optimizer = make_optimizer(self.task.parameter_groups(), self.settings)
        if self.settings.schedule == "reduce-on-plateau":
            self._plateau = reduce_on_plateau(optimizer, self.settings)
            if self._plateau_state is not None:
                self._plateau.load_state_dict(self._plateau_state)
            return {"optimizer": optimizer}
        schedule = make_schedule(optimizer, self.settings, self.task.steps_per_epoch)
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the average and the wait for a lower loss with the resume state."""
        if self._plateau is not None:
            checkpoint["plateau"] = self._plateau.state_dict()
        if self.average is not None:
            checkpoint["average"] = {"steps": self.average.steps, "weights": self.average.weights}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take both up again; the schedule itself is made later."""
        self._plateau_state = checkpoint.get("plateau")
        if self.average is not None:
            self.average.steps = checkpoint["average"]["steps"]
            self.average.weights = checkpoint["average"]["weights"]


class _Batches:
    """What Lightning iterates over: no worker processes, for the features are in memory."""

    def __init__(self, module: TaskModule, training: bool) -> None:
        self._module = module
        self._training = training
        self._count = (
            module.task.steps_per_epoch
            if training
            else sum(1 for _ in module.task.validation_batches())
        )

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        # A generator, so that the epoch is read when its first batch is wanted: a resumed run
        # makes this iterator while it still counts the epoch before.
        if not self._training:
            yield from self._module.task.validation_batches()
            return
        generator = torch.Generator()
        generator.manual_seed(
            derived_seed(self._module.seed, "batches", self._module.current_epoch)
        )
        yield from self._module.task.training_batches(generator)


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


def fit(
    task: Task,
    settings: TrainingSettings,
    *,
    seed: int = 0,
    run_folder: Path | None = None,
    description: str = "Training",
) -> History:
    """Train a task's network in place and leave it with the weights of the epoch to be kept.

    Early stopping, the choice of the epoch and the halving of the rate look at the validation
    batches only. Chance comes from seeds of the run and the epoch, so that a run that was killed
    and called again with the same `run_folder` ends with the same weights, bit for bit on a CPU.

    Parameters
    ----------
    task : Task
    settings : TrainingSettings
    seed : int
    run_folder : Path, optional
        Gets ``training.jsonl`` (one line an epoch), ``tensorboard/`` and ``resume.ckpt``
        (Lightning's state, read with ``weights_only=True``). Nothing is written without it.
    description : str
        Words in front of the progress bar.

    Returns
    -------
    History

    Raises
    ------
    TrainingInterrupted
        After Ctrl-C or SIGTERM, at the end of the batch; the state after the last whole epoch is
        kept.
    CheckpointError
        If the resume state in `run_folder` belongs to another network.
    SettingsError
        If a GPU is asked for and there is none, or if the loss is not finite after the first epoch.
    """
    module = TaskModule(task, settings, seed)
    steps = settings.epochs * task.steps_per_epoch
    with fixed_threads(settings.threads), seeded(seed, "fit"), _quiet_lightning():
        with progress_bar(description, steps) as bar:
            keep_last = settings.keep == "last"
            keeper = EpochKeeper(run_folder, bar, settings.patience, keep_last)
            stop = StopRequest()
            trainer = _make_trainer(settings, [keeper, stop], run_folder)
            with stop.listening():
                _run(trainer, module, run_folder)
            if stop.wanted:  # too late for a batch to end, so that nobody has answered yet
                raise TrainingInterrupted(_interrupted_words(trainer, run_folder))
        task.network.cpu()
        task.network.load_state_dict(keeper.best_weights)
        task.network.eval()
    return keeper.history()


def _make_trainer(
    settings: TrainingSettings, callbacks: list[Any], run_folder: Path | None
) -> pl.Trainer:
    on_gpu = settings.device == "cuda" or (settings.device == "auto" and torch.cuda.is_available())
    if on_gpu and not torch.cuda.is_available():
        raise SettingsError(
            "Training on a GPU was asked for (device: cuda), but torch finds none. "
            "Use device: auto or cpu."
        )
    precision = {"32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}[settings.precision]
    logger = (
        False
        if run_folder is None
        else TensorBoardLogger(run_folder, name="tensorboard", version="")
    )
    return pl.Trainer(
        accelerator="cuda" if on_gpu else "cpu",
        devices=1,
        precision=precision if on_gpu else "32-true",  # type: ignore[arg-type]
        max_epochs=settings.epochs,
        gradient_clip_val=settings.gradient_clip or None,
        callbacks=callbacks,
        logger=logger,
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=run_folder,
        inference_mode=False,
    )


def _run(trainer: pl.Trainer, module: TaskModule, run_folder: Path | None) -> None:
    resume = None if run_folder is None else run_folder / RESUME_NAME
    known = resume is not None and resume.exists()
    try:
        trainer.fit(module, ckpt_path=resume if known else None, weights_only=True)
    except (StopRequested, SystemExit):
        # Lightning leaves the process by itself after KeyboardInterrupt and SIGTERM.
        raise TrainingInterrupted(_interrupted_words(trainer, run_folder)) from None
    except (RuntimeError, KeyError) as error:
        if known and "state_dict" in str(error):
            raise CheckpointError(
                f"The state to resume from at {resume} belongs to another network. Choose another "
                "run folder, or delete that file to start over."
            ) from error
        raise


def _interrupted_words(trainer: pl.Trainer, run_folder: Path | None) -> str:
    epoch = min(trainer.current_epoch + 1, trainer.max_epochs or 1)
    words = f"Training was interrupted in epoch {epoch}."
    if run_folder is None:
        return f"{words} Nothing was kept, because there was no run folder."
    return (
        f"{words} The state after the last whole epoch is in {run_folder / RESUME_NAME}; run the "
        "same command with the same run folder to go on from there."
    )


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Silence what Lightning says about devices, workers and its own products."""
    loggers = [
        logging.getLogger(name)
        for name in ("lightning", "lightning.pytorch", "lightning.fabric", "lightning_fabric")
    ]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning.*")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
