"""`History`: what happened in each epoch, and which epoch was kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class History:
    """What a training did.

    Parameters
    ----------
    epochs : tuple of dict
        Per epoch: ``epoch`` (from 1), ``training_loss``, ``validation_loss``,
        ``training_accuracy``, ``validation_accuracy``, ``learning_rate``.
    best_epoch : int
        The epoch (from 1) whose weights were kept: that of the lowest validation loss, or the last
        one where `TrainingSettings.keep` says so.
    stopped_early : bool
        Whether the patience ran out before the last epoch.
    """

    epochs: tuple[dict[str, Any], ...]
    best_epoch: int
    stopped_early: bool


RESUME_NAME = "resume.ckpt"


def drop_resume_states(folder: Path) -> None:
    """Delete the states in a folder and below, where members of a recogniser have theirs.

    Parameters
    ----------
    folder : Path
        It need not exist.
    """
    for state in folder.rglob(RESUME_NAME):
        state.unlink()
