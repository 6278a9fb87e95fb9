"""Every physical number of a spiking network, with its unit in its name."""

from __future__ import annotations

from typing import Annotated, Literal

from aver.errors import SettingsError
from aver.settings import Field, settings

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Integrator = Literal["implicit-euler", "exponential-euler", "forward-euler"]
Reach = Literal["same-position", "all", "none"]


@settings
class Neuron:
    """A leaky integrate-and-fire neuron with conductance synapses; defaults: excitatory.

    Parameters
    ----------
    membrane_ms : float > 0, membrane time constant
    rest_mv, reset_mv, threshold_mv : float, resting, reset and firing potential
    start_mv : float, potential before the first clip if state is carried over between clips
    excitatory_reversal_mv, inhibitory_reversal_mv : float
    excitatory_synapse_ms, inhibitory_synapse_ms : float > 0, decay of the conductances
    refractory_ms : float >= 0, how long the potential stays at ``reset_mv`` after a spike

    Notes
    -----
    Source: Diehl & Cook 2015, section 2.1, and the values of their published script.
    """

    membrane_ms: Positive = 100.0
    rest_mv: Finite = -65.0
    reset_mv: Finite = -65.0
    threshold_mv: Finite = -52.0
    start_mv: Finite = -105.0
    excitatory_reversal_mv: Finite = 0.0
    inhibitory_reversal_mv: Finite = -100.0
    excitatory_synapse_ms: Positive = 1.0
    inhibitory_synapse_ms: Positive = 2.0
    refractory_ms: NotNegative = 5.0

    def __post_init__(self) -> None:
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


@settings
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

    start_mv: NotNegative = 20.0
    offset_mv: Finite = -20.0
    step_mv: NotNegative = 0.05
    decay_ms: Positive = 1e7


@settings
class LateralInhibition:
    """Competition: each excitatory neuron has an inhibitory partner that inhibits others.

    Parameters
    ----------
    reach : {"same-position", "all", "none"}
        Which neurons a partner inhibits: the other feature maps at the same window position, all
        other neurons of the population, or none.
    to_inhibitory : float >= 0, conductance that a spike adds to its own partner
    to_excitatory : float >= 0, conductance that a partner's spike adds to the neurons
        that it inhibits

    Notes
    -----
    Source: Diehl & Cook 2015, section 2.2 (weights 10.4 and 17.0 in their script).
    """

    reach: Reach = "same-position"
    to_inhibitory: NotNegative = 10.4
    to_excitatory: NotNegative = 17.0


@settings
class Timing:
    """Duration of the stimulus of a clip and of the rest after it, and the time step.

    Parameters
    ----------
    stimulus_ms, rest_ms : float, multiples of ``dt_ms``
    dt_ms : float > 0

    Examples
    --------
    >>> Timing().steps
    1000
    """

    stimulus_ms: Positive = 350.0
    rest_ms: NotNegative = 150.0
    dt_ms: Positive = 0.5

    def __post_init__(self) -> None:
        for name in ("stimulus_ms", "rest_ms"):
            steps = getattr(self, name) / self.dt_ms
            if abs(steps - round(steps)) > 1e-6:
                raise SettingsError(
                    f"{name} is {getattr(self, name)}; it must be a multiple of dt_ms, "
                    f"which is {self.dt_ms}."
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


@settings
class Intensity:
    """A clip that evokes too few spikes is shown again at a higher intensity.

    Parameters
    ----------
    start : float > 0, factor on all rates at the first showing
    step : float >= 0, added at each further showing
    fewest_spikes : int >= 0, number of excitatory spikes, over all populations, that is enough
    max_retries : int >= 0

    Notes
    -----
    Source: Diehl & Cook 2015, section 2.5 (fewer than five spikes).
    """

    start: Positive = 1.0
    step: NotNegative = 1.0
    fewest_spikes: Annotated[int, Field(ge=0)] = 5
    max_retries: Annotated[int, Field(ge=0)] = 6


@settings
class Simulation:
    """The integrator, the timing, and what happens between clips.

    Parameters
    ----------
    timing : Timing
    intensity : Intensity
    integrator : {"implicit-euler", "exponential-euler", "forward-euler"}
        Forward Euler is unstable under strong inhibition (17 k dt / tau > 2 for k inhibitory
        spikes in one step); it serves comparisons with other simulators.
    between_clips : {"reset", "carry"}
        ``reset``: each clip begins with resting membranes and without traces, so that clips
        influence each other through weights and thresholds only. ``carry``: the state at the end
        of a clip is the state at the beginning of the next; the first begins at ``start_mv``.
    runaway_share : float in (0, 1], or None
        The run stops with an error if a population, during 100 ms, fires more than this share of
        the spikes that its refractory period allows. None: no check.

    Notes
    -----
    Differs from the paper: Diehl & Cook carry state over; after 150 ms of rest, 22 % of a
    membrane's deviation from rest remain.
    """

    timing: Timing = Timing()
    intensity: Intensity = Intensity()
    integrator: Integrator = "implicit-euler"
    between_clips: Literal["reset", "carry"] = "reset"
    runaway_share: Annotated[float, Field(gt=0, le=1)] | None = 0.5
