"""`fit`: train any task, stop early, keep the best epoch, survive being killed."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.loggers import TensorBoardLogger

from aver.errors import CheckpointError, SettingsError, TrainingInterrupted
from aver.execution.progress import progress_bar
from aver.training.epoch_keeper import EpochKeeper
from aver.training.fixed_threads import fixed_threads
from aver.training.history import History
from aver.training.lightning_module import TaskModule
from aver.training.resume_state import RESUME_NAME
from aver.training.seeding import seeded
from aver.training.settings import TrainingSettings
from aver.training.stop_request import StopRequest, StopRequested
from aver.training.task import Task


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
