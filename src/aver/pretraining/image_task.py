"""Labeled images and the task of learning them: votes as targets, augmentation, distillation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from aver.corpora.clip import Clip
from aver.errors import CheckpointError
from aver.models.data.batches import ClipSequences
from aver.models.layers.augmentation import ImageAugmentation
from aver.networks.face_network import FaceNetwork, standardize_images
from aver.pretraining.classifier import Classifier
from aver.pretraining.images import read_images, with_surround
from aver.pretraining.settings import VideoSettings
from aver.training.task import Loss, Task


@dataclass(frozen=True)
class LabeledImages:
    """A subset of images, or a batch of it.

    Parameters
    ----------
    images : Tensor of uint8 [shape=(images, 1, side, side)]
        Faces with their surroundings, if the settings ask for any.
    labels : Tensor of int64 [shape=(images,)]
        Indices of classes.
    shares : Tensor of float32 [shape=(images, classes)]
        What to train on: shares of votes, or 1 for the label.
    """

    images: Tensor
    labels: Tensor
    shares: Tensor

    @classmethod
    def read(
        cls, clips: Sequence[Clip], classes: tuple[str, ...], settings: VideoSettings
    ) -> LabeledImages:
        """Decode the images of clips whose emotions are among `classes`.

        Raises
        ------
        MediaError
            If an image cannot be decoded.
        """
        labels = torch.tensor([classes.index(clip.emotion or "") for clip in clips])
        shares = functional.one_hot(labels, len(classes)).float()
        for row, clip in enumerate(clips):
            votes = clip.votes.get("face", {}) if settings.votes else {}
            known = torch.tensor([votes.get(name, 0.0) for name in classes])
            if known.sum() > 0:  # votes for other emotions do not count
                shares[row] = known / known.sum()
        images = torch.from_numpy(read_images(clips, settings.size_px, settings.surround))
        return cls(images[:, None], labels, shares)

    def to(self, device: torch.device | str) -> LabeledImages:
        """The same on a device."""
        return LabeledImages(*(one.to(device) for one in (self.images, self.labels, self.shares)))

    @torch.no_grad()
    def taught(self, weights: Path, classes: tuple[str, ...], share: float) -> LabeledImages:
        """The same with the probabilities of a trained network mixed into the shares.

        The probabilities are the mean over the image and its mirror image.

        Raises
        ------
        CheckpointError
            If the network predicts other classes.
        """
        teacher = FaceNetwork(weights)
        if teacher.classes != classes:
            raise CheckpointError(
                f"The teacher at {weights} predicts {', '.join(teacher.classes) or 'nothing'}, "
                f"but the images are {', '.join(classes)}."
            )
        rows = []
        for images in self.images.split(BATCH_SIZE):
            faces = center(images, teacher.size_px)[:, 0].numpy()
            both = [teacher.probabilities(one) for one in (faces, faces[:, :, ::-1])]
            rows.append(torch.from_numpy(np.mean(both, axis=0)))
        shares = share * torch.cat(rows) + (1 - share) * self.shares
        return LabeledImages(self.images, self.labels, shares)

    def batches(self, order: Tensor, size: int) -> Iterator[LabeledImages]:
        """Batches of at most `size` images, as equal in size as possible."""
        for rows in order.tensor_split(max(1, math.ceil(len(order) / size))):
            yield LabeledImages(self.images[rows], self.labels[rows], self.shares[rows])


BATCH_SIZE = 256
"""Of images without gradients."""


class ImageTask(Task):
    """Cross-entropy over images, each augmented on its own.

    Parameters
    ----------
    network : Classifier
    train, validation : LabeledImages
    settings : VideoSettings
        Labels are smoothed in training only. Weights and sums stay in float32 with bfloat16.
    """

    network: Classifier

    def __init__(
        self,
        network: Classifier,
        train: LabeledImages,
        validation: LabeledImages,
        settings: VideoSettings,
    ) -> None:
        super().__init__(network)
        self.train, self.validation, self._settings = train, validation, settings
        inner = settings.size_px / with_surround(settings.size_px, settings.surround)
        self._augment = ImageAugmentation(settings.augmentation, inner)

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches of one pass over the training images."""
        return max(1, math.ceil(len(self.train.labels) / self._settings.training.batch_size))

    def training_batches(self, generator: torch.Generator) -> Iterator[LabeledImages]:
        """One pass in a random order."""
        order = torch.randperm(len(self.train.labels), generator=generator)
        return self.train.batches(order, self._settings.training.batch_size)

    def validation_batches(self) -> Iterator[LabeledImages]:
        """All validation images."""
        return self.validation.batches(torch.arange(len(self.validation.labels)), BATCH_SIZE)

    def loss(self, batch: LabeledImages) -> Loss:
        """Cross-entropy of a batch."""
        scores = self.scores(batch.images)
        smoothing = self._settings.label_smoothing if self.network.training else 0.0
        value = functional.cross_entropy(scores, batch.shares, label_smoothing=smoothing)
        correct = int((scores.argmax(dim=1) == batch.labels).sum())
        return Loss(value, len(batch.labels), correct)

    def scores(self, images: Tensor) -> Tensor:
        """Scores ``(n, classes)`` of images, augmented if the network is in training mode."""
        size_px = self._settings.size_px
        if not self.network.training:
            values = standardize_images(center(images, size_px))
        else:
            values, count = standardize_images(images), len(images)
            each = ClipSequences(values, (1,) * count, torch.ones(count, dtype=torch.bool))
            values = self._augment(values, each)
            values = reduce_resolution(values, self._settings.resolution)
            if self._settings.surround:  # what is left of the image differs from the whole
                values = standardize_images(values)
        values = values.contiguous(memory_format=torch.channels_last)
        bfloat16 = self._settings.bfloat16
        with torch.autocast(values.device.type, torch.bfloat16, enabled=bfloat16):
            return self.network(values).float()


def center(images: Tensor, size_px: int) -> Tensor:
    """The faces of images ``(n, 1, side, side)``, without their surroundings."""
    margin = (images.shape[-1] - size_px) // 2
    return images[:, :, margin : margin + size_px, margin : margin + size_px]


def reduce_resolution(images: Tensor, share: float) -> Tensor:
    """Reduce half of the batches to a random resolution and enlarge them again.

    Parameters
    ----------
    images : Tensor [shape=(images, 1, height, width)]
    share : float in (0, 1]
        Smallest resolution, relative to that of the images; 1 draws and changes nothing.
    """
    if share == 1 or torch.rand(()) < 0.5:
        return images
    factor = share + (1 - share) * float(torch.rand(()))
    size = [max(1, round(factor * side)) for side in images.shape[2:]]
    small = functional.interpolate(images, size, mode="bilinear", antialias=True)
    return functional.interpolate(small, images.shape[2:], mode="bilinear")
