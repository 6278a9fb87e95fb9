"""`TaskModule`: a `Task` in the words of Lightning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from aver.training.optimizer import make_optimizer
from aver.training.schedule import halve_on_plateau, make_schedule
from aver.training.seeding import derived_seed
from aver.training.settings import TrainingSettings
from aver.training.task import Loss, Task
from aver.training.weight_average import WeightAverage


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
            WeightAverage(task.network, settings.average_decay) if settings.average_decay else None
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
        if self.settings.schedule == "halve-on-plateau":
            self._plateau = halve_on_plateau(optimizer, self.settings)
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
