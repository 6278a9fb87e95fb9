"""`PictureTask`: teach a `Classifier` the emotions of single pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from aver.models.parts.clip_sequences import ClipSequences
from aver.models.parts.image_augmentation import ImageAugmentation, ImageAugmentationSettings
from aver.networks.grey_pictures import standardise_pictures
from aver.pretraining.classifier import Classifier
from aver.training.task import Loss, Task

_EVALUATED_AT_ONCE = 256


@dataclass(frozen=True)
class PictureBatch:
    """Pictures ``(n, 1, size, size)``, uint8, and their classes ``(n,)``."""

    pictures: Tensor
    labels: Tensor

    def to(self, device: torch.device | str) -> PictureBatch:
        """The same on a device."""
        return PictureBatch(self.pictures.to(device), self.labels.to(device))


@dataclass(frozen=True)
class LabelledPictures:
    """One part of a picture corpus in memory: as a `PictureBatch`, but whole."""

    pictures: Tensor
    labels: Tensor

    def batches(self, order: Tensor, size: int) -> Iterator[PictureBatch]:
        """Cut as evenly as the number allows."""
        for rows in order.tensor_split(max(1, math.ceil(len(order) / size))):
            yield PictureBatch(self.pictures[rows], self.labels[rows])


class PictureTask(Task):
    """Cross-entropy over pictures, each augmented on its own.

    Parameters
    ----------
    network : Classifier
    train, validation : LabelledPictures
    batch_size : int >= 2
    augmentation : ImageAugmentationSettings
    label_smoothing : float in [0, 1)
        In training.
    bfloat16 : bool
        Multiply in bfloat16, on a CPU too; weights and sums stay in float32.
    """

    network: Classifier

    def __init__(
        self,
        network: Classifier,
        train: LabelledPictures,
        validation: LabelledPictures,
        *,
        batch_size: int,
        augmentation: ImageAugmentationSettings,
        label_smoothing: float = 0.0,
        bfloat16: bool = False,
    ) -> None:
        super().__init__(network)
        self.train, self.validation = train, validation
        self._batch_size, self._smoothing = batch_size, label_smoothing
        self._augment = ImageAugmentation(augmentation)
        self._bfloat16 = bfloat16

    @property
    def steps_per_epoch(self) -> int:
        """Batches of one pass over the training pictures."""
        return max(1, math.ceil(len(self.train.labels) / self._batch_size))

    def training_batches(self, generator: torch.Generator) -> Iterator[PictureBatch]:
        """One pass in a random order."""
        order = torch.randperm(len(self.train.labels), generator=generator)
        return self.train.batches(order, self._batch_size)

    def validation_batches(self) -> Iterator[PictureBatch]:
        """All validation pictures."""
        return self.validation.batches(
            torch.arange(len(self.validation.labels)), _EVALUATED_AT_ONCE
        )

    def loss(self, batch: PictureBatch) -> Loss:
        """Score a batch and compare."""
        training = self.network.training
        scores = self.scores(batch.pictures)
        smoothing = self._smoothing if training else 0.0
        value = functional.cross_entropy(scores, batch.labels, label_smoothing=smoothing)
        right = int((scores.argmax(dim=1) == batch.labels).sum())
        return Loss(value, len(batch.labels), right)

    def scores(self, pictures: Tensor) -> Tensor:
        """Scores ``(n, classes)`` of pictures, augmented while the network is in training mode."""
        values = standardise_pictures(pictures)
        if self.network.training:
            count = len(values)
            each = ClipSequences(values, (1,) * count, torch.ones(count, dtype=torch.bool))
            values = self._augment(values, each)
        values = values.contiguous(memory_format=torch.channels_last)
        with torch.autocast(values.device.type, torch.bfloat16, enabled=self._bfloat16):
            return self.network(values).float()
