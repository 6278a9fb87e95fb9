"""`TargetLoss`: cross-entropy for classes, scaled squared error for numbers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from aver.models.parts.targets import Target


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


def answers(target: Target, scores: Tensor) -> Tensor:
    """Scores as probabilities of classes, or as numbers in [0, 1] for shares of votes."""
    scores = scores.float()
    return torch.sigmoid(scores) if target.regression else torch.softmax(scores, dim=1)
