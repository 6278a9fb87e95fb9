"""Learning rules: how a pair of spikes changes the weight between their neurons.

All traces are of the nearest spike: set to 1 by a spike, decaying exponentially since. A
pre-synaptic spike acts when it arrives, that is after its axon's delay. Where both neurons spike
in one step, the pre-synaptic spike acts first.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

from aver.errors import SettingsError
from aver.spiking.parameters import require_finite, require_not_negative, require_positive


@dataclass(frozen=True)
class RuleTerms:
    """The general rule of which every rule here is a case.

    - at a pre-synaptic spike: ``w -= depression * x_post * w ** power``
    - at a post-synaptic spike:
      ``w += potentiation * (x_pre - target_trace) * x_post2 * (highest_weight - w) ** power``

    Weights are clipped to [0, ``highest_weight``]. ``x_post2`` is 1 where ``post2_ms`` is 0.
    """

    depression: float
    potentiation: float
    target_trace: float
    power: float
    pre_ms: float
    post_ms: float
    post2_ms: float
    highest_weight: float


class LearningRule(Protocol):
    """Anything that can say which terms of the general rule it has."""

    @property
    def terms(self) -> RuleTerms:
        """The terms of the general rule."""


@dataclass(frozen=True)
class TripletRule:
    """One pre- and two post-synaptic spikes: the rule of Diehl & Cook's script, the default.

    Depression at a pre-synaptic spike in proportion to the fast post-synaptic trace; growth at a
    post-synaptic spike in proportion to the pre-synaptic trace and to the slow post-synaptic
    trace just before the spike, so that a neuron's first spike alone changes nothing.

    Parameters
    ----------
    pre_ms, post_ms, post2_ms : float > 0, time constants of the traces
    depression, potentiation : float >= 0, learning rates
    highest_weight : float > 0

    Notes
    -----
    Source: Pfister & Gerstner 2006; Diehl & Cook 2015, section 2.3 and script.
    """

    pre_ms: float = 20.0
    post_ms: float = 20.0
    post2_ms: float = 40.0
    depression: float = 1e-4
    potentiation: float = 1e-2
    highest_weight: float = 1.0

    def __post_init__(self) -> None:
        _check(self)

    @property
    def terms(self) -> RuleTerms:
        """The terms of the general rule."""
        return RuleTerms(
            depression=self.depression,
            potentiation=self.potentiation,
            target_trace=0.0,
            power=0.0,
            pre_ms=self.pre_ms,
            post_ms=self.post_ms,
            post2_ms=self.post2_ms,
            highest_weight=self.highest_weight,
        )


@dataclass(frozen=True)
class PairRule:
    """The classic pair rule: pre before post strengthens, post before pre weakens.

    Parameters
    ----------
    pre_ms, post_ms : float > 0, time constants of the traces
    depression, potentiation : float >= 0, learning rates
    highest_weight : float > 0

    Notes
    -----
    Source: Song, Miller & Abbott 2000.
    """

    pre_ms: float = 20.0
    post_ms: float = 20.0
    depression: float = 1e-4
    potentiation: float = 1e-2
    highest_weight: float = 1.0

    def __post_init__(self) -> None:
        _check(self)

    @property
    def terms(self) -> RuleTerms:
        """The terms of the general rule."""
        return RuleTerms(
            depression=self.depression,
            potentiation=self.potentiation,
            target_trace=0.0,
            power=0.0,
            pre_ms=self.pre_ms,
            post_ms=self.post_ms,
            post2_ms=0.0,
            highest_weight=self.highest_weight,
        )


@dataclass(frozen=True)
class TargetTraceRule:
    """Change at post-synaptic spikes only: inputs silent of late lose, recent ones gain.

    ``dw = learning_rate * (x_pre - target_trace) * (highest_weight - w) ** power``

    Parameters
    ----------
    pre_ms : float > 0, time constant of the trace
    learning_rate : float >= 0
    target_trace : float in [0, 1], trace at which nothing changes
    power : float >= 0, dependence on the weight
    highest_weight : float > 0

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, equation 3 (constants not printed there; ours).
    """

    pre_ms: float = 20.0
    learning_rate: float = 0.01
    target_trace: float = 0.4
    power: float = 0.2
    highest_weight: float = 1.0

    def __post_init__(self) -> None:
        _check(self)

    @property
    def terms(self) -> RuleTerms:
        """The terms of the general rule."""
        return RuleTerms(
            depression=0.0,
            potentiation=self.learning_rate,
            target_trace=self.target_trace,
            power=self.power,
            pre_ms=self.pre_ms,
            post_ms=self.pre_ms,
            post2_ms=0.0,
            highest_weight=self.highest_weight,
        )


@dataclass(frozen=True)
class PowerLawPairRule:
    """The pair rule whose steps shrink as a weight nears its bounds.

    ``dw = -depression * x_post * w ** power`` at a pre-synaptic spike and
    ``dw = potentiation * (x_pre - target_trace) * (highest_weight - w) ** power`` at a
    post-synaptic one.

    Parameters
    ----------
    pre_ms, post_ms : float > 0, time constants of the traces
    depression, potentiation : float >= 0, learning rates
    target_trace : float in [0, 1]
    power : float >= 0
    highest_weight : float > 0

    Notes
    -----
    Source: Diehl & Cook 2015, section 2.3, the symmetric rule; Querlioz et al. 2013.
    """

    pre_ms: float = 20.0
    post_ms: float = 20.0
    depression: float = 1e-4
    potentiation: float = 1e-2
    target_trace: float = 0.0
    power: float = 0.2
    highest_weight: float = 1.0

    def __post_init__(self) -> None:
        _check(self)

    @property
    def terms(self) -> RuleTerms:
        """The terms of the general rule."""
        return RuleTerms(
            depression=self.depression,
            potentiation=self.potentiation,
            target_trace=self.target_trace,
            power=self.power,
            pre_ms=self.pre_ms,
            post_ms=self.post_ms,
            post2_ms=0.0,
            highest_weight=self.highest_weight,
        )


RULES: dict[str, type] = {
    rule.__name__: rule for rule in (TripletRule, PairRule, TargetTraceRule, PowerLawPairRule)
}
"""Every rule by its name, as written in saved networks."""


def _check(rule: object) -> None:
    require_finite(rule)
    for item in fields(rule):  # type: ignore[arg-type]
        if item.name.endswith("_ms") or item.name == "highest_weight":
            require_positive(rule, item.name)
        else:
            require_not_negative(rule, item.name)
    if getattr(rule, "target_trace", 0.0) > 1:
        raise SettingsError(
            f"{type(rule).__name__}.target_trace must lie in [0, 1], as the trace itself does, "
            f"not {rule.target_trace}."  # type: ignore[attr-defined]
        )
