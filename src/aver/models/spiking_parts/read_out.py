"""`ReadOut`: from spike counts to class probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from aver.errors import SettingsError
from aver.models.parts.fit_scores import best_temperature, fit_chosen, fit_logistic
from aver.models.parts.score_classifier import ScoreClassifier, softmax
from aver.models.spiking_parts.neuron_labels import NeuronLabels, Vote, label_neurons
from aver.models.spiking_parts.selective_vote import SelectiveVote

Kind = Literal["logistic", "selective-vote", "vote", "winner", "active-tenth"]


@dataclass(frozen=True)
class ReadOutSettings:
    """How spike counts are read.

    Parameters
    ----------
    kind : {"logistic", "selective-vote", "vote", "winner", "active-tenth"}
        ``logistic``, ours: multinomial logistic regression on the square roots of the counts.
        ``selective-vote``, ours: labelled neurons vote by how much more than usual they fire, see
        `SelectiveVote`. The others are the published votes, see `NeuronLabels.scores`.
    strengths : tuple of float > 0
        Candidates for scikit-learn's ``C``, rising; the validation clips choose.
    sharpness : float >= 0
        Of the selective vote: how much more a choosy neuron counts than others; 0: all alike.
    """

    kind: Kind = "logistic"
    strengths: tuple[float, ...] = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)
    sharpness: float = 2.0

    def __post_init__(self) -> None:
        if not self.sharpness >= 0:
            raise SettingsError(f"sharpness is {self.sharpness}; it must not be negative.")
        if not self.strengths or not all(strength > 0 for strength in self.strengths):
            raise SettingsError(f"strengths must be positive numbers, not {self.strengths}.")

    @property
    def vote(self) -> Vote:
        """The published vote that stands in for read-outs of ours."""
        if self.kind == "logistic" or self.kind == "selective-vote":
            return "vote"
        return self.kind


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
    selective : SelectiveVote or None
    classifier : ScoreClassifier or None
    strength : float or None
        The strength that validation chose.
    """

    settings: ReadOutSettings
    positions: int
    prior: np.ndarray
    labels: NeuronLabels | None = field(default=None)
    selective: SelectiveVote | None = field(default=None)
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
            Validation chooses the strength of a regression and how sure the answers are, and
            nothing of a published vote.
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
        joined = [np.concatenate(pair) for pair in zip(train, validation, strict=True)]
        last: tuple[np.ndarray, np.ndarray] = (joined[0], joined[1]) if refit else train
        if self.settings.kind == "selective-vote":
            first = SelectiveVote.learn(*train, classes, self.settings.sharpness)
            temperature = 1.0
            if len(validation[1]):
                temperature = best_temperature(first.scores(validation[0]), validation[1])
            again = SelectiveVote.learn(last[0], last[1], classes, self.settings.sharpness)
            self.selective = replace(again, temperature=temperature)
            return
        self.label(*last)

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
            Rows sum to 1; of a published vote, the shares of the scores.
        """
        if self.classifier is not None:
            return self.classifier.probabilities(np.sqrt(counts))
        if self.selective is not None:
            return softmax(self.selective.scores(counts) / self.selective.temperature)
        assert self.labels is not None
        scores = self.labels.scores(counts, self.positions, self.settings.vote)
        sums = scores.sum(axis=1, keepdims=True)
        return np.where(sums > 0, scores / np.where(sums > 0, sums, 1.0), self.prior)

    def arrays(self) -> dict[str, np.ndarray]:
        """What was learnt, for a checkpoint."""
        if self.classifier is not None:
            return self.classifier.arrays()
        if self.selective is not None:
            return self.selective.arrays()
        assert self.labels is not None
        return {"label": self.labels.label}

    def restore(self, arrays: Mapping[str, np.ndarray], neurons: int) -> None:
        """Take what `arrays` gave, for a layer of so many neurons.

        Raises
        ------
        KeyError, TypeError, ValueError
            If an array is missing or foreign, or does not fit.
        """
        classes = len(self.prior)
        if self.settings.kind == "logistic":
            self.classifier = ScoreClassifier.from_arrays(dict(arrays))
            found = self.classifier.weights.shape
        elif self.settings.kind == "selective-vote":
            self.selective = SelectiveVote.from_arrays(arrays)
            found = (len(self.selective.label), len(self.selective.class_mean))
        else:
            self.labels = NeuronLabels(arrays["label"], classes)
            found = (len(self.labels.label), classes)
        if found != (neurons, classes):
            raise ValueError(
                f"a read-out of {found[0]} neurons and {found[1]} classes, where there are "
                f"{neurons} and {classes}"
            )


def known(labels: Sequence[str | None], classes: Sequence[str]) -> np.ndarray:
    """Index of each label among the classes; -1 for one that training has not seen."""
    return np.array([classes.index(str(x)) if x in classes else -1 for x in labels], dtype=int)
