"""`ReadOut`: from spike counts to class probabilities, by votes of neurons or by regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Literal

import numpy as np

from aver.models.layers.score_classifier import (
    ScoreClassifier,
    best_temperature,
    fit_chosen,
    fit_logistic,
    softmax,
)
from aver.settings import Field, settings
from aver.spiking.parameters import NotNegative, Positive

Vote = Literal["vote", "winner", "active-tenth"]
_ACTIVE_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class NeuronLabels:
    """The class that each neuron is labeled with.

    Parameters
    ----------
    label : np.ndarray [shape=(neurons,), dtype=int64]
        Index of the class; -1 for a neuron that never fired.
    classes : int >= 2

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, section IV-C; Diehl & Cook 2015, section 2.6.
    """

    label: np.ndarray
    classes: int

    def scores(self, counts: np.ndarray, positions: int, kind: Vote) -> np.ndarray:
        """Scores of the classes.

        Parameters
        ----------
        counts : np.ndarray [shape=(clips, neurons)]
        positions : int
            Window positions; neurons are numbered position by position.
        kind : {"vote", "winner", "active-tenth"}
            ``vote``: mean count of the neurons of a class; ``winner``: the most active neuron of
            each position has one vote; ``active-tenth``: share of a class's neurons that are among
            the most active tenth of all neurons.

        Returns
        -------
        np.ndarray [shape=(clips, classes)]
            Not negative; a row of zeros if no neuron votes.
        """
        if kind == "winner":
            return self._winners(counts, positions)
        votes = counts.astype(np.float64)
        if kind == "active-tenth":
            kept = max(1, round(_ACTIVE_SHARE * counts.shape[1]))
            # Of equal counts, the neuron with the lower number is taken, on every platform.
            ranks = np.argsort(-counts, axis=1, kind="stable")[:, :kept]
            votes = np.zeros(counts.shape)
            np.put_along_axis(votes, ranks, 1.0, axis=1)
            votes *= counts > 0
        sizes = np.bincount(self.label[self.label >= 0], minlength=self.classes)
        return votes @ self._members / np.maximum(sizes, 1)

    @property
    def _members(self) -> np.ndarray:
        """1 for the label of each neuron, else 0: (neurons, classes)."""
        return (self.label[:, np.newaxis] == np.arange(self.classes)).astype(np.float64)

    def _winners(self, counts: np.ndarray, positions: int) -> np.ndarray:
        by_position = counts.reshape(len(counts), positions, -1)
        features = by_position.shape[2]
        winner = by_position.argmax(axis=2) + np.arange(positions) * features  # (clips, positions)
        fired = by_position.max(axis=2) > 0
        votes = self._members[winner] * fired[:, :, np.newaxis]  # (clips, positions, classes)
        return votes.sum(axis=1)


def label_neurons(counts: np.ndarray, labels: np.ndarray, classes: int) -> NeuronLabels:
    """Label each neuron with the class whose clips evoke most of its spikes on average.

    Parameters
    ----------
    counts : np.ndarray [shape=(clips, neurons)]
        Of labeled clips.
    labels : np.ndarray [shape=(clips,), dtype=int]
    classes : int >= 2

    Examples
    --------
    >>> counts = np.array([[4, 0, 0], [0, 3, 0], [0, 5, 0]])
    >>> label_neurons(counts, np.array([0, 1, 1]), 2).label.tolist()
    [0, 1, -1]
    """
    means = np.stack([_mean(counts[labels == label]) for label in range(classes)])
    return NeuronLabels(np.where(means.max(axis=0) > 0, means.argmax(axis=0), -1), classes)


def _mean(counts: np.ndarray) -> np.ndarray:
    return counts.mean(axis=0) if len(counts) else np.zeros(counts.shape[1])


@dataclass(frozen=True, eq=False)
class SelectiveVote:
    """Votes of labeled neurons by standard scores of their counts, weighted by selectivity.

    A neuron that fires in every clip carries no information by firing. Here its vote is a standard
    score: the square root of its count, minus its mean over the training clips, divided by its
    standard deviation there. Its label is the class whose training clips have the highest mean
    score; its weight is that mean, the selectivity, to the power `sharpness`. The score of a class
    is the weighted mean of its neurons' votes, again as a standard score over the training clips,
    so that no class is favored.

    Parameters
    ----------
    label : np.ndarray [shape=(neurons,), dtype=int64]
    weight : np.ndarray [shape=(neurons,)]
        Not negative; of each class, they add up to 1.
    mean, std : np.ndarray [shape=(neurons,)]
        Of the square roots of the counts.
    class_mean, class_std : np.ndarray [shape=(classes,)]
        Of the classes' weighted votes.
    temperature : float > 0
        Divides scores before the softmax.

    Notes
    -----
    Ours; Mansouri-Benssassi & Ye 2019 and Diehl & Cook 2015 count spikes as they are.
    """

    label: np.ndarray
    weight: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    class_mean: np.ndarray
    class_std: np.ndarray
    temperature: float = 1.0

    def scores(self, counts: np.ndarray) -> np.ndarray:
        """Scores of the classes.

        Parameters
        ----------
        counts : np.ndarray [shape=(clips, neurons)]

        Returns
        -------
        np.ndarray [shape=(clips, classes)]
        """
        return (self._votes(counts) - self.class_mean) / self.class_std

    def _votes(self, counts: np.ndarray) -> np.ndarray:
        standard = (np.sqrt(counts) - self.mean) / self.std
        of_class = self.label[:, np.newaxis] == np.arange(len(self.class_mean))
        # einsum adds in the same order whatever the number of rows and threads.
        return np.einsum("cn,nk->ck", standard, of_class * self.weight[:, np.newaxis])

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays, for a checkpoint."""
        return {entry.name: np.asarray(getattr(self, entry.name)) for entry in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> SelectiveVote:
        """Rebuild what `arrays` gave.

        Raises
        ------
        KeyError, TypeError
            If an array is missing or foreign.
        """
        return cls(**{**arrays, "temperature": float(arrays["temperature"])})  # type: ignore[arg-type]

    @classmethod
    def fit(
        cls, counts: np.ndarray, labels: np.ndarray, classes: int, sharpness: float
    ) -> SelectiveVote:
        """Label and weight the neurons by labeled clips.

        Parameters
        ----------
        counts : np.ndarray [shape=(clips, neurons)]
        labels : np.ndarray [shape=(clips,), dtype=int]
            Every class occurs.
        classes : int >= 2
        sharpness : float >= 0

        Examples
        --------
        >>> counts = np.array([[90, 1], [110, 0], [100, 9], [100, 8]])
        >>> vote = SelectiveVote.fit(counts, np.array([0, 0, 1, 1]), 2, sharpness=3.0)
        >>> vote.label.tolist(), vote.scores(counts).argmax(axis=1).tolist()
        ([1, 1], [0, 0, 1, 1])
        """
        roots = np.sqrt(counts)
        mean, std = roots.mean(axis=0), _or_one(roots.std(axis=0))
        standard = (roots - mean) / std
        means = np.stack([standard[labels == label].mean(axis=0) for label in range(classes)])
        label = means.argmax(axis=0)
        weight = np.maximum(means.max(axis=0), 0.0) ** sharpness
        weight /= _or_one(np.bincount(label, weights=weight, minlength=classes))[label]
        raw = cls(label, weight, mean, std, np.zeros(classes), np.ones(classes))
        votes = raw._votes(counts)
        return replace(raw, class_mean=votes.mean(axis=0), class_std=_or_one(votes.std(axis=0)))


def _or_one(std: np.ndarray) -> np.ndarray:
    """The deviations, with 1 in place of zeros."""
    return np.where(std > 1e-9, std, 1.0)


Kind = Literal["logistic", "selective-vote", "vote", "winner", "active-tenth"]


@settings
class ReadOutSettings:
    """How classes are predicted from spike counts.

    Parameters
    ----------
    kind : {"logistic", "selective-vote", "vote", "winner", "active-tenth"}
        ``logistic``, ours: multinomial logistic regression on the square roots of the counts.
        ``selective-vote``, ours: labeled neurons vote by standard scores of their counts, see
        `SelectiveVote`. The others are the published votes, see `NeuronLabels.scores`.
    Cs : tuple of float > 0
        Candidates for scikit-learn's ``C``, in rising order; chosen on the validation clips.
    sharpness : float >= 0
        Of the selective vote: exponent of the neurons' selectivity in their weights; 0: all equal.
    """

    kind: Kind = "logistic"
    Cs: Annotated[tuple[Positive, ...], Field(min_length=1)] = (
        0.0001,
        0.0003,
        0.001,
        0.003,
        0.01,
        0.03,
    )
    sharpness: NotNegative = 2.0

    @property
    def vote(self) -> Vote:
        """The published vote; ``"vote"`` for the kinds that are ours."""
        if self.kind == "logistic" or self.kind == "selective-vote":
            return "vote"
        return self.kind

    @property
    def chosen_on_validation(self) -> str:
        """What the validation clips choose; empty if nothing."""
        return {"logistic": "C and temperature", "selective-vote": "temperature"}.get(self.kind, "")


@dataclass
class ReadOut:
    """Predicts classes from spike counts, after `fit` or `label`.

    Parameters
    ----------
    settings : ReadOutSettings
    positions : int
        Window positions of the layer whose spikes are counted.
    prior : np.ndarray [shape=(classes,)]
        Prediction for a clip in which no labeled neuron fires.
    labels : NeuronLabels or None
    selective : SelectiveVote or None
    classifier : ScoreClassifier or None
    C : float or None
        Chosen on the validation clips.
    """

    settings: ReadOutSettings
    positions: int
    prior: np.ndarray
    labels: NeuronLabels | None = field(default=None)
    selective: SelectiveVote | None = field(default=None)
    classifier: ScoreClassifier | None = field(default=None)
    C: float | None = field(default=None)

    def fit(
        self,
        train: tuple[np.ndarray, np.ndarray],
        validation: tuple[np.ndarray, np.ndarray],
        *,
        refit: bool,
    ) -> None:
        """Fit to counts and labels of clips.

        Parameters
        ----------
        train, validation : (np.ndarray [shape=(clips, neurons)], np.ndarray [shape=(clips,)])
            The validation clips choose ``C`` of a regression and the temperature; published votes
            have nothing to choose.
        refit : bool
            Fit to the clips of both subsets in the end.
        """
        classes = len(self.prior)
        if self.settings.kind == "logistic":
            roots = [(np.sqrt(counts), labels) for counts, labels in (train, validation)]
            self.classifier, self.C = fit_chosen(
                fit_logistic, self.settings.Cs, roots[0], roots[1], classes, refit=refit
            )
            return
        joined = [np.concatenate(pair) for pair in zip(train, validation, strict=True)]
        last: tuple[np.ndarray, np.ndarray] = (joined[0], joined[1]) if refit else train
        if self.settings.kind == "selective-vote":
            first = SelectiveVote.fit(*train, classes, self.settings.sharpness)
            temperature = 1.0
            if len(validation[1]):
                temperature = best_temperature(first.scores(validation[0]), validation[1])
            again = SelectiveVote.fit(last[0], last[1], classes, self.settings.sharpness)
            self.selective = replace(again, temperature=temperature)
            return
        self.label(*last)

    def label(self, counts: np.ndarray, labels: np.ndarray) -> None:
        """Label the neurons by these clips alone."""
        self.labels = label_neurons(counts, labels, len(self.prior))

    def probabilities(self, counts: np.ndarray) -> np.ndarray:
        """Class probabilities of clips.

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
        """Everything that was fitted, for a checkpoint."""
        if self.classifier is not None:
            return self.classifier.arrays()
        if self.selective is not None:
            return self.selective.arrays()
        assert self.labels is not None
        return {"label": self.labels.label}

    def restore(self, arrays: Mapping[str, np.ndarray], neurons: int) -> None:
        """Take what `arrays` gave, for a layer of `neurons` neurons.

        Raises
        ------
        KeyError, TypeError, ValueError
            If an array is missing or foreign, or does not fit.
        """
        classes = len(self.prior)
        if self.settings.kind == "logistic":
            self.classifier = ScoreClassifier.from_arrays(dict(arrays))
            shape = self.classifier.weights.shape
        elif self.settings.kind == "selective-vote":
            self.selective = SelectiveVote.from_arrays(arrays)
            shape = (len(self.selective.label), len(self.selective.class_mean))
        else:
            self.labels = NeuronLabels(arrays["label"], classes)
            shape = (len(self.labels.label), classes)
        if shape != (neurons, classes):
            raise ValueError(
                f"the read-out is of {shape[0]} neurons and {shape[1]} classes, but there are "
                f"{neurons} and {classes}"
            )


def class_indices(labels: Sequence[str | None], classes: Sequence[str]) -> np.ndarray:
    """Index of each label among the classes; -1 if it is not among them."""
    return np.array([classes.index(str(x)) if x in classes else -1 for x in labels], dtype=int)
