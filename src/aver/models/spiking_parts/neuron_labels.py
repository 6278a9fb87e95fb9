"""`NeuronLabels`: which class drives each neuron most, and what labelled neurons vote for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Vote = Literal["vote", "winner", "active-tenth"]
_ACTIVE_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class NeuronLabels:
    """Neurons with the class that they stand for.

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
        """How much speaks for each class.

        Parameters
        ----------
        counts : np.ndarray [shape=(clips, neurons)]
        positions : int
            Window positions; neurons are counted position by position.
        kind : {"vote", "winner", "active-tenth"}
            ``vote``: mean count of the neurons of a class; ``winner``: the most active neuron of
            each position has one voice; ``active-tenth``: share of a class's neurons among the
            most active tenth.

        Returns
        -------
        np.ndarray [shape=(clips, classes)]
            Not negative; a row of zeros where nothing speaks for anything.
        """
        if kind == "winner":
            return self._winners(counts, positions)
        voices = counts.astype(np.float64)
        if kind == "active-tenth":
            kept = max(1, round(_ACTIVE_SHARE * counts.shape[1]))
            # Equal counts: the neuron with the lower number is taken, whatever the sort.
            ranks = np.argsort(-counts, axis=1, kind="stable")[:, :kept]
            voices = np.zeros(counts.shape)
            np.put_along_axis(voices, ranks, 1.0, axis=1)
            voices *= counts > 0
        sizes = np.bincount(self.label[self.label >= 0], minlength=self.classes)
        return voices @ self._members / np.maximum(sizes, 1)

    @property
    def _members(self) -> np.ndarray:
        """1 where a neuron has a label: (neurons, classes)."""
        return (self.label[:, np.newaxis] == np.arange(self.classes)).astype(np.float64)

    def _winners(self, counts: np.ndarray, positions: int) -> np.ndarray:
        by_position = counts.reshape(len(counts), positions, -1)
        features = by_position.shape[2]
        winner = by_position.argmax(axis=2) + np.arange(positions) * features  # (clips, positions)
        fired = by_position.max(axis=2) > 0
        voices = self._members[winner] * fired[:, :, np.newaxis]  # (clips, positions, classes)
        return voices.sum(axis=1)


def label_neurons(counts: np.ndarray, labels: np.ndarray, classes: int) -> NeuronLabels:
    """Give each neuron the class whose clips drive it most on average.

    Parameters
    ----------
    counts : np.ndarray [shape=(clips, neurons)]
        Of labelled clips.
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
