"""`History`: what happened in each epoch, and the files that a training leaves in its folder."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOG_NAME = "training.jsonl"
RESUME_NAME = "resume.ckpt"

UNDERFITS_BELOW = 0.5
"""A lower accuracy on the training clips is reported."""
_STILL_FALLING = 0.02  # relative fall of the loss over the last tenth of the epochs


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

    @property
    def still_improving(self) -> bool:
        """Whether the validation loss was still falling when the epochs were used up.

        The lowest loss of the last tenth of the epochs is then more than 2 % below that of the
        tenth before. Meaningful only if the validation clips are not trained on.
        """
        tenth = max(1, len(self.epochs) // 10)
        if self.stopped_early or len(self.epochs) < 2 * tenth:
            return False
        losses = [float(epoch["validation_loss"]) for epoch in self.epochs]
        before, last = min(losses[-2 * tenth : -tenth]), min(losses[-tenth:])
        return math.isfinite(last) and last < (1 - _STILL_FALLING) * before

    def facts(self, *, held_out: bool) -> dict[str, Any]:
        """What a model card says about the course of the training.

        Parameters
        ----------
        held_out : bool
            Whether the validation clips were not trained on; otherwise their loss does not tell
            whether the training was too short.

        Returns
        -------
        dict
            ``epochs``, ``best_epoch``, ``training_accuracy`` (of the kept epoch, with dropout and
            augmentation) and, with `held_out`, ``still_improving``.
        """
        kept = self.epochs[self.best_epoch - 1] if self.best_epoch else {}
        return {
            "epochs": len(self.epochs),
            "best_epoch": self.best_epoch,
            **({"training_accuracy": kept["training_accuracy"]} if kept else {}),
            **({"still_improving": self.still_improving} if held_out else {}),
        }


def remarks_on_trainings(cards: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What a report says if trainings were too short or did not learn their own clips.

    Parameters
    ----------
    cards : sequence of mapping
        Of all trainings of a system, with the facts of `History.facts`; cards without them, such
        as those of classifiers that are not trained in epochs, are passed over.

    Examples
    --------
    >>> remarks_on_trainings([{"training_accuracy": 0.44, "still_improving": True}])[0]
    'Training accuracy below 50 %: underfits (44 %, in 1 of 1 trainings).'
    """
    remarks = []
    measured = [card["training_accuracy"] for card in cards if "training_accuracy" in card]
    low = [accuracy for accuracy in measured if accuracy < UNDERFITS_BELOW]
    if low:
        remarks.append(
            f"Training accuracy below {100 * UNDERFITS_BELOW:.0f} %: underfits "
            f"({100 * statistics.median(low):.0f} %, in {len(low)} of {len(measured)} trainings)."
        )
    known = [card["still_improving"] for card in cards if "still_improving" in card]
    if any(known):
        remarks.append(
            f"Still improving when training stopped (in {sum(known)} of {len(known)} trainings): "
            "raise training.epochs."
        )
    return tuple(remarks)


def drop_resume_states(folder: Path) -> None:
    """Delete the resume states in a folder and below it, where members of a recognizer keep theirs.

    Parameters
    ----------
    folder : Path
        It need not exist.
    """
    for state in folder.rglob(RESUME_NAME):
        state.unlink()
