"""`score_pictures`: how well a face network answers, with exact intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from aver.evaluation.intervals import binomial_interval
from aver.pretraining.picture_task import LabelledPictures, PictureTask


@dataclass(frozen=True)
class Share:
    """Right answers among pictures, with the exact 95 % interval.

    Pictures count as independent, for nobody knows whose faces they show: an optimistic interval.
    """

    value: float
    low: float
    high: float
    pictures: int

    @classmethod
    def of(cls, right: np.ndarray) -> Share:
        """From one bool per picture."""
        hits, count = int(right.sum()), len(right)
        return cls(hits / max(1, count), *binomial_interval(hits, count), count)


@dataclass(frozen=True)
class PictureScores:
    """Figures of a face network.

    Parameters
    ----------
    validation, test : Share
        Test: the whole part, as published figures count it.
    test_without_doubtful : Share
        Without pictures that are blank, have two labels, or come twice.
    test_recall : mapping of str to float
        Per class, on the whole test part.
    mirrored : bool
        Whether answers for a picture and its mirror image were averaged; chosen on validation.
    """

    validation: Share
    test: Share
    test_without_doubtful: Share
    test_recall: dict[str, float]
    mirrored: bool


def score_pictures(
    task: PictureTask,
    validation: LabelledPictures,
    test: LabelledPictures,
    sound: np.ndarray,
    classes: tuple[str, ...],
) -> PictureScores:
    """Choose on validation whether to look at mirror images too, then test once.

    Parameters
    ----------
    task : PictureTask
        Its network is trained.
    validation, test : LabelledPictures
    sound : np.ndarray of bool [shape=(test pictures,)]
        False where a test picture is doubtful.
    classes : tuple of str
        In the order of the network's outputs.
    """
    plain, both = (_right(task, validation, mirrored) for mirrored in (False, True))
    mirrored = bool(both.mean() > plain.mean())
    right = _right(task, test, mirrored)
    labels = test.labels.numpy()
    return PictureScores(
        validation=Share.of(both if mirrored else plain),
        test=Share.of(right),
        test_without_doubtful=Share.of(right[sound]),
        test_recall={
            name: float(right[labels == place].mean())
            for place, name in enumerate(classes)
            if (labels == place).any()
        },
        mirrored=mirrored,
    )


@torch.no_grad()
def answer(task: PictureTask, pictures: Tensor, mirrored: bool) -> Tensor:
    """Probabilities ``(pictures, classes)``, averaged with those of mirror images if asked for."""
    rows = []
    for some in pictures.split(256):
        views = [some, some.flip(3)] if mirrored else [some]
        rows.append(torch.stack([task.scores(view).softmax(dim=1) for view in views]).mean(dim=0))
    return torch.cat(rows)


def _right(task: PictureTask, part: LabelledPictures, mirrored: bool) -> np.ndarray:
    return (answer(task, part.pictures, mirrored).argmax(dim=1) == part.labels).numpy()
