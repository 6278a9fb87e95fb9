"""How the learning rate falls."""

from __future__ import annotations

import math
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau, StepLR

from aver.training.settings import TrainingSettings

_WARM_UP_SHARE = 0.1


def cosine_factor(step: int, steps: int) -> float:
    """Share of the full learning rate: a linear warm-up, then half a cosine.

    Parameters
    ----------
    step : int in [0, steps]
    steps : int >= 1
        Of the whole training.

    Examples
    --------
    >>> cosine_factor(10, 100), round(cosine_factor(55, 100), 3), cosine_factor(100, 100)
    (1.0, 0.5, 0.0)
    """
    warm_up = max(1, round(_WARM_UP_SHARE * steps))
    if step < warm_up:
        return (step + 1) / (warm_up + 1)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm_up) / max(1, steps - warm_up))))


def make_schedule(
    optimizer: Optimizer, settings: TrainingSettings, steps_per_epoch: int
) -> dict[str, Any]:
    """A schedule that counts, in the words of Lightning's ``lr_scheduler``: by steps or a cosine.

    Source: Birhala et al. 2020, section IV, for the division by ten every 50 "steps", which are
    read as epochs.
    """
    if settings.schedule == "step":
        divided = StepLR(optimizer, settings.divide_every_epochs, gamma=0.1)
        return {"scheduler": divided, "interval": "epoch"}
    steps = settings.epochs * steps_per_epoch
    cosine = LambdaLR(optimizer, lambda step: cosine_factor(step, steps))
    return {"scheduler": cosine, "interval": "step"}


def halve_on_plateau(optimizer: Optimizer, settings: TrainingSettings) -> ReduceLROnPlateau:
    """The schedule that looks at the validation loss; to be stepped with it after each epoch.

    Source: Chang & Skarbek 2021, section 4.2, for halving after ten epochs without a drop.
    """
    return ReduceLROnPlateau(
        optimizer, factor=0.5, patience=settings.halve_after_epochs, threshold=0.0
    )
