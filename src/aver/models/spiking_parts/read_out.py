"""`ReadOut`: from spike counts to class probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from aver.errors import SettingsError
from aver.models.parts.fit_scores import fit_chosen, fit_logistic
from aver.models.parts.score_classifier import ScoreClassifier
from aver.models.spiking_parts.neuron_labels import NeuronLabels, Vote, label_neurons


@dataclass(frozen=True)
class ReadOutSettings:
    """How spike counts are read.

    Parameters
    ----------
    kind : {"logistic", "vote", "winner", "active-tenth"}
        ``logistic``, ours: multinomial logistic regression on the square roots of the counts. The
        others are votes of labelled neurons, see `NeuronLabels.scores`.
    strengths : tuple of float > 0
        Candidates for scikit-learn's ``C``, rising; the validation clips choose.
    """

    kind: Literal["logistic", "vote", "winner", "active-tenth"] = "logistic"
    strengths: tuple[float, ...] = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)

    def __post_init__(self) -> None:
        if not self.strengths or min(self.strengths) <= 0:
            raise SettingsError(f"strengths must be positive numbers, not {self.strengths}.")

    @property
    def vote(self) -> Vote:
        """The vote of labelled neurons that stands in where nothing may be learnt by regression."""
        return "vote" if self.kind == "logistic" else self.kind


@dataclass
class ReadOut:
    """A read-out and what it has learnt.

    Parameters
    ----------
    settings : ReadOutSettings
    positions : int
        Window positions of the layer that is read.
    prior : np.ndarray [shape=(classes,)]
        Answer for a clip that stirs no neuron with a label.
    labels : NeuronLabels or None
    classifier : ScoreClassifier or None
    strength : float or None
        The strength that validation chose.
    """

    settings: ReadOutSettings
    positions: int
    prior: np.ndarray
    labels: NeuronLabels | None = field(default=None)
    classifier: ScoreClassifier | None = field(default=None)
    strength: float | None = field(default=None)

    def fit(
        self,
        train: tuple[np.ndarray, np.ndarray],
        validation: tuple[np.ndarray, np.ndarray],
        *,
        refit: bool,
    ) -> None:
        """Learn from counts and labels of clips.

        Parameters
        ----------
        train, validation : (np.ndarray [shape=(clips, neurons)], np.ndarray [shape=(clips,)])
            Validation chooses the strength of a regression, and nothing of a vote.
        refit : bool
            Learn from the clips of both parts in the end.
        """
        classes = len(self.prior)
        if self.settings.kind == "logistic":
            parts = [(np.sqrt(counts), labels) for counts, labels in (train, validation)]
            self.classifier, self.strength = fit_chosen(
                fit_logistic, self.settings.strengths, parts[0], parts[1], classes, refit=refit
            )
            return
        if refit:
            both = [np.concatenate(pair) for pair in zip(train, validation, strict=True)]
            train = (both[0], both[1])
        self.label(*train)

    def label(self, counts: np.ndarray, labels: np.ndarray) -> None:
        """Label the neurons by these clips alone."""
        self.labels = label_neurons(counts, labels, len(self.prior))

    def probabilities(self, counts: np.ndarray) -> np.ndarray:
        """Answer for clips.

        Parameters
        ----------
        counts : np.ndarray [shape=(clips, neurons)]

        Returns
        -------
        np.ndarray [shape=(clips, classes)]
            Rows sum to 1; of a vote, the shares of the scores.
        """
        if self.classifier is not None:
            return self.classifier.probabilities(np.sqrt(counts))
        assert self.labels is not None
        scores = self.labels.scores(counts, self.positions, self.settings.vote)
        sums = scores.sum(axis=1, keepdims=True)
        return np.where(sums > 0, scores / np.where(sums > 0, sums, 1.0), self.prior)

    def arrays(self) -> dict[str, np.ndarray]:
        """What was learnt, for a checkpoint."""
        if self.classifier is not None:
            return self.classifier.arrays()
        assert self.labels is not None
        return {"label": self.labels.label}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take what `arrays` gave; raises KeyError, TypeError or ValueError if it does not fit."""
        if self.settings.kind == "logistic":
            self.classifier = ScoreClassifier.from_arrays(dict(arrays))
            if self.classifier.weights.shape[1] != len(self.prior):
                raise ValueError(f"{self.classifier.weights.shape[1]} classes in a read-out")
        else:
            self.labels = NeuronLabels(arrays["label"], len(self.prior))


def known(labels: Sequence[str | None], classes: Sequence[str]) -> np.ndarray:
    """Index of each label among the classes; -1 for one that training has not seen."""
    return np.array([classes.index(str(x)) if x in classes else -1 for x in labels], dtype=int)
