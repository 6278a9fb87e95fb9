"""`fit` trains any task: early stopping, the best epoch kept, resumption to the bit."""

from __future__ import annotations

import json
import math
import pickle
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from aver.errors import CheckpointError, SettingsError, TrainingInterrupted
from aver.execution.files import write_atomically, write_text
from aver.execution.progress import ProgressBar, progress_bar
from aver.settings import settings_to_mapping
from aver.training.history import LOG_NAME, RESUME_NAME, History
from aver.training.loggers import open_loggers
from aver.training.optimization import WeightAverage, make_optimizer, make_schedule
from aver.training.seeding import derived_seed, fixed_threads, seeded
from aver.training.settings import TrainingSettings
from aver.training.task import Loss, Task


def fit(
    task: Task,
    settings: TrainingSettings,
    *,
    seed: int = 0,
    run_folder: Path | None = None,
    description: str = "Training",
) -> History:
    """Train the network of a task in place and leave it with the weights of the kept epoch.

    Early stopping, the choice of the epoch and the halving of the learning rate depend on the
    validation batches only. All random numbers come from seeds derived from the seed of the run and
    the epoch. A training that was killed and is called again with the same `run_folder` therefore
    ends with the same weights, bit for bit on a CPU.

    Parameters
    ----------
    task : Task
    settings : TrainingSettings
    seed : int
    run_folder : Path, optional
        Receives ``training.jsonl`` (one line per epoch), ``resume.ckpt`` (the state after the last
        whole epoch, read with ``weights_only=True``) and what `TrainingSettings.loggers` write.
        Nothing is written without it.
    description : str
        Text in front of the progress bar.

    Returns
    -------
    History

    Raises
    ------
    TrainingInterrupted
        After Ctrl-C or SIGTERM, at the end of the current batch. The state after the last whole
        epoch is kept. A second Ctrl-C does not wait for the end of the batch.
    CheckpointError
        If the resume state in `run_folder` belongs to another network or cannot be read.
    SettingsError
        If a GPU is requested and torch finds none, or if the validation loss of the first epoch is
        not finite.
    """
    device = _device(settings)
    with (
        fixed_threads(settings.threads),
        seeded(seed, "fit"),
        progress_bar(description, settings.epochs * task.steps_per_epoch, "steps") as bar,
    ):
        stop = _StopRequest()
        training = _Training(task, settings, seed, device, bar, stop)
        try:
            with stop.listening():
                training.run(run_folder)
            stop.check()  # for a signal after the last batch
        except KeyboardInterrupt:
            epoch = min(len(training.rows) + 1, settings.epochs)
            raise TrainingInterrupted(_interruption(epoch, run_folder)) from None
        finally:
            task.network.cpu()
        task.network.load_state_dict(training.best_weights)
        task.network.eval()
    return History(tuple(training.rows), training.best_epoch, training.stopped_early)


def _device(settings: TrainingSettings) -> torch.device:
    available = torch.cuda.is_available()
    if settings.device == "cuda" and not available:
        raise SettingsError(
            "training.device is cuda, but torch finds no GPU. Set it to auto or cpu."
        )
    return torch.device("cuda" if available and settings.device != "cpu" else "cpu")


def _interruption(epoch: int, run_folder: Path | None) -> str:
    message = f"Training was interrupted in epoch {epoch}."
    if run_folder is None:
        return f"{message} Nothing was kept, because there was no run folder."
    if not (run_folder / RESUME_NAME).exists():
        return f"{message} Nothing was kept, because no epoch was finished."
    return (
        f"{message} The state after the last whole epoch is in {run_folder / RESUME_NAME}; run the "
        "same command with the same run folder to resume."
    )


class _StopRequest:
    """Remembers a signal to stop until the current batch has ended.

    An exception raised by a signal handler can be lost: Python drops exceptions that occur while an
    object is being deleted. The first signal is therefore only remembered. The second one raises
    `KeyboardInterrupt` at once, for batches that take too long.
    """

    def __init__(self) -> None:
        self._requested = False

    @contextmanager
    def listening(self) -> Iterator[_StopRequest]:
        """Handle SIGINT and SIGTERM, and restore the previous handlers afterwards.

        An ignored signal stays ignored. Only the main thread can set handlers; in another thread
        nothing changes.
        """
        handlers = {}
        if threading.current_thread() is threading.main_thread():
            handlers = {which: signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)}
        try:
            for which, handler in handlers.items():
                if handler is not signal.SIG_IGN:
                    signal.signal(which, self._handle)
            yield self
        finally:
            for which, handler in handlers.items():
                signal.signal(which, handler)

    def check(self) -> None:
        """Raise `KeyboardInterrupt` if a signal has arrived."""
        if self._requested:
            raise KeyboardInterrupt

    def _handle(self, which: int, frame: FrameType | None) -> None:
        self.check()
        self._requested = True


