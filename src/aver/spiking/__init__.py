"""Spiking networks of leaky integrate-and-fire neurons that learn by STDP, fast on a CPU.

The engine is independent of emotions: sources of spikes or rates, populations with lateral
inhibition, plastic connections. Equations: ``docs/explanation/spiking-engine.md``.
"""

from aver.spiking.network import Network, run_independent
from aver.spiking.parameters import (
    INHIBITORY,
    Homeostasis,
    Intensity,
    LateralInhibition,
    Neuron,
    Simulation,
    Timing,
)
from aver.spiking.plots import rates_and_thresholds, spike_raster, weight_maps, weights_in_place
from aver.spiking.presets import Preset, preset
from aver.spiking.recording import Membranes, Record, Recording, WeightHistory
from aver.spiking.rules import PairRule, PowerLawPairRule, TargetTraceRule, TripletRule
from aver.spiking.spikes import Spikes
from aver.spiking.storage import load_network, save_network
from aver.spiking.topology import Population, Windows

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
    "Preset",
    "Record",
    "Recording",
    "Simulation",
    "Spikes",
    "TargetTraceRule",
    "Timing",
    "TripletRule",
    "WeightHistory",
    "Windows",
    "load_network",
    "preset",
    "rates_and_thresholds",
    "run_independent",
    "save_network",
    "spike_raster",
    "weight_maps",
    "weights_in_place",
]
