"""Every physical number of a spiking network, with its unit in its name."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Literal

from aver.errors import SettingsError


def require_finite(settings: object) -> None:
    """Raise unless every number among the fields is finite."""
    for item in fields(settings):  # type: ignore[arg-type]
        value = getattr(settings, item.name)
        if isinstance(value, (int, float)) and not math.isfinite(value):
            raise SettingsError(f"{_name(settings, item.name)} must be finite, not {value}.")


def require_positive(settings: object, *names: str) -> None:
    """Raise unless the named fields are positive."""
    for name in names:
        if not getattr(settings, name) > 0:
            raise SettingsError(
                f"{_name(settings, name)} must be positive, not {getattr(settings, name)}."
            )


def require_not_negative(settings: object, *names: str) -> None:
    """Raise unless the named fields are zero or more."""
    for name in names:
        if not getattr(settings, name) >= 0:
            raise SettingsError(
                f"{_name(settings, name)} must be zero or more, not {getattr(settings, name)}."
            )


def _name(settings: object, field: str) -> str:
    return f"{type(settings).__name__}.{field}"


Integrator = Literal["implicit-euler", "exponential-euler", "forward-euler"]
Reach = Literal["same-position", "all", "none"]


@dataclass(frozen=True)
class Neuron:
    """A leaky integrate-and-fire neuron with conductance synapses; defaults: excitatory.

    Parameters
    ----------
    membrane_ms : float > 0, membrane time constant
    rest_mv, reset_mv, threshold_mv : float, resting, reset and firing potential
    start_mv : float, potential before the very first clip; used where state is carried over
    excitatory_reversal_mv, inhibitory_reversal_mv : float
    excitatory_synapse_ms, inhibitory_synapse_ms : float > 0, decay of the conductances
    refractory_ms : float >= 0, how long the potential stays at ``reset_mv`` after a spike

    Notes
    -----
    Source: Diehl & Cook 2015, section 2.1, and the values of their published script.
    """

    membrane_ms: float = 100.0
    rest_mv: float = -65.0
    reset_mv: float = -65.0
    threshold_mv: float = -52.0
    start_mv: float = -105.0
    excitatory_reversal_mv: float = 0.0
    inhibitory_reversal_mv: float = -100.0
    excitatory_synapse_ms: float = 1.0
    inhibitory_synapse_ms: float = 2.0
    refractory_ms: float = 5.0

    def __post_init__(self) -> None:
        require_finite(self)
        require_positive(self, "membrane_ms", "excitatory_synapse_ms", "inhibitory_synapse_ms")
        require_not_negative(self, "refractory_ms")
        if self.reset_mv >= self.threshold_mv:
            raise SettingsError(
                f"A neuron that resets to {self.reset_mv} mV never falls below its threshold of "
                f"{self.threshold_mv} mV. Lower reset_mv."
            )


INHIBITORY = Neuron(
    membrane_ms=10.0,
    rest_mv=-60.0,
    reset_mv=-45.0,
    threshold_mv=-40.0,
    start_mv=-100.0,
    inhibitory_reversal_mv=-85.0,
    refractory_ms=2.0,
)
"""The inhibitory neuron of Diehl & Cook 2015."""


@dataclass(frozen=True)
class Homeostasis:
    """The adaptive part of the threshold: it rises with every spike and decays slowly.

    A neuron fires above ``threshold_mv + offset_mv + theta``.

    Parameters
    ----------
    start_mv : float >= 0, theta of an untrained neuron
    offset_mv : float, constant shift of the threshold
    step_mv : float >= 0, rise of theta per spike
    decay_ms : float > 0, time constant of its decay

    Notes
    -----
    Source: Diehl & Cook 2015, section 2.4 (their script: 20 mV, -20 mV, 0.05 mV, 1e7 ms).
    """

    start_mv: float = 20.0
    offset_mv: float = -20.0
    step_mv: float = 0.05
    decay_ms: float = 1e7

    def __post_init__(self) -> None:
        require_finite(self)
        require_positive(self, "decay_ms")
        require_not_negative(self, "start_mv", "step_mv")


@dataclass(frozen=True)
class LateralInhibition:
    """Competition: each excitatory neuron has an inhibitory partner that silences others.

    Parameters
    ----------
    reach : {"same-position", "all", "none"}
        Whom a partner inhibits: the other feature maps at the same window position, all other
        neurons of the population, or nobody.
    to_inhibitory : float >= 0, conductance that a spike adds to its own partner
    to_excitatory : float >= 0, conductance that a partner's spike adds to its rivals

    Notes
    -----
    Source: Diehl & Cook 2015, section 2.2 (weights 10.4 and 17.0 in their script).
    """

    reach: Reach = "same-position"
    to_inhibitory: float = 10.4
    to_excitatory: float = 17.0

    def __post_init__(self) -> None:
        if self.reach not in ("same-position", "all", "none"):
            raise SettingsError(
                f"Lateral inhibition cannot reach '{self.reach}'. "
                "Choose 'same-position', 'all' or 'none'."
            )
        require_finite(self)
        require_not_negative(self, "to_inhibitory", "to_excitatory")


@dataclass(frozen=True)
class Timing:
    """How long a clip is shown, how long the network then rests, and the time step.

    Parameters
    ----------
    stimulus_ms, rest_ms : float, multiples of ``dt_ms``
    dt_ms : float > 0

    Examples
    --------
    >>> Timing().steps
    1000
    """

    stimulus_ms: float = 350.0
    rest_ms: float = 150.0
    dt_ms: float = 0.5

    def __post_init__(self) -> None:
        require_finite(self)
        require_positive(self, "stimulus_ms", "dt_ms")
        require_not_negative(self, "rest_ms")
        for name in ("stimulus_ms", "rest_ms"):
            steps = getattr(self, name) / self.dt_ms
            if abs(steps - round(steps)) > 1e-6:
                raise SettingsError(
                    f"{name} = {getattr(self, name)} is no multiple of dt_ms = {self.dt_ms}. "
                    "Choose a multiple."
                )

    @property
    def stimulus_steps(self) -> int:
        """Number of steps during which input is shown."""
        return self.in_steps(self.stimulus_ms)

    @property
    def steps(self) -> int:
        """Number of steps of a whole clip, rest included."""
        return self.stimulus_steps + self.in_steps(self.rest_ms)

    def in_steps(self, duration_ms: float) -> int:
        """Nearest whole number of steps."""
        return round(duration_ms / self.dt_ms)


@dataclass(frozen=True)
class Intensity:
    """A clip that hardly stirs the network is shown again, brighter.

    Parameters
    ----------
    start : float > 0, factor on all rates at the first showing
    step : float >= 0, added at each further showing
    fewest_spikes : int >= 0, excitatory spikes of all populations together that are enough
    max_retries : int >= 0

    Notes
    -----
    Source: Diehl & Cook 2015, section 2.5 (fewer than five spikes).
    """

    start: float = 1.0
    step: float = 1.0
    fewest_spikes: int = 5
    max_retries: int = 6

    def __post_init__(self) -> None:
        require_finite(self)
        require_positive(self, "start")
        require_not_negative(self, "step", "fewest_spikes", "max_retries")


@dataclass(frozen=True)
class Simulation:
    """How a network is integrated and what happens between clips.

    Parameters
    ----------
    timing : Timing
    intensity : Intensity
    integrator : {"implicit-euler", "exponential-euler", "forward-euler"}
        Forward Euler is unstable under strong inhibition (17 k dt / tau > 2 for k inhibitory
        spikes in one step); it is kept for comparison with other simulators.
    between_clips : {"reset", "carry"}
        ``reset``: a clip begins with resting membranes and no traces, so that clips do not
        influence each other but through weights and thresholds. ``carry``: state runs on from
        clip to clip, from ``start_mv`` at the very beginning.
    runaway_share : float in (0, 1], or None
        A population that fires more than this share of all the spikes its refractory period
        allows, 100 ms long, has run away: an error. None: never.

    Notes
    -----
    Differs from the paper: Diehl & Cook carry state over; after 150 ms of rest their membranes
    still hold 22 % of their deviation.
    """

    timing: Timing = field(default_factory=Timing)
    intensity: Intensity = field(default_factory=Intensity)
    integrator: Integrator = "implicit-euler"
    between_clips: Literal["reset", "carry"] = "reset"
    runaway_share: float | None = 0.5

    def __post_init__(self) -> None:
        if self.integrator not in ("implicit-euler", "exponential-euler", "forward-euler"):
            raise SettingsError(
                f"There is no integrator '{self.integrator}'. "
                "Choose 'implicit-euler', 'exponential-euler' or 'forward-euler'."
            )
        if self.between_clips not in ("reset", "carry"):
            raise SettingsError(
                f"between_clips cannot be '{self.between_clips}'. Choose 'reset' or 'carry'."
            )
        if self.runaway_share is not None and not 0 < self.runaway_share <= 1:
            raise SettingsError(
                f"runaway_share must lie in (0, 1] or be None, not {self.runaway_share}."
            )
