"""Learning rules: how a pair of spikes changes the weight between their neurons.

All traces are of the nearest spike: set to 1 by a spike, decaying exponentially since. A
pre-synaptic spike acts when it arrives, that is after its axonal delay. If both neurons spike in
one step, the pre-synaptic spike acts first.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Protocol

from aver.settings import Field, settings
from aver.spiking.parameters import NotNegative, Positive

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class RuleTerms:
    """The general rule, of which every rule here is a special case.

    - at a pre-synaptic spike: ``w -= depression * x_post * w ** power``
    - at a post-synaptic spike:
      ``w += potentiation * (x_pre - target_trace) * x_post2 * (highest_weight - w) ** power``

    Weights are clipped to [0, ``highest_weight``]. ``x_post2`` is 1 if ``post2_ms`` is 0.
    """

    depression: float = 0.0
    potentiation: float = 0.0
    target_trace: float = 0.0
    power: float = 0.0
    pre_ms: float
    post_ms: float
    post2_ms: float = 0.0
    highest_weight: float


class LearningRule(Protocol):
    """Anything that declares its terms of the general rule."""

    @property
    def terms(self) -> RuleTerms:
        """The terms of the general rule."""


class _SameTerms:
    """A rule whose settings are terms of the general rule."""

    @property
    def terms(self) -> RuleTerms:
        """The terms of the general rule."""
        values: Any = self
        return RuleTerms(**asdict(values))


@settings
class TripletRule(_SameTerms):
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

    pre_ms: Positive = 20.0
    post_ms: Positive = 20.0
    post2_ms: Positive = 40.0
    depression: NotNegative = 1e-4
    potentiation: NotNegative = 1e-2
    highest_weight: Positive = 1.0


@settings
class PairRule(_SameTerms):
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

    pre_ms: Positive = 20.0
    post_ms: Positive = 20.0
    depression: NotNegative = 1e-4
    potentiation: NotNegative = 1e-2
    highest_weight: Positive = 1.0


@settings
class TargetTraceRule:
    """Change at post-synaptic spikes only: recently active inputs gain, silent ones lose.

    ``dw = learning_rate * (x_pre - target_trace) * (highest_weight - w) ** power``

    Parameters
    ----------
    pre_ms : float > 0, time constant of the trace
    learning_rate : float >= 0
    target_trace : float in [0, 1], trace at which the weight does not change
    power : float >= 0, exponent of the dependence on the weight
    highest_weight : float > 0

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, equation 3 (constants not printed there; ours).
    """

    pre_ms: Positive = 20.0
    learning_rate: NotNegative = 0.01
    target_trace: Share = 0.4
    power: NotNegative = 0.2
    highest_weight: Positive = 1.0

    @property
    def terms(self) -> RuleTerms:
        """The terms of the general rule."""
        return RuleTerms(
            potentiation=self.learning_rate,
            target_trace=self.target_trace,
            power=self.power,
            pre_ms=self.pre_ms,
            post_ms=self.pre_ms,
            highest_weight=self.highest_weight,
        )


@settings
class PowerLawPairRule(_SameTerms):
    """The pair rule with steps that shrink as a weight approaches its bounds.

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

    pre_ms: Positive = 20.0
    post_ms: Positive = 20.0
    depression: NotNegative = 1e-4
    potentiation: NotNegative = 1e-2
    target_trace: Share = 0.0
    power: NotNegative = 0.2
    highest_weight: Positive = 1.0


RULES: dict[str, type] = {
    rule.__name__: rule for rule in (TripletRule, PairRule, TargetTraceRule, PowerLawPairRule)
}
"""Every rule by its name, as written in saved networks."""
