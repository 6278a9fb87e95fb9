"""`TorchRecognizer`: what recognizers that train one torch network share."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import nn

from aver.corpora.clip import Clip
from aver.features.store import FeatureSource
from aver.models.base.checkpoint import check_names
from aver.models.base.recognizer import Recognizer, check_validation, label_shares
from aver.models.data.sampler import Sampler
from aver.models.layers.encoder import freeze_first_epochs, groups_by_rate
from aver.training.history import History
from aver.training.task import ParameterGroup, Task

B = TypeVar("B")
N = TypeVar("N", bound=nn.Module)


class TorchRecognizer(Recognizer, Generic[N]):
    """Trains, saves and loads a network; subclasses say how it is built and what it predicts.

    The settings must have ``training`` (`aver.training.settings.TrainingSettings`) and ``refit``.
    With ``refit`` the network is trained on the validation clips too and the last epoch is kept.
    """

    can_refit = True
    network: N
    """The trained network; set by `fit` and `load`."""

    def __init__(self, settings: Any, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self._shapes: dict[str, tuple[int, ...]] = {}  # by modality, of one frame
        self.history: History | None = None

    @abstractmethod
    def _build(self) -> N:
        """The network for `_shapes`, `classes` and `targets`, with random weights."""

    @abstractmethod
    def _task(self, train: Sequence[Clip], validation: Sequence[Clip], seed: int) -> Task:
        """The network before training, its batches and losses; sets `_shapes`."""

    @abstractmethod
    def _record(self) -> dict[str, Any]:
        """The system's own facts for the card, ``fitted_on`` and ``labels_used`` among them."""

    @property
    def _description(self) -> str:
        """What the progress bar says."""
        return f"Training {self.name} on {'+'.join(self.modalities)}"

    def task(self, train: Sequence[Clip], validation: Sequence[Clip], seed: int) -> Task:
        """What `fit` trains: the network before training, its batches and losses.

        Raises
        ------
        AverError
            As `fit`.
        """
        self._learn_classes(train, validation)
        return self._task(self._trained_on(train, validation), validation, seed)

    def _learn_classes(self, train: Sequence[Clip], validation: Sequence[Clip]) -> None:
        check_validation(validation)
        self._classes, self._prior = label_shares(self._trained_on(train, validation))

    def _trained_on(self, train: Sequence[Clip], validation: Sequence[Clip]) -> Sequence[Clip]:
        return (*train, *validation) if self.settings.refit else train

    @property
    def _trained_subsets(self) -> list[str]:
        """Names of the subsets that the network is trained on, for the card."""
        return ["train", "validation"] if self.settings.refit else ["train"]

    def _fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int,
        run_folder: Path | None,
    ) -> dict[str, Any]:
        from aver.training.fit import fit

        training = self.settings.training
        if self.settings.refit:
            training = dataclasses.replace(training, keep="last")
        task = self._task(self._trained_on(train, validation), validation, seed)
        self.history = fit(
            task,
            training,
            seed=seed,
            run_folder=run_folder,
            description=self._description,
        )
        self.network = task.network  # type: ignore[assignment]
        self._after_training(task, seed)
        return {
            "parameters": sum(p.numel() for p in self.network.parameters()),
            **self.history.facts(held_out=not self.settings.refit),
            **self._record(),
        }

    def _after_training(self, task: Task, seed: int) -> None:
        """What is fitted on the trained network."""

    def _state(self) -> dict[str, Any]:
        return {"shapes": {name: list(shape) for name, shape in self._shapes.items()}}

    def _weights(self) -> dict[str, np.ndarray]:
        return {k: v.detach().cpu().numpy() for k, v in self.network.state_dict().items()}

    def _restore(self, weights: dict[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self._shapes = {name: tuple(shape) for name, shape in facts["shapes"].items()}
        with torch.device("meta"):  # compares shapes before any memory is taken
            check_names(weights, self._build().state_dict())
        network = self._build()
        network.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})
        weights.clear()
        self.network = network.eval()


class SamplerTask(Task, Generic[B]):
    """A task whose batches come from samplers; subclasses define the loss.

    Pretrained extractors are frozen in their first epochs and then have their own learning rate.

    Parameters
    ----------
    network : nn.Module
    train, validation : Sampler
    """

    def __init__(self, network: nn.Module, train: Sampler[B], validation: Sampler[B]) -> None:
        super().__init__(network)
        self.train, self.validation = train, validation

    def parameter_groups(self) -> tuple[ParameterGroup, ...]:
        """See `groups_by_rate`."""
        return groups_by_rate(self.network)

    def begin_epoch(self, epoch: int) -> None:
        """See `freeze_first_epochs`."""
        freeze_first_epochs(self.network, epoch)

    @property
    def steps_per_epoch(self) -> int:
        """Batches of the training clips."""
        return self.train.batches

    def training_batches(self, generator: torch.Generator) -> Iterator[B]:
        """One epoch of the training clips."""
        return self.train.training(generator)

    def validation_batches(self) -> Iterator[B]:
        """All validation clips."""
        return self.validation.evaluation()
