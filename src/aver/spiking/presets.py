"""Published sets of parameters: ``diehl-cook`` (default), ``paper-1``, ``paper-2``.

A preset has everything but windows and inputs, which belong to the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from aver.errors import SettingsError
from aver.spiking.parameters import (
    INHIBITORY,
    Homeostasis,
    Intensity,
    LateralInhibition,
    Neuron,
    Simulation,
)
from aver.spiking.rules import LearningRule, TargetTraceRule, TripletRule
from aver.spiking.topology import Population


@dataclass(frozen=True)
class Preset:
    """All parameters of a network but its windows and sizes.

    Parameters
    ----------
    excitatory, inhibitory : Neuron
    homeostasis : Homeostasis
    inhibition : LateralInhibition
    rule : learning rule
    simulation : Simulation
    highest_rate_hz : float, rate of a full input
    lag_ms : float, how much later than the video the audio sets in
    passes : int, passes over the training clips
    """

    excitatory: Neuron = field(default_factory=Neuron)
    inhibitory: Neuron = INHIBITORY
    homeostasis: Homeostasis = field(default_factory=Homeostasis)
    inhibition: LateralInhibition = field(default_factory=LateralInhibition)
    rule: LearningRule = field(default_factory=TripletRule)
    simulation: Simulation = field(default_factory=Simulation)
    highest_rate_hz: float = 63.75
    lag_ms: float = 5.0
    passes: int = 1

    def population(self, features: int, positions: int = 1) -> Population:
        """A population with these neurons.

        Examples
        --------
        >>> preset("paper-2").population(features=20, positions=4).neurons
        80
        """
        return Population(
            features=features,
            positions=positions,
            excitatory=self.excitatory,
            inhibitory=self.inhibitory,
            homeostasis=self.homeostasis,
            inhibition=self.inhibition,
        )


def preset(name: str) -> Preset:
    """The preset of this name.

    Parameters
    ----------
    name : {"diehl-cook", "paper-1", "paper-2"}
        ``diehl-cook``: Diehl & Cook 2015 and their script. ``paper-1``: Mansouri-Benssassi & Ye
        2019, Speech emotion recognition with early visual cross-modal enhancement. ``paper-2``:
        the same authors 2020, Synch-Graph. Values that a paper does not print are Diehl & Cook's.

    Raises
    ------
    SettingsError
        If there is no such preset.

    Notes
    -----
    Source: paper 1, sections IV-A and V-C: inhibitory synapses 1 ms, excitatory 2 ms, threshold
    decay 5 ms, equation 3, lateral inhibition of all neurons but the partner's own. Paper 2,
    section on neuron activity: membranes 200 and 100 ms, synapses as in paper 1.

    Differs from the paper: with an offset of -20 mV and a theta that decays within 5 ms, the
    threshold would fall below the resting potential and every neuron would fire for ever.
    ``paper-1`` therefore has no offset and theta starts from zero, as its text says
    (V_thresh + theta).
    """
    published = Preset(
        excitatory=Neuron(excitatory_synapse_ms=2.0, inhibitory_synapse_ms=1.0),
        inhibitory=replace(INHIBITORY, excitatory_synapse_ms=2.0, inhibitory_synapse_ms=1.0),
        inhibition=LateralInhibition(reach="all"),
        rule=TargetTraceRule(),
        simulation=Simulation(intensity=Intensity(start=1.0)),
    )
    presets = {
        "diehl-cook": Preset(),
        "paper-1": replace(
            published, homeostasis=Homeostasis(start_mv=0.0, offset_mv=0.0, decay_ms=5.0)
        ),
        "paper-2": replace(
            published,
            excitatory=replace(published.excitatory, membrane_ms=200.0),
            inhibitory=replace(published.inhibitory, membrane_ms=100.0, refractory_ms=5.0),
        ),
    }
    if name not in presets:
        raise SettingsError(f"There is no preset '{name}'. Choose one of {sorted(presets)}.")
    return presets[name]
