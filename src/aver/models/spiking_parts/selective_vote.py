"""`SelectiveVote`: labelled neurons vote by how much more than usual they fire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class SelectiveVote:
    """Labelled neurons that vote by how much more than usual they fire, the choosy ones loudest.

    A neuron that fires in every clip says nothing by firing. Here its voice is its standard score:
    the square root of its count, less its mean over training clips, by its deviation there. Its
    label is the class whose training clips have the highest mean score; its weight is that mean,
    the selectivity, to the power `sharpness`. A class has the weighted mean of its neurons' voices,
    itself as a standard score over training clips, so that no class is answered more readily.

    Parameters
    ----------
    label : np.ndarray [shape=(neurons,), dtype=int64]
    weight : np.ndarray [shape=(neurons,)]
        Not negative; of each class, they add up to 1.
    mean, deviation : np.ndarray [shape=(neurons,)]
        Of the square roots of the counts.
    class_mean, class_deviation : np.ndarray [shape=(classes,)]
        Of the classes' voices.
    temperature : float > 0
        Divides scores before the softmax.

    Notes
    -----
    Ours; Mansouri-Benssassi & Ye 2019 and Diehl & Cook 2015 count spikes as they are.
    """

    label: np.ndarray
    weight: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    class_mean: np.ndarray
    class_deviation: np.ndarray
    temperature: float = 1.0

    def scores(self, counts: np.ndarray) -> np.ndarray:
        """How much more than usual speaks for each class.

        Parameters
        ----------
        counts : np.ndarray [shape=(clips, neurons)]

        Returns
        -------
        np.ndarray [shape=(clips, classes)]
        """
        return (self._voices(counts) - self.class_mean) / self.class_deviation

    def _voices(self, counts: np.ndarray) -> np.ndarray:
        standard = (np.sqrt(counts) - self.mean) / self.deviation
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
    def learn(
        cls, counts: np.ndarray, labels: np.ndarray, classes: int, sharpness: float
    ) -> SelectiveVote:
        """Label and weigh the neurons by labelled clips.

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
        >>> vote = SelectiveVote.learn(counts, np.array([0, 0, 1, 1]), 2, sharpness=3.0)
        >>> vote.label.tolist(), vote.scores(counts).argmax(axis=1).tolist()
        ([1, 1], [0, 0, 1, 1])
        """
        roots = np.sqrt(counts)
        mean, deviation = roots.mean(axis=0), _or_one(roots.std(axis=0))
        standard = (roots - mean) / deviation
        means = np.stack([standard[labels == label].mean(axis=0) for label in range(classes)])
        label = means.argmax(axis=0)
        weight = np.maximum(means.max(axis=0), 0.0) ** sharpness
        weight /= _or_one(np.bincount(label, weights=weight, minlength=classes))[label]
        raw = cls(label, weight, mean, deviation, np.zeros(classes), np.ones(classes))
        voices = raw._voices(counts)
        return replace(
            raw, class_mean=voices.mean(axis=0), class_deviation=_or_one(voices.std(axis=0))
        )


def _or_one(deviation: np.ndarray) -> np.ndarray:
    """What divides; 1 where there is nothing to divide by."""
    return np.where(deviation > 1e-9, deviation, 1.0)
