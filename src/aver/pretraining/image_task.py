"""`ImageTask`: teach a `Classifier` the emotions of single pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from aver.evaluation.intervals import binomial_interval
from aver.models.data.clip_frames import ClipSequences
from aver.models.layers.augmentation import ImageAugmentation, ImageAugmentationSettings
from aver.networks.face_network import standardize_images
from aver.pretraining.run import Classifier
from aver.training.task import Loss, Task

_EVALUATED_AT_ONCE = 256


@dataclass(frozen=True)
class ImageBatch:
    """Pictures ``(n, 1, size, size)``, uint8, and their classes ``(n,)``."""

    images: Tensor
    labels: Tensor

    def to(self, device: torch.device | str) -> ImageBatch:
        """The same on a device."""
        return ImageBatch(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class LabelledImages:
    """One part of a picture corpus in memory: as a `ImageBatch`, but whole."""

    images: Tensor
    labels: Tensor

    def batches(self, order: Tensor, size: int) -> Iterator[ImageBatch]:
        """Cut as evenly as the number allows."""
        for rows in order.tensor_split(max(1, math.ceil(len(order) / size))):
            yield ImageBatch(self.images[rows], self.labels[rows])


class ImageTask(Task):
    """Cross-entropy over pictures, each augmented on its own.

    Parameters
    ----------
    network : Classifier
    train, validation : LabelledImages
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
        train: LabelledImages,
        validation: LabelledImages,
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

    def training_batches(self, generator: torch.Generator) -> Iterator[ImageBatch]:
        """One pass in a random order."""
        order = torch.randperm(len(self.train.labels), generator=generator)
        return self.train.batches(order, self._batch_size)

    def validation_batches(self) -> Iterator[ImageBatch]:
        """All validation pictures."""
        return self.validation.batches(
            torch.arange(len(self.validation.labels)), _EVALUATED_AT_ONCE
        )

    def loss(self, batch: ImageBatch) -> Loss:
        """Score a batch and compare."""
        training = self.network.training
        scores = self.scores(batch.images)
        smoothing = self._smoothing if training else 0.0
        value = functional.cross_entropy(scores, batch.labels, label_smoothing=smoothing)
        right = int((scores.argmax(dim=1) == batch.labels).sum())
        return Loss(value, len(batch.labels), right)

    def scores(self, images: Tensor) -> Tensor:
        """Scores ``(n, classes)`` of pictures, augmented while the network is in training mode."""
        values = standardize_images(images)
        if self.network.training:
            count = len(values)
            each = ClipSequences(values, (1,) * count, torch.ones(count, dtype=torch.bool))
            values = self._augment(values, each)
        values = values.contiguous(memory_format=torch.channels_last)
        with torch.autocast(values.device.type, torch.bfloat16, enabled=self._bfloat16):
            return self.network(values).float()


VIEWS = ("plain", "mirrored", "mirrored and shifted")
"""A picture as it is; its mirror image too; both, also moved by two pixels to each corner."""

_SHIFT_PX = 2
_SHIFTS = ((0, 0), *((down, right) for down in (-_SHIFT_PX, _SHIFT_PX)
                     for right in (-_SHIFT_PX, _SHIFT_PX)))  # fmt: skip


@dataclass(frozen=True)
class Share:
    """Right answers among pictures, with the exact 95 % interval.

    Pictures count as independent, for nobody knows whose faces they show: an optimistic interval.
    """

    value: float
    low: float
    high: float
    images: int

    @classmethod
    def of(cls, right: np.ndarray) -> Share:
        """From one bool per picture."""
        hits, count = int(right.sum()), len(right)
        return cls(hits / max(1, count), *binomial_interval(hits, count), count)


@dataclass(frozen=True)
class ImageScores:
    """Figures of a face network.

    Parameters
    ----------
    validation, test : Share
        Test: the whole part, as published figures count it.
    test_without_doubtful : Share
        Without pictures that are blank, have two labels, or come twice.
    test_plain : Share
        The whole test part, each picture looked at once, as it is; nothing was chosen by it.
    test_recall : mapping of str to float
        Per class, on the whole test part.
    views : str
        Which of `VIEWS` were averaged; chosen on validation.
    """

    validation: Share
    test: Share
    test_without_doubtful: Share
    test_plain: Share
    test_recall: dict[str, float]
    views: str


def score_images(
    task: ImageTask,
    validation: LabelledImages,
    test: LabelledImages,
    audio: np.ndarray,
    classes: tuple[str, ...],
) -> ImageScores:
    """Choose on validation how many views of a picture to look at, then test once.

    Parameters
    ----------
    task : ImageTask
        Its network is trained.
    validation, test : LabelledImages
    audio : np.ndarray of bool [shape=(test pictures,)]
        False where a test picture is doubtful.
    classes : tuple of str
        In the order of the network's outputs.
    """
    tried = {name: _right(task, validation, name) for name in VIEWS}
    views = max(tried, key=lambda name: int(tried[name].sum()))  # of equals the cheaper one
    right = _right(task, test, views)
    labels = test.labels.numpy()
    return ImageScores(
        validation=Share.of(tried[views]),
        test=Share.of(right),
        test_without_doubtful=Share.of(right[audio]),
        test_plain=Share.of(_right(task, test, "plain")),
        test_recall={
            name: float(right[labels == place].mean())
            for place, name in enumerate(classes)
            if (labels == place).any()
        },
        views=views,
    )


@torch.no_grad()
def prediction(task: ImageTask, images: Tensor, views: str) -> Tensor:
    """Probabilities ``(images, classes)``, averaged over some of `VIEWS`."""
    rows = []
    for some in images.split(256):
        predictions = [task.scores(view).softmax(dim=1) for view in look(some, views)]
        rows.append(torch.stack(predictions).mean(dim=0))
    return torch.cat(rows)


def look(images: Tensor, views: str) -> list[Tensor]:
    """The views of pictures ``(n, 1, height, width)``, each of the same shape; see `VIEWS`."""
    mirrors = [images] if views == "plain" else [images, images.flip(3)]
    if views != "mirrored and shifted":
        return mirrors
    height, width = images.shape[2:]
    found = []
    for image in mirrors:
        wide = functional.pad(image.float(), (_SHIFT_PX,) * 4, mode="replicate").to(image.dtype)
        found += [
            wide[:, :, _SHIFT_PX + down :, _SHIFT_PX + right :][:, :, :height, :width]
            for down, right in _SHIFTS
        ]
    return found


def _right(task: ImageTask, part: LabelledImages, views: str) -> np.ndarray:
    return (prediction(task, part.images, views).argmax(dim=1) == part.labels).numpy()
