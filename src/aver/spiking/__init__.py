"""Spiking networks of leaky integrate-and-fire neurons that learn by STDP, fast on a CPU.

The engine knows nothing of emotions: sources of spikes or rates, populations with lateral
inhibition, plastic connections. Equations: ``docs/explanation/spiking-engine.md``.
"""

from aver.spiking.network import Network
from aver.spiking.parameters import (
    INHIBITORY,
    Homeostasis,
    Intensity,
    LateralInhibition,
    Neuron,
    Simulation,
    Timing,
)
from aver.spiking.population import Population
from aver.spiking.recording import Membranes, Record, Recording, WeightHistory
from aver.spiking.rules import PairRule, PowerLawPairRule, TargetTraceRule, TripletRule
from aver.spiking.spikes import Spikes
from aver.spiking.windows import Windows

__all__ = [
    "INHIBITORY",
    "Homeostasis",
    "Intensity",
    "LateralInhibition",
    "Membranes",
    "Network",
    "Neuron",
    "PairRule",
    "Population",
    "PowerLawPairRule",
    "Record",
    "Recording",
    "Simulation",
    "Spikes",
    "TargetTraceRule",
    "Timing",
    "TripletRule",
    "WeightHistory",
    "Windows",
]
