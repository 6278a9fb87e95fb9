"""`ScoreClassifier`: class scores that are linear in the inputs or in kernel values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_ROWS_AT_ONCE = 512  # bounds the memory of kernel values


@dataclass(frozen=True)
class ScoreClassifier:
    """A trained classifier of vectors as plain arrays, saved without pickle.

    Inputs are standardised by `mean` and `deviation`; scores are ``k @ weights + offsets``, where
    ``k`` is the standardised input itself (no anchors) or ``exp(-gamma |input - anchor|^2)`` for
    every anchor; probabilities are the softmax of the scores divided by the temperature.

    Parameters
    ----------
    mean, deviation : np.ndarray [shape=(inputs,)]
        Of the training clips; no deviation is 0.
    anchors : np.ndarray [shape=(anchors, inputs)]
        Support vectors, standardised; no rows for a linear classifier.
    weights : np.ndarray [shape=(inputs or anchors, classes)]
    offsets : np.ndarray [shape=(classes,)]
    gamma : float > 0
        Of the Gaussian kernel; without meaning where there are no anchors.
    temperature : float > 0
        Above 1 the answers are less certain than the scores alone would be.

    Examples
    --------
    >>> identity = ScoreClassifier(
    ...     mean=np.zeros(2), deviation=np.ones(2), anchors=np.zeros((0, 2)),
    ...     weights=np.eye(2), offsets=np.zeros(2))
    >>> identity.probabilities(np.array([[0.0, np.log(3)]])).round(2).tolist()
    [[0.25, 0.75]]
    """

    mean: np.ndarray
    deviation: np.ndarray
    anchors: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray
    gamma: float = 1.0
    temperature: float = 1.0

    def scores(self, inputs: np.ndarray) -> np.ndarray:
        """Scores before temperature and softmax.

        Parameters
        ----------
        inputs : np.ndarray [shape=(clips, inputs)]

        Returns
        -------
        np.ndarray [shape=(clips, classes), dtype=float64]
        """
        # einsum adds in the same order whatever the number of rows and threads; the matrix
        # products of BLAS do not, and a clip's answer would depend on its neighbours.
        blocks = [
            self._scores(inputs[start : start + _ROWS_AT_ONCE])
            for start in range(0, len(inputs), _ROWS_AT_ONCE)
        ]
        return np.concatenate([np.zeros((0, len(self.offsets))), *blocks])

    def _scores(self, inputs: np.ndarray) -> np.ndarray:
        values = (inputs.astype(np.float64) - self.mean) / self.deviation
        if len(self.anchors):
            values = np.exp(-self.gamma * _squared_distances(values, self.anchors))
        return np.einsum("ci,ik->ck", values, self.weights) + self.offsets

    def probabilities(self, inputs: np.ndarray) -> np.ndarray:
        """Softmax of scores; same shapes."""
        return softmax(self.scores(inputs) / self.temperature)

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays, for a checkpoint."""
        return {
            "mean": self.mean,
            "deviation": self.deviation,
            "anchors": self.anchors,
            "weights": self.weights,
            "offsets": self.offsets,
            "gamma": np.array(self.gamma),
            "temperature": np.array(self.temperature),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> ScoreClassifier:
        """Rebuild what `arrays` gave.

        Raises
        ------
        KeyError, TypeError
            If an array is missing or foreign.
        """
        scalars = {name: float(arrays[name]) for name in ("gamma", "temperature")}
        return cls(**{**arrays, **scalars})  # type: ignore[arg-type]


def softmax(scores: np.ndarray) -> np.ndarray:
    """Exponentials of scores over their row sums, without overflow."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _squared_distances(values: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Shape (clips, anchors)."""
    products = np.einsum("ci,ai->ca", values, anchors)
    squares = np.square(values).sum(axis=1)[:, np.newaxis] + np.square(anchors).sum(axis=1)
    return np.maximum(squares - 2 * products, 0.0)
