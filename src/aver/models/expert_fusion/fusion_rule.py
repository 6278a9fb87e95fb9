"""`FusionRule`: weights of the experts by reliability, coverage and distance to the training data.

With ``p_m`` the probabilities of the expert of modality ``m``, the fused probabilities are

    p(c)  proportional to  exp(b_c * prod_m r_m) * prod_m  p_m(c) ** (a_m * r_m)    (1)
    r_m = min(1, coverage_m / c0) * min(1, 1 / distance_m) ** g                     (2)

where ``a_m`` is the inverse temperature of the expert outside its training corpus, and ``b_c``
corrects classes that the experts together predict too often or too seldom there. A clip without one
of the modalities has a product of 0, so that ``b_c`` only counts for clips like those it was chosen
on. Experts are trained with balanced classes, so that their prior is uniform; if all ``r_m`` go to
0, so does everything known about a clip, and (1) is the uniform prior.

Source: Hinton (2002), "Training products of experts by minimizing contrastive divergence",
equation 1, for the product; Guo et al. (2017), "On calibration of modern neural networks",
section 4.2, for temperatures and the bias of vector scaling.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from aver.models.layers.score_classifier import softmax

_MIN_PROBABILITY = 1e-6


@dataclass(frozen=True)
class Evidence:
    """What one expert says about clips.

    Parameters
    ----------
    probabilities : np.ndarray [shape=(clips, classes)]
        Rows of NaN for clips without the modality.
    coverage : np.ndarray [shape=(clips,), range=0..1]
        Share of the clip with the modality.
    distance : np.ndarray [shape=(clips,)]
        To the training clips, over the limit; see `TrainingDistance.ratios`. A modality of unknown
        distance (NaN) keeps its weight.
    """

    probabilities: np.ndarray
    coverage: np.ndarray
    distance: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Which clips have the modality: bool (clips,)."""
        return np.isfinite(self.probabilities).all(axis=1)

    def of(self, rows: np.ndarray) -> Evidence:
        """Of some clips; `rows` are indices or bools."""
        return Evidence(self.probabilities[rows], self.coverage[rows], self.distance[rows])


