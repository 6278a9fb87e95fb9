"""`FusionRule`: weights of the experts by reliability, coverage and distance to the training data.

With ``p_m`` the probabilities of the expert of modality ``m``, the fused probabilities are

    p(c)  proportional to  prod_m  p_m(c) ** e_m                               (1)
    e_m = a_m * min(1, coverage_m / c0) * min(1, 1 / distance_m) ** g          (2)

where ``a_m`` is the inverse temperature of the expert outside its training corpus. Experts are
trained with balanced classes, so that their prior is uniform; if all ``e_m`` go to 0, so does
everything known about a clip, and (1) is the uniform prior.

Source: Hinton (2002), "Training products of experts by minimizing contrastive divergence",
equation 1, for (1); temperatures as in Guo et al. (2017), section 4.2.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
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
    """The parameters of equation (2).

    Parameters
    ----------
    exponents : mapping of str to float >= 0
        ``a_m`` by modality.
    full_coverage : float in (0, 1]
        ``c0``: with this share of the clip, a modality has its full weight.
    distance_power : float >= 0
        ``g``: 0 ignores the distance.
    """

    exponents: Mapping[str, float]
    full_coverage: float = 0.25
    distance_power: float = 1.0

    def weights(self, modality: str, evidence: Evidence) -> np.ndarray:
        """``e_m`` of equation (2), (clips,); 0 for clips without the modality."""
        near = np.fmin(1.0, 1.0 / np.maximum(evidence.distance, 1e-9))  # 1 for NaN
        covered = np.minimum(1.0, evidence.coverage / self.full_coverage)
        weights = self.exponents[modality] * covered * near**self.distance_power
        return np.where(evidence.known, weights, 0.0)

    def alone(self, modality: str, evidence: Evidence) -> np.ndarray:
        """Probabilities by one modality, (clips, classes); NaN for clips without it."""
        scores = self.weights(modality, evidence)[:, None] * _logarithms(evidence)
        return np.where(evidence.known[:, None], softmax(scores), np.nan)

    def fuse(self, evidence: Mapping[str, Evidence]) -> np.ndarray:
        """Equation (1), (clips, classes); NaN for clips without any modality."""
        scores = sum(
            self.weights(modality, one)[:, None] * _logarithms(one)
            for modality, one in evidence.items()
        )
        known = np.any([one.known for one in evidence.values()], axis=0)
        return np.where(known[:, None], softmax(np.asarray(scores)), np.nan)

    def facts(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(replace(self, exponents=dict(self.exponents)))


def _logarithms(evidence: Evidence) -> np.ndarray:
    known = np.where(evidence.known[:, None], evidence.probabilities, 1.0)
    return np.log(np.maximum(known, _MIN_PROBABILITY))


EXPONENTS = (0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.75, 1.0, 1.35, 1.8)
FULL_COVERAGE = (0.1, 0.25, 0.5)
DISTANCE_POWERS = (0.0, 1.0, 2.0)


def choose_rule(evidence: Mapping[str, Evidence], labels: np.ndarray) -> FusionRule:
    """The rule with the lowest log loss on clips that have every modality.

    Parameters
    ----------
    evidence : mapping of str to Evidence
        Of clips whose speakers no expert was trained on.
    labels : np.ndarray [shape=(clips,), dtype=int]
    """
    candidates = [
        FusionRule(dict(zip(evidence, exponents, strict=True)), coverage, power)
        for exponents in itertools.product(EXPONENTS, repeat=len(evidence))
        for coverage in FULL_COVERAGE
        for power in DISTANCE_POWERS
    ]
    return min(candidates, key=lambda rule: _log_loss(rule.fuse(evidence), labels))


def _log_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, _MIN_PROBABILITY)).mean())