class _Mean:
    """Mean loss and accuracy over the batches of an epoch, summed without leaving the device."""

    def __init__(self) -> None:
        self._loss: Tensor | float = 0.0
        self._correct = self._clips = 0

    def add(self, loss: Loss) -> None:
        self._loss = self._loss + loss.value.detach().double() * loss.clips
        self._correct += loss.correct
        self._clips += loss.clips

    def figures(self, subset: str) -> dict[str, float]:
        """Loss and accuracy, rounded to single precision, in which the losses are computed."""
        clips = max(1, self._clips)
        means = {"loss": float(self._loss) / clips, "accuracy": self._correct / clips}
        return {f"{subset}_{name}": torch.tensor(mean).item() for name, mean in means.items()}


class _Training:
    """The state of one training and the loop over its epochs."""

    def __init__(
        self,
        task: Task,
        settings: TrainingSettings,
        seed: int,
        device: torch.device,
        bar: ProgressBar,
        stop: _StopRequest,
    ) -> None:
        self.rows: list[dict[str, Any]] = []
        self.best_epoch, self.best_loss = 0, math.inf
        self.best_weights: dict[str, Tensor] = {}
        self._task, self._settings, self._seed = task, settings, seed
        self._device, self._bar, self._stop = device, bar, stop
        self._network = task.network.to(device)
        self._optimizer = make_optimizer(task.parameter_groups(), settings)
        self._schedule: Any = make_schedule(self._optimizer, settings, task.steps_per_epoch)
        self._average = (
            WeightAverage(self._network, settings.ema_decay) if settings.ema_decay else None
        )
        # A CPU always computes in full precision.
        types = {"bf16": torch.bfloat16, "fp16": torch.float16}
        mixed = types.get(settings.precision) if device.type == "cuda" else None
        self._autocast = torch.autocast(device.type, mixed) if mixed else nullcontext()
        self._scaler = torch.amp.GradScaler(device.type, enabled=mixed is torch.float16)

    @property
    def stopped_early(self) -> bool:
        """Whether patience has run out, or the last validation loss is not finite.

        It follows from the rows alone, so that a resumed training stops at the same epoch.
        """
        if not self.rows:
            return False
        waited = 0 if self._settings.keep == "last" else len(self.rows) - self.best_epoch
        finite = math.isfinite(self.rows[-1]["validation_loss"])
        return waited >= self._settings.patience or not finite

    def run(self, run_folder: Path | None) -> None:
        """Train all epochs that are left and save the state after each of them."""
        if run_folder is not None and (run_folder / RESUME_NAME).exists():
            self._load(run_folder / RESUME_NAME)
        if len(self.rows) == self._settings.epochs or self.stopped_early:
            return
        facts = {**settings_to_mapping(self._settings), "seed": self._seed}
        with open_loggers(self._settings.loggers, run_folder, facts) as write_curves:
            while len(self.rows) < self._settings.epochs and not self.stopped_early:
                self._run_epoch()
                row = self.rows[-1]
                if run_folder is not None:
                    lines = "".join(json.dumps(row) + "\n" for row in self.rows)
                    write_text(run_folder / LOG_NAME, lines)
                    save_state(run_folder / RESUME_NAME, self._state())
                write_curves(row)

    def _run_epoch(self) -> None:
        epoch = len(self.rows)
        # Dropout and whatever else draws from torch's own generators.
        torch.manual_seed(derived_seed(self._seed, "network", epoch))
        self._task.begin_epoch(epoch)
        figures = self._train(epoch)
        if self._average is not None:
            self._average.swap(self._network)
        figures |= self._validate()
        self._keep({"epoch": epoch + 1, **dict(sorted(figures.items()))})
        if self._average is not None:
            self._average.swap(self._network)
        if self._settings.schedule == "reduce-on-plateau":
            self._schedule.step(self.rows[-1]["validation_loss"])

    def _train(self, epoch: int) -> dict[str, float]:
        mean = _Mean()
        generator = torch.Generator()
        generator.manual_seed(derived_seed(self._seed, "batches", epoch))
        for batch in self._task.training_batches(generator):
            with self._autocast:
                loss = self._task.loss(batch.to(self._device))
            mean.add(loss)
            self._optimizer.zero_grad()
            self._scaler.scale(loss.value).backward()
            if self._settings.gradient_clip:
                self._scaler.unscale_(self._optimizer)
                parameters = [p for g in self._optimizer.param_groups for p in g["params"]]
                torch.nn.utils.clip_grad_norm_(parameters, self._settings.gradient_clip)
            self._scaler.step(self._optimizer)
            self._scaler.update()
            if self._settings.schedule == "cosine":
                self._schedule.step()
            if self._average is not None:
                self._average.update(self._network)
            self._bar.advance()
            self._stop.check()
        if self._settings.schedule == "step":
            self._schedule.step()
        return mean.figures("training")

    def _validate(self) -> dict[str, float]:
        mean = _Mean()
        # Restored one by one afterwards, because frozen modules stay in evaluation mode.
        modes = [(module, module.training) for module in self._network.modules()]
        self._network.eval()
        with torch.no_grad(), self._autocast:
            for batch in self._task.validation_batches():
                mean.add(self._task.loss(batch.to(self._device)))
                self._stop.check()
        for module, mode in modes:
            module.training = mode
        return mean.figures("validation")

    def _keep(self, row: dict[str, Any]) -> None:
        """Add the row of an epoch, and keep the weights of the epoch if it is the best one."""
        epoch, loss = row["epoch"], row["validation_loss"]
        row["learning_rate"] = float(self._optimizer.param_groups[0]["lr"])
        if self.best_epoch == 0 and not math.isfinite(loss):
            raise SettingsError(
                f"The training diverged: the validation loss after epoch {epoch} is {loss} at a "
                f"learning rate of {row['learning_rate']:g}. Choose a smaller "
                "training.learning_rate, or limit the gradient with training.gradient_clip."
            )
        self.rows.append(row)
        if loss < self.best_loss or (self._settings.keep == "last" and math.isfinite(loss)):
            self.best_epoch, self.best_loss = epoch, loss
            self.best_weights = {
                name: value.detach().cpu().clone()
                for name, value in self._network.state_dict().items()
            }
        self._bar.describe(
            f"Epoch {epoch}: validation loss {loss:.3f} "
            f"(kept {self.best_loss:.3f} of epoch {self.best_epoch})"
        )

    def _state(self) -> dict[str, Any]:
        """Everything a resumed training needs; plain values and tensors only."""
        average = self._average
        return {
            "network": self._network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "scaler": self._scaler.state_dict(),
            "average": average and {"steps": average.steps, "weights": average.weights},
            "rows": self.rows,
            "best_epoch": self.best_epoch,
            "best_loss": self.best_loss,
            "best_weights": self.best_weights,
        }

    def _load(self, path: Path) -> None:
        """Restore what `_state` saved.

        Raises
        ------
        CheckpointError
        """
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
            raise CheckpointError(
                f"The resume state {path} cannot be read. Delete it to start over."
            ) from error
        if "pytorch-lightning_version" in state:
            state = _from_version_0_1(state)
        try:
            self._network.load_state_dict(state["network"])
            self._optimizer.load_state_dict(state["optimizer"])
            self._schedule.load_state_dict(state["schedule"])
            self._scaler.load_state_dict(state["scaler"])
            if self._average is not None:
                self._average.steps = state["average"]["steps"]
                for name, value in state["average"]["weights"].items():
                    self._average.weights[name].copy_(value)
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"The resume state {path} belongs to another network or to other training "
                "settings. Choose another run folder, or delete that file to start over."
            ) from error
        self.rows = list(state["rows"])
        self.best_epoch, self.best_loss = state["best_epoch"], state["best_loss"]
        self.best_weights = state["best_weights"]


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a resume state, whole or not at all."""
    with write_atomically(path) as temporary:
        torch.save(state, temporary)


def _from_version_0_1(state: dict[str, Any]) -> dict[str, Any]:
    """The same state as `_Training` saves it, from one that Lightning wrote for version 0.1."""
    network = {name.removeprefix("network."): w for name, w in state["state_dict"].items()}
    return {
        "network": network,
        "optimizer": state["optimizer_states"][0],
        "schedule": state["plateau"] if "plateau" in state else state["lr_schedulers"][0],
        "scaler": state.get("MixedPrecision", {}),
        "average": state.get("average"),
        **state["callbacks"]["EpochKeeper"],
    }
