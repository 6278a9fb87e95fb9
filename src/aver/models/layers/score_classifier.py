"""`ScoreClassifier`: class scores that are linear in the inputs or in kernel values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

_ROWS_AT_ONCE = 512  # bounds the memory of kernel values


@dataclass(frozen=True)
class ScoreClassifier:
    """A trained classifier of vectors as plain arrays, saved without pickle.

    Inputs are standardized by `mean` and `std`; scores are ``k @ weights + offsets``, where
    ``k`` is the standardized input itself (no anchors) or ``exp(-gamma |input - anchor|^2)`` for
    every anchor; probabilities are the softmax of the scores divided by the temperature.

    Parameters
    ----------
    mean, std : np.ndarray [shape=(inputs,)]
        Of the training clips; no standard deviation is 0.
    anchors : np.ndarray [shape=(anchors, inputs)]
        Support vectors, standardized; no rows for a linear classifier.
    weights : np.ndarray [shape=(inputs or anchors, classes)]
    offsets : np.ndarray [shape=(classes,)]
    gamma : float > 0
        Of the Gaussian kernel; not used without anchors.
    temperature : float > 0
        Above 1 the probabilities are less extreme than those of the scores alone.
    limit : float > 0
        Standardized inputs are limited to so many standard deviations on both sides, so that no
        single value dominates a score; infinity limits nothing.

    Examples
    --------
    >>> identity = ScoreClassifier(
    ...     mean=np.zeros(2), std=np.ones(2), anchors=np.zeros((0, 2)),
    ...     weights=np.eye(2), offsets=np.zeros(2))
    >>> identity.probabilities(np.array([[0.0, np.log(3)]])).round(2).tolist()
    [[0.25, 0.75]]
    """

    mean: np.ndarray
    std: np.ndarray
    anchors: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray
    gamma: float = 1.0
    temperature: float = 1.0
    limit: float = np.inf

    def scores(self, inputs: np.ndarray) -> np.ndarray:
        """Scores before temperature and softmax.

        Parameters
        ----------
        inputs : np.ndarray [shape=(clips, inputs)]

        Returns
        -------
        np.ndarray [shape=(clips, classes), dtype=float64]
        """
        # einsum adds in the same order for any number of rows and threads. The matrix products of
        # BLAS do not, so that a clip's probabilities would depend on the other clips.
        blocks = [
            self._scores(inputs[start : start + _ROWS_AT_ONCE])
            for start in range(0, len(inputs), _ROWS_AT_ONCE)
        ]
        return np.concatenate([np.zeros((0, len(self.offsets))), *blocks])

    def _scores(self, inputs: np.ndarray) -> np.ndarray:
        values = (inputs.astype(np.float64) - self.mean) / self.std
        values = np.clip(values, -self.limit, self.limit)
        if len(self.anchors):
            values = np.exp(-self.gamma * squared_distances(values, self.anchors))
        return np.einsum("ci,ik->ck", values, self.weights) + self.offsets

    def probabilities(self, inputs: np.ndarray) -> np.ndarray:
        """Softmax of scores; same shapes."""
        return softmax(self.scores(inputs) / self.temperature)

    def with_temperature(self, temperature: float) -> ScoreClassifier:
        """The same classifier with another temperature."""
        return replace(self, temperature=temperature)

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays, for a checkpoint."""
        return {
            "mean": self.mean,
            "std": self.std,
            "anchors": self.anchors,
            "weights": self.weights,
            "offsets": self.offsets,
            "gamma": np.array(self.gamma),
            "temperature": np.array(self.temperature),
            "limit": np.array(self.limit),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> ScoreClassifier:
        """Rebuild what `arrays` gave, here or in version 0.2, which had no limit.

        Raises
        ------
        KeyError, TypeError
            If an array is missing or foreign.
        """
        scalars = {name: float(arrays[name]) for name in ("gamma", "temperature")}
        limit = float(arrays.get("limit", np.inf))
        return cls(**{**arrays, **scalars, "limit": limit})  # type: ignore[arg-type]


def softmax(scores: np.ndarray) -> np.ndarray:
    """Exponentials of scores over their row sums, without overflow."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def squared_distances(values: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances; those of a row do not depend on the other rows.

    Parameters
    ----------
    values, anchors : np.ndarray [shape=(rows, inputs)]

    Returns
    -------
    np.ndarray [shape=(values, anchors)]
    """
    products = np.einsum("ci,ai->ca", values, anchors)
    squares = np.square(values).sum(axis=1)[:, np.newaxis] + np.square(anchors).sum(axis=1)
    return np.maximum(squares - 2 * products, 0.0)


Fit = Callable[[np.ndarray, np.ndarray, int, float], ScoreClassifier]
Scaling = Literal["standard", "robust"]
Loss = Literal["hinge", "squared"]
_MIN_PROBABILITY = 1e-12
_ROBUST_LIMIT = 2.5  # standard deviations; chosen in benchmarks/voices_across_corpora.py
_MIN_QUARTILES = 0.2  # of the standard deviation
_QUARTILES_OF_NORMAL = 1.349  # distance between the quartiles, in standard deviations


def fit_logistic(
    inputs: np.ndarray, labels: np.ndarray, classes: int, C: float, scaling: Scaling = "standard"
) -> ScoreClassifier:
    """Multinomial logistic regression with an L2 penalty, on standardized inputs.

    Every class has the same weight in the loss, whatever its number of clips.

    Parameters
    ----------
    inputs : np.ndarray [shape=(clips, inputs)]
    labels : np.ndarray [shape=(clips,), dtype=int, range=0..classes-1]
        Every class occurs.
    classes : int >= 2
    C : float > 0
        Inverse of the penalty, scikit-learn's ``C``.
    scaling : {"standard", "robust"}
        Standardize by mean and standard deviation, or by median and distance of the quartiles with
        a limit of 2.5 standard deviations.
    """
    from sklearn.linear_model import LogisticRegression

    mean, std, limit = _scale(inputs, scaling)
    model = LogisticRegression(C=C, max_iter=5000, class_weight="balanced")
    model.fit(np.clip((inputs - mean) / std, -limit, limit), labels)
    weights, offsets = model.coef_.T, model.intercept_
    if classes == 2:  # scikit-learn keeps the score of the second class over the first only
        weights = np.hstack([np.zeros_like(weights), weights])
        offsets = np.array([0.0, offsets[0]])
    anchors = np.zeros((0, inputs.shape[1]))
    return ScoreClassifier(mean, std, anchors, weights, offsets, limit=limit)


def fit_svm(
    inputs: np.ndarray,
    labels: np.ndarray,
    classes: int,
    C: float,
    scaling: Scaling = "standard",
    kernel_width: float = 1.0,
    loss: Loss = "hinge",
) -> ScoreClassifier:
    """One support vector machine with a Gaussian kernel per class, against all others.

    In each machine the class has the weight of all others together. Other parameters as
    `fit_logistic`.

    Parameters
    ----------
    kernel_width : float > 0
        The kernel's gamma is one over the number of inputs and over the square of this.
    loss : {"hinge", "squared"}
        ``"squared"`` is the least-squares machine of Suykens & Vandewalle (1999), "Least squares
        support vector machine classifiers": every training clip is an anchor, and all classes are
        solved for at once.
    """
    from sklearn.svm import SVC

    mean, std, limit = _scale(inputs, scaling)
    standardized = np.clip((inputs - mean) / std, -limit, limit)
    gamma = 1.0 / inputs.shape[1] / kernel_width**2
    if loss == "squared":
        weights, offsets = _least_squares(standardized, labels, classes, C, gamma)
        return ScoreClassifier(mean, std, standardized, weights, offsets, gamma, limit=limit)
    weights = np.zeros((len(inputs), classes))
    offsets = np.zeros(classes)
    for label in range(classes):
        machine = SVC(C=C, gamma=gamma, class_weight="balanced")
        machine.fit(standardized, labels == label)
        weights[machine.support_, label] = machine.dual_coef_[0]
        offsets[label] = machine.intercept_[0]
    used = weights.any(axis=1)
    anchors = standardized[used]
    return ScoreClassifier(mean, std, anchors, weights[used], offsets, gamma, limit=limit)


def _least_squares(
    inputs: np.ndarray, labels: np.ndarray, classes: int, C: float, gamma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (clips, classes) and offsets of kernel ridge regression on 1 and -1 / (classes - 1).

    Every class has the same weight in the loss.
    """
    kernel = np.exp(-gamma * squared_distances(inputs, inputs))
    counts = np.bincount(labels, minlength=classes)
    clip_weights = len(labels) / classes / counts[labels]
    targets = np.where(labels[:, np.newaxis] == np.arange(classes), 1.0, -1 / (classes - 1))
    offsets = np.average(targets, axis=0, weights=clip_weights)
    kernel[np.diag_indices_from(kernel)] += 1 / (C * clip_weights)
    return np.linalg.solve(kernel, targets - offsets), offsets


@threadpool_limits.wrap(limits=1)  # more threads would add in another order
def fit_chosen(
    fit: Fit,
    Cs: Sequence[float],
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    classes: int,
    *,
    refit: bool = False,
) -> tuple[ScoreClassifier, float]:
    """Fit with each ``C`` and keep the classifier with the lowest validation log loss.

    Each candidate's temperature is the one with the lowest validation log loss (Guo et al. 2017,
    "On Calibration of Modern Neural Networks", section 4.2). Without validation clips the middle
    ``C`` is taken at temperature 1.

    Parameters
    ----------
    fit : callable
        `fit_logistic` or `fit_svm`.
    Cs : sequence of float
        Rising.
    train, validation : (np.ndarray [shape=(clips, inputs)], np.ndarray [shape=(clips,)])
        Inputs and labels.
    classes : int >= 2
    refit : bool
        Once ``C`` and temperature are chosen, fit again on the clips of both subsets.

    Returns
    -------
    ScoreClassifier
    float
        The chosen ``C``.
    """
    inputs, labels = validation
    if not len(labels):
        middle = Cs[len(Cs) // 2]
        return fit(*train, classes, middle), middle
    candidates = []
    for C in Cs:
        classifier = fit(*train, classes, C)
        scores = classifier.scores(inputs)
        temperature = best_temperature(scores, labels)
        loss = _log_loss(scores, labels, temperature)
        candidates.append((loss, C, replace(classifier, temperature=temperature)))
    _, C, classifier = min(candidates, key=lambda candidate: candidate[:2])
    if refit:
        joined = [np.concatenate(both) for both in zip(train, validation, strict=True)]
        again = fit(joined[0], joined[1], classes, C)
        classifier = replace(again, temperature=classifier.temperature)
    return classifier, C


def best_temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """The temperature, 0.01 to 100, with the lowest log loss.

    Parameters
    ----------
    scores : np.ndarray [shape=(clips, classes)]
    labels : np.ndarray [shape=(clips,), dtype=int]
    """
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda exponent: _log_loss(scores, labels, 10.0**exponent),
        bounds=(-2.0, 2.0),
        method="bounded",
    )
    return float(10.0**found.x)


def _log_loss(scores: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    chosen = softmax(scores / temperature)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, _MIN_PROBABILITY)).mean())


def _scale(inputs: np.ndarray, scaling: Scaling) -> tuple[np.ndarray, np.ndarray, float]:
    """Center and scale per input, and limit; constant inputs keep their scale."""
    wide = inputs.astype(np.float64)
    std = wide.std(axis=0)
    std = np.where(std > 1e-9, std, 1.0)
    if scaling == "standard":
        return wide.mean(axis=0), std, np.inf
    low, middle, high = np.percentile(wide, (25, 50, 75), axis=0)
    quartiles = (high - low) / _QUARTILES_OF_NORMAL
    mostly_constant = quartiles < _MIN_QUARTILES * std  # as action units are, which are often 0
    return middle, np.where(mostly_constant, std, quartiles), _ROBUST_LIMIT
