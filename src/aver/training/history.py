"""`History`: what happened in each epoch, and the files that a training leaves in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOG_NAME = "training.jsonl"
RESUME_NAME = "resume.ckpt"


@dataclass(frozen=True)
class History:
    """The course of a training.

    Parameters
    ----------
    epochs : tuple of dict
        Per epoch: ``epoch`` (from 1), ``training_loss``, ``validation_loss``,
        ``training_accuracy``, ``validation_accuracy``, ``learning_rate``.
    best_epoch : int
        The epoch (from 1) whose weights were kept: the one with the lowest validation loss, or the
        last one with a finite loss if `TrainingSettings.keep` is ``"last"``.
    stopped_early : bool
        Whether the patience has run out, or the last validation loss is not finite.
    """

    epochs: tuple[dict[str, Any], ...]
    best_epoch: int
    stopped_early: bool


def drop_resume_states(folder: Path) -> None:
    """Delete the resume states in a folder and below it, where members of a recognizer keep theirs.

    Parameters
    ----------
    folder : Path
        It need not exist.
    """
    for state in folder.rglob(RESUME_NAME):
        state.unlink()
