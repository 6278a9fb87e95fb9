"""Losses and accuracies that trainings left in a run folder."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LearningCurve:
    """Losses of one training, epoch by epoch.

    Parameters
    ----------
    name : str
        Where it lies below the run folder: ``"seed-0/fold-03"``.
    training_loss, validation_loss : tuple of float
    best_epoch : int or None
        Epoch (from 1) with the lowest validation loss; None without validation.
    training_accuracy, validation_accuracy : tuple of float
        As shares; empty where the training does not count them.
    """

    name: str
    training_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    best_epoch: int | None
    training_accuracy: tuple[float, ...] = ()
    validation_accuracy: tuple[float, ...] = ()


def read_learning_curves(run_folder: Path) -> tuple[LearningCurve, ...]:
    """Read every ``training.jsonl`` below ``folds/``, in order.

    Returns
    -------
    tuple of LearningCurve
        Empty for systems that do not learn by epochs.
    """
    root = run_folder / "folds"
    curves = []
    for log in sorted(root.rglob("training.jsonl")):
        epochs = [json.loads(line) for line in log.read_text("utf-8").splitlines() if line.strip()]
        training = _losses(epochs, "training_loss")
        validation = _losses(epochs, "validation_loss")
        if training:
            best = validation.index(min(validation)) + 1 if validation else None
            name = log.parent.relative_to(root).as_posix()
            right = (_losses(epochs, f"{part}_accuracy") for part in ("training", "validation"))
            curves.append(LearningCurve(name, training, validation, best, *right))
    return tuple(curves)


def _losses(epochs: list[dict[str, float | None]], name: str) -> tuple[float, ...]:
    values = [epoch.get(name) for epoch in epochs]
    return tuple(value for value in values if value is not None and math.isfinite(value))