@dataclass(frozen=True)
class FusionRule:
    """The parameters of equations (1) and (2).

    Parameters
    ----------
    exponents : mapping of str to float >= 0
        ``a_m`` by modality.
    full_coverage : float in (0, 1]
        ``c0``: with this share of the clip, a modality has its full weight.
    distance_power : float >= 0
        ``g``: 0 ignores the distance.
    bias : tuple of float
        ``b_c`` by class; empty for none.
    """

    exponents: Mapping[str, float]
    full_coverage: float = 0.25
    distance_power: float = 1.0
    bias: tuple[float, ...] = ()

    def reliability(self, evidence: Evidence) -> np.ndarray:
        """``r_m`` of equation (2), (clips,); 0 for clips without the modality."""
        near = np.fmin(1.0, 1.0 / np.maximum(evidence.distance, 1e-9))  # 1 for NaN
        covered = np.minimum(1.0, evidence.coverage / self.full_coverage)
        return np.where(evidence.known, covered * near**self.distance_power, 0.0)

    def alone(self, modality: str, evidence: Evidence) -> np.ndarray:
        """Probabilities by one modality, (clips, classes); NaN for clips without it."""
        weights = self.exponents[modality] * self.reliability(evidence)
        scores = weights[:, None] * _logarithms(evidence)
        return np.where(evidence.known[:, None], softmax(scores), np.nan)

    def fuse(self, evidence: Mapping[str, Evidence]) -> np.ndarray:
        """Equation (1), (clips, classes); NaN for clips without any modality."""
        terms, together = self.terms(evidence)
        scores = sum(self.exponents[modality] * term for modality, term in terms.items())
        if self.bias:
            scores = scores + together[:, None] * np.array(self.bias)
        known = np.any([one.known for one in evidence.values()], axis=0)
        return np.where(known[:, None], softmax(np.asarray(scores)), np.nan)

    def terms(self, evidence: Mapping[str, Evidence]) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """What ``a_m`` and ``b_c`` are multiplied with: (clips, classes) each, and (clips,)."""
        reliability = {name: self.reliability(one) for name, one in evidence.items()}
        terms = {
            name: reliability[name][:, None] * _logarithms(one) for name, one in evidence.items()
        }
        return terms, np.prod(list(reliability.values()), axis=0)

    def facts(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(replace(self, exponents=dict(self.exponents)))


def _logarithms(evidence: Evidence) -> np.ndarray:
    known = np.where(evidence.known[:, None], evidence.probabilities, 1.0)
    return np.log(np.maximum(known, _MIN_PROBABILITY))


EXPONENTS = (0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.75, 1.0, 1.35, 1.8)
FULL_COVERAGE = (0.1, 0.25, 0.5)
DISTANCE_POWERS = (0.0, 1.0, 2.0)
PENALTIES = (np.inf, 10.0, 3.0)
"""On the squared bias, over the number of clips; infinity is no bias."""
_FOLDS = 5


def choose_rule(
    evidence: Mapping[str, Evidence], labels: np.ndarray, speakers: Sequence[str]
) -> FusionRule:
    """The rule with the lowest log loss on clips that have every modality.

    Exponents, coverage and power come from a grid. A bias is added if it lowers the log loss of
    speakers on whom it was not fitted; how far it is drawn to 0 is chosen in the same way.

    Parameters
    ----------
    evidence : mapping of str to Evidence
        Of clips whose speakers no expert was trained on.
    labels : np.ndarray [shape=(clips,), dtype=int]
    speakers : sequence of str
        One per clip.
    """
    candidates = [
        FusionRule(dict(zip(evidence, exponents, strict=True)), coverage, power)
        for exponents in itertools.product(EXPONENTS, repeat=len(evidence))
        for coverage in FULL_COVERAGE
        for power in DISTANCE_POWERS
    ]
    rule = min(candidates, key=lambda rule: _log_loss(rule.fuse(evidence), labels))
    names = np.array(speakers)
    folds = [np.isin(names, some) for some in np.array_split(np.unique(names), _FOLDS) if len(some)]
    if len(folds) < 2:
        return rule

    def loss_of_others(penalty: float) -> float:
        losses = []
        for fold in folds:
            fitted_on, tested = (
                {name: one.of(rows) for name, one in evidence.items()} for rows in (~fold, fold)
            )
            fitted = _fitted(rule, fitted_on, labels[~fold], penalty)
            losses.append(_log_loss(fitted.fuse(tested), labels[fold]))
        return float(np.mean(losses))

    penalty = min(PENALTIES, key=loss_of_others)
    return rule if penalty == np.inf else _fitted(rule, evidence, labels, penalty)


def _fitted(
    rule: FusionRule, evidence: Mapping[str, Evidence], labels: np.ndarray, penalty: float
) -> FusionRule:
    """Exponents and bias that minimize log loss plus ``penalty * |b|^2 / clips``.

    The problem is convex. The bias of classes that no label has is 0, that of the others sums to 0.
    """
    from scipy.optimize import minimize

    by_modality, together = rule.terms(evidence)
    terms = np.array(list(by_modality.values()))
    count, clips, classes = terms.shape
    present = np.isin(np.arange(classes), labels)
    target = np.eye(classes)[labels]

    def centered(values: np.ndarray) -> np.ndarray:
        return np.where(present, values - values[present].mean(), 0.0)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        bias = centered(parameters[count:])
        found = softmax(np.tensordot(parameters[:count], terms, 1) + together[:, None] * bias)
        error = (found - target) / clips
        slope = together @ error + 2 * penalty / clips * bias
        value = _log_loss(found, labels) + penalty / clips * float(bias @ bias)
        return value, np.concatenate([(terms * error).sum(axis=(1, 2)), centered(slope)])

    free = penalty < np.inf
    start = np.concatenate([[rule.exponents[name] for name in by_modality], np.zeros(classes)])
    bounds = [(EXPONENTS[0], EXPONENTS[-1])] * count + [(None, None) if free else (0, 0)] * classes
    if not free:
        penalty = 0.0
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    return replace(
        rule,
        exponents=dict(zip(by_modality, map(float, found[:count]), strict=True)),
        bias=tuple(map(float, centered(found[count:]))) if free else (),
    )


def _log_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, _MIN_PROBABILITY)).mean())
