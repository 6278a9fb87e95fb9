"""`Target`: what a network predicts about a clip, its labels as tensors, and its loss."""

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
    """One thing to predict.

    Parameters
    ----------
    name : str
        One of `TARGETS`.
    outputs : tuple of str
        Classes, or names of the outputs of a regression.
    """

    name: str
    outputs: tuple[str, ...]

    @property
    def regression(self) -> bool:
        """Whether the outputs are shares of votes, not classes."""
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
                    [row.get(name, 0.0) if row else float("nan") for name in self.outputs]
                    for row in rows
                ],
                dtype=torch.float32,
            ).view(len(clips), len(self.outputs))
        index = {label: number for number, label in enumerate(self.outputs)}
        labels = [getattr(clip, self.name) for clip in clips]
        return torch.tensor([index.get(label, _UNKNOWN) for label in labels], dtype=torch.long)


def learn_targets(names: Sequence[str], train: Sequence[Clip]) -> tuple[Target, ...]:
    """Find each target's outputs in the training clips.

    Raises
    ------
    SettingsError
        If a target is unknown, or emotion is not among them.
    LabelError
        If a target has fewer than two classes, or no clip has its labels.
    """
    for name in names:
        if name not in TARGETS:
            raise SettingsError(f"There is no target {name!r}. Known are: {', '.join(TARGETS)}.")
    if "emotion" not in names:
        raise SettingsError("The targets must hold 'emotion': every recognizer predicts it.")
    return tuple(Target(name, _outputs(name, train)) for name in names)


def _outputs(name: str, train: Sequence[Clip]) -> tuple[str, ...]:
    if name.startswith("votes-"):
        outputs = in_canonical_order(label for clip in train for label in _votes(clip, name))
        if not outputs:
            raise LabelError(
                f"No training clip has votes for the target {name!r}. This corpus does not have "
                "that target."
            )
        return outputs
    labels = {getattr(clip, name) for clip in train} - {None}
    outputs = in_canonical_order(labels) if name == "emotion" else tuple(sorted(labels))
    if len(outputs) < 2:
        raise LabelError(
            f"The target {name!r} needs at least two classes; the training clips have "
            f"{len(outputs)} ({', '.join(outputs) or 'none'})."
        )
    return outputs


def _votes(clip: Clip, name: str) -> dict[str, float]:
    return dict(clip.votes.get(name.removeprefix("votes-"), {}))


class TargetLoss:
    """Loss of one target, with class weights or variance from the training labels.

    Parameters
    ----------
    target : Target
    labels : Tensor
        Of all training clips, as `Target.labels` gives them.
    class_weights : bool
        Give every class the same total weight, whatever its number of clips (RAVDESS has half as
        many neutral ones).
    label_smoothing : float in [0, 1)
        Share of the probability that is spread over all classes, in training.

    Notes
    -----
    Squared errors are divided by the variance of the training labels, so that a regression has
    about the weight of a classification.
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
        """Mean loss over the clips that have a label; zero if none has.

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
