"""Accuracy of face networks on images, over one or several views of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from aver.corpora.clip import Clip
from aver.evaluation.intervals import binomial_interval
from aver.pretraining.image_task import BATCH_SIZE, ImageTask, LabeledImages
from aver.pretraining.settings import VideoSettings

VIEWS = ("plain", "mirrored", "mirrored and shifted")
"""The image; also its mirror image; also both, moved by two pixels towards each corner."""

_SHIFT_PX = 2
_SHIFTS = ((0, 0), *((down, right) for down in (-_SHIFT_PX, _SHIFT_PX)
                     for right in (-_SHIFT_PX, _SHIFT_PX)))  # fmt: skip


@dataclass(frozen=True)
class Share:
    """Accuracy over images with its exact 95 % interval.

    Images count as independent, because the persons are unknown: the interval is optimistic.
    """

    value: float
    low: float
    high: float
    images: int

    @classmethod
    def of(cls, correct: np.ndarray) -> Share:
        """From one bool per image."""
        hits, count = int(correct.sum()), len(correct)
        return cls(hits / max(1, count), *binomial_interval(hits, count), count)


@dataclass(frozen=True)
class ImageScores:
    """Figures of a face network.

    Parameters
    ----------
    validation, test : Share
        Test: the whole subset, as in published figures.
    test_without_doubtful : Share
        Without images that are blank, have two labels, or occur twice.
    test_plain : Share
        The whole test subset with one view per image; nothing was chosen by it.
    test_recall : mapping of str to float
        Per class, on the whole test subset.
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
    validation: LabeledImages,
    test: LabeledImages,
    doubtful: np.ndarray,
    classes: tuple[str, ...],
) -> ImageScores:
    """Choose on validation which views of an image to average, then test once.

    Parameters
    ----------
    task : ImageTask
        Its network is trained.
    validation, test : LabeledImages
    doubtful : np.ndarray of bool [shape=(test images,)]
    classes : tuple of str
        In the order of the outputs of the network.
    """
    candidates = {views: _correct(task, validation, views) for views in VIEWS}
    best = max(candidates, key=lambda views: int(candidates[views].sum()))  # the cheapest of equals
    correct = _correct(task, test, best)
    return ImageScores(
        validation=Share.of(candidates[best]),
        test=Share.of(correct),
        test_without_doubtful=Share.of(correct[~doubtful]),
        test_plain=Share.of(_correct(task, test, "plain")),
        test_recall=_recall(correct, test.labels.numpy(), classes),
        views=best,
    )


@dataclass(frozen=True)
class OtherScores:
    """Figures on further test images: with the views of `ImageScores`, and with a single one."""

    test: Share
    test_plain: Share
    test_recall: dict[str, float]
    unknown: int
    """Images of emotions that the network does not know; they are left out."""


def test_images(
    task: ImageTask,
    clips: Sequence[Clip],
    classes: tuple[str, ...],
    settings: VideoSettings,
    views: str,
) -> OtherScores:
    """Test once on the images of clips."""
    known = [clip for clip in clips if clip.emotion in classes]
    test = LabeledImages.read(known, classes, settings)
    correct = _correct(task, test, views)
    return OtherScores(
        Share.of(correct),
        Share.of(_correct(task, test, "plain")),
        _recall(correct, test.labels.numpy(), classes),
        len(clips) - len(known),
    )


def _recall(correct: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> dict[str, float]:
    return {
        name: float(correct[labels == index].mean())
        for index, name in enumerate(classes)
        if (labels == index).any()
    }


@torch.no_grad()
def _correct(task: ImageTask, subset: LabeledImages, views: str) -> np.ndarray:
    """For each image whether the class of the highest mean probability over its views is right."""
    rows = []
    for images in subset.images.split(BATCH_SIZE):
        probabilities = [task.scores(view).softmax(dim=1) for view in image_views(images, views)]
        rows.append(torch.stack(probabilities).mean(dim=0))
    return (torch.cat(rows).argmax(dim=1) == subset.labels).numpy()


def image_views(images: Tensor, views: str) -> list[Tensor]:
    """The views of images ``(n, 1, height, width)``, each of the same shape; see `VIEWS`."""
    mirrored = [images] if views == "plain" else [images, images.flip(3)]
    if views != "mirrored and shifted":
        return mirrored
    height, width = images.shape[2:]
    result = []
    for image in mirrored:
        padded = functional.pad(image.float(), (_SHIFT_PX,) * 4, mode="replicate").to(image.dtype)
        result += [
            padded[:, :, _SHIFT_PX + down :, _SHIFT_PX + right :][:, :, :height, :width]
            for down, right in _SHIFTS
        ]
    return result
