"""`Target`: what a network answers about a clip, and its labels as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from aver.corpora.clip import Clip
from aver.emotions import in_canonical_order
from aver.errors import LabelError, SettingsError

TARGETS = ("emotion", "intensity", "votes-voice", "votes-face", "votes-both")
_UNKNOWN = -1


@dataclass(frozen=True)
class Target:
    """One thing to answer.

    Parameters
    ----------
    name : str
        One of `TARGETS`.
    outputs : tuple of str
        Classes, or what the numbers of a regression mean.
    """

    name: str
    outputs: tuple[str, ...]

    @property
    def regression(self) -> bool:
        """Whether the outputs are numbers (shares of votes), not classes."""
        return self.name.startswith("votes-")

    def labels(self, clips: Sequence[Clip]) -> Tensor:
        """Labels of clips.

        Returns
        -------
        Tensor
            Classes: int64 ``(clips,)`` with -1 for unknown. Numbers: float32 ``(clips, outputs)``
            with NaN for unknown.
        """
        if self.regression:
            rows = [_votes(clip, self.name) for clip in clips]
            return torch.tensor(
                [
                    [row.get(word, 0.0) if row else float("nan") for word in self.outputs]
                    for row in rows
                ],
                dtype=torch.float32,
            ).view(len(clips), len(self.outputs))
        index = {word: place for place, word in enumerate(self.outputs)}
        words = [getattr(clip, self.name) for clip in clips]
        return torch.tensor([index.get(word, _UNKNOWN) for word in words], dtype=torch.long)


def learn_targets(names: Sequence[str], train: Sequence[Clip]) -> tuple[Target, ...]:
    """Find each target's outputs in the training clips.

    Raises
    ------
    SettingsError
        If a target is unknown, or emotion is not among them.
    LabelError
        If a clip has no emotion, there is but one class, or no clip has a target's labels.
    """
    for name in names:
        if name not in TARGETS:
            raise SettingsError(f"There is no target {name!r}. Known are: {', '.join(TARGETS)}.")
    if "emotion" not in names:
        raise SettingsError("The targets must hold 'emotion': it is what every recogniser answers.")
    for clip in train:
        if clip.emotion is None:
            raise LabelError(f"Training clip {clip.clip_id!r} has no emotion. Leave it out.")
    return tuple(Target(name, _outputs(name, train)) for name in names)


def _outputs(name: str, train: Sequence[Clip]) -> tuple[str, ...]:
    if name.startswith("votes-"):
        outputs = in_canonical_order(word for clip in train for word in _votes(clip, name))
        if not outputs:
            raise LabelError(
                f"No training clip has votes for the target {name!r}. This corpus does not have "
                "that target."
            )
        return outputs
    words = {getattr(clip, name) for clip in train} - {None}
    outputs = in_canonical_order(words) if name == "emotion" else tuple(sorted(words))
    if len(outputs) < 2:
        raise LabelError(
            f"The target {name!r} needs at least two classes; the training clips have "
            f"{len(outputs)} ({', '.join(outputs) or 'none'})."
        )
    return outputs


def _votes(clip: Clip, name: str) -> dict[str, float]:
    return dict(clip.votes.get(name.removeprefix("votes-"), {}))


class TargetLoss:
    """Loss of one target, with what was learnt about its labels in training.

    Parameters
    ----------
    target : Target
    labels : Tensor
        Of all training clips, as `Target.labels` gives them.
    class_weights : bool
        Let every class count the same in sum, however many clips it has (RAVDESS has half as many
        neutral ones).
    label_smoothing : float in [0, 1)
        Share of the probability spread over all classes, in training.

    Notes
    -----
    Squared errors are divided by the variance of the training labels, so that a regression weighs
    about as much as a classification.
    """

    def __init__(
        self, target: Target, labels: Tensor, class_weights: bool, label_smoothing: float
    ) -> None:
        self.target = target
        self._smoothing = label_smoothing
        self._weights = torch.ones(len(target.outputs))
        self._variance = 1.0
        if target.regression:
            known = labels[~labels.isnan().any(dim=1)]
            self._variance = max(1e-6, float((known - known.mean(dim=0)).square().mean()))
        elif class_weights:
            known = labels[labels >= 0]
            counts = torch.bincount(known, minlength=len(target.outputs)).clamp_min(1)
            self._weights = len(known) / (len(target.outputs) * counts.float())

    def known(self, labels: Tensor) -> Tensor:
        """Which clips have a label, as bool ``(clips,)``."""
        return ~labels.isnan().any(dim=1) if self.target.regression else labels >= 0

    def __call__(self, scores: Tensor, labels: Tensor, training: bool) -> Tensor:
        """Mean loss over the clips that have a label; zero where none has.

        Parameters
        ----------
        scores : Tensor [shape=(clips, outputs)]
        labels : Tensor
            As `Target.labels` gives them.
        training : bool
            Whether labels are smoothed.
        """
        known = self.known(labels)
        if not bool(known.any()):
            return scores.sum() * 0.0
        scores, labels = scores[known].float(), labels[known]
        if self.target.regression:
            return (torch.sigmoid(scores) - labels).square().mean() / self._variance
        losses = functional.cross_entropy(
            scores,
            labels,
            reduction="none",
            label_smoothing=self._smoothing if training else 0.0,
        )
        return (losses * self._weights.to(scores.device)[labels]).mean()


def predictions(target: Target, scores: Tensor) -> Tensor:
    """Scores as probabilities of classes, or as numbers in [0, 1] for shares of votes."""
    scores = scores.float()
    return torch.sigmoid(scores) if target.regression else torch.softmax(scores, dim=1)
