"""Fit a `ScoreClassifier` by logistic regression or support vector machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from aver.models.parts.score_classifier import ScoreClassifier, softmax

Fit = Callable[[np.ndarray, np.ndarray, int, float], ScoreClassifier]
_LEAST_PROBABILITY = 1e-12


def fit_logistic(
    inputs: np.ndarray, labels: np.ndarray, classes: int, strength: float
) -> ScoreClassifier:
    """Multinomial logistic regression with an L2 penalty, on standardised inputs.

    Every class counts the same in the loss, however many clips it has.

    Parameters
    ----------
    inputs : np.ndarray [shape=(clips, inputs)]
    labels : np.ndarray [shape=(clips,), dtype=int, range=0..classes-1]
        Every class occurs.
    classes : int >= 2
    strength : float > 0
        Inverse of the penalty, scikit-learn's ``C``.
    """
    from sklearn.linear_model import LogisticRegression

    mean, deviation = _scale(inputs)
    model = LogisticRegression(C=strength, max_iter=5000, class_weight="balanced")
    model.fit((inputs - mean) / deviation, labels)
    weights, offsets = model.coef_.T, model.intercept_
    if classes == 2:  # scikit-learn keeps the score of the second class over the first only
        weights = np.hstack([np.zeros_like(weights), weights])
        offsets = np.array([0.0, offsets[0]])
    return ScoreClassifier(mean, deviation, np.zeros((0, inputs.shape[1])), weights, offsets)


def fit_svm(
    inputs: np.ndarray, labels: np.ndarray, classes: int, strength: float
) -> ScoreClassifier:
    """One support vector machine with a Gaussian kernel per class, against all others.

    Parameters as `fit_logistic`. The kernel's gamma is one over the number of inputs.
    """
    from sklearn.svm import SVC

    mean, deviation = _scale(inputs)
    standardised = (inputs - mean) / deviation
    gamma = 1.0 / inputs.shape[1]
    weights = np.zeros((len(inputs), classes))
    offsets = np.zeros(classes)
    for label in range(classes):
        machine = SVC(C=strength, gamma=gamma).fit(standardised, labels == label)
        weights[machine.support_, label] = machine.dual_coef_[0]
        offsets[label] = machine.intercept_[0]
    used = weights.any(axis=1)
    return ScoreClassifier(mean, deviation, standardised[used], weights[used], offsets, gamma)


@threadpool_limits.wrap(limits=1)  # sums over more threads would round otherwise
def fit_chosen(
    fit: Fit,
    strengths: Sequence[float],
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    classes: int,
    *,
    refit: bool = False,
) -> tuple[ScoreClassifier, float]:
    """Fit with each strength and keep the one that answers best for the validation clips.

    Each candidate's temperature is set to what suits the validation clips best (Guo et al. 2017,
    "On Calibration of Modern Neural Networks", section 4.2); the lowest validation log loss wins.
    Without validation clips the middle strength is taken at temperature 1.

    Parameters
    ----------
    fit : callable
        `fit_logistic` or `fit_svm`.
    strengths : sequence of float
        Rising.
    train, validation : (np.ndarray [shape=(clips, inputs)], np.ndarray [shape=(clips,)])
        Inputs and labels.
    classes : int >= 2
    refit : bool
        Once strength and temperature are chosen, fit again on the clips of both parts.

    Returns
    -------
    ScoreClassifier
    float
        The strength chosen.
    """
    inputs, labels = validation
    if not len(labels):
        middle = strengths[len(strengths) // 2]
        return fit(*train, classes, middle), middle
    candidates = []
    for strength in strengths:
        classifier = fit(*train, classes, strength)
        scores = classifier.scores(inputs)
        temperature = best_temperature(scores, labels)
        loss = _log_loss(scores, labels, temperature)
        candidates.append((loss, strength, replace(classifier, temperature=temperature)))
    _, strength, classifier = min(candidates, key=lambda candidate: candidate[:2])
    if refit:
        joined = [np.concatenate(both) for both in zip(train, validation, strict=True)]
        again = fit(joined[0], joined[1], classes, strength)
        classifier = replace(again, temperature=classifier.temperature)
    return classifier, strength


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
    return float(-np.log(np.maximum(chosen, _LEAST_PROBABILITY)).mean())


def _scale(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation per input; inputs that never change keep their scale."""
    wide = inputs.astype(np.float64)
    deviation = wide.std(axis=0)
    return wide.mean(axis=0), np.where(deviation > 1e-9, deviation, 1.0)
