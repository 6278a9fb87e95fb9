"""`score_pictures`: how well a face network answers, with exact intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from aver.evaluation.intervals import binomial_interval
from aver.pretraining.picture_task import LabelledPictures, PictureTask

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


def score_pictures(
    task: PictureTask,
    validation: LabelledPictures,
    test: LabelledPictures,
    sound: np.ndarray,
    classes: tuple[str, ...],
) -> PictureScores:
    """Choose on validation how many views of a picture to look at, then test once.

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
    tried = {name: _right(task, validation, name) for name in VIEWS}
    views = max(tried, key=lambda name: int(tried[name].sum()))  # of equals the cheaper one
    right = _right(task, test, views)
    labels = test.labels.numpy()
    return PictureScores(
        validation=Share.of(tried[views]),
        test=Share.of(right),
        test_without_doubtful=Share.of(right[sound]),
        test_plain=Share.of(_right(task, test, "plain")),
        test_recall={
            name: float(right[labels == place].mean())
            for place, name in enumerate(classes)
            if (labels == place).any()
        },
        views=views,
    )


@torch.no_grad()
def answer(task: PictureTask, pictures: Tensor, views: str) -> Tensor:
    """Probabilities ``(pictures, classes)``, averaged over some of `VIEWS`."""
    rows = []
    for some in pictures.split(256):
        answers = [task.scores(view).softmax(dim=1) for view in look(some, views)]
        rows.append(torch.stack(answers).mean(dim=0))
    return torch.cat(rows)


def look(pictures: Tensor, views: str) -> list[Tensor]:
    """The views of pictures ``(n, 1, height, width)``, each of the same shape; see `VIEWS`."""
    mirrors = [pictures] if views == "plain" else [pictures, pictures.flip(3)]
    if views != "mirrored and shifted":
        return mirrors
    height, width = pictures.shape[2:]
    found = []
    for picture in mirrors:
        wide = functional.pad(picture.float(), (_SHIFT_PX,) * 4, mode="replicate").to(picture.dtype)
        found += [
            wide[:, :, _SHIFT_PX + down :, _SHIFT_PX + right :][:, :, :height, :width]
            for down, right in _SHIFTS
        ]
    return found


def _right(task: PictureTask, part: LabelledPictures, views: str) -> np.ndarray:
    return (answer(task, part.pictures, views).argmax(dim=1) == part.labels).numpy()
