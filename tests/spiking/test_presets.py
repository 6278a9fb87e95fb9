"""Presets have the values of the papers, and a network of each fires."""

import numpy as np
import pytest

from aver.errors import SettingsError
from aver.spiking import Network, TargetTraceRule, preset


def test_values_of_the_papers():
    one, two = preset("paper-1"), preset("paper-2")
    assert (one.excitatory.excitatory_synapse_ms, one.excitatory.inhibitory_synapse_ms) == (2, 1)
    assert one.homeostasis.decay_ms == 5
    assert (two.excitatory.membrane_ms, two.inhibitory.membrane_ms) == (200, 100)
    assert one.rule == two.rule == TargetTraceRule(learning_rate=0.01, target_trace=0.4, power=0.2)
    assert preset("diehl-cook").inhibition.reach == "same-position"
    with pytest.raises(SettingsError, match="no preset 'paper-9'"):
        preset("paper-9")


@pytest.mark.parametrize("name", ["diehl-cook", "paper-1", "paper-2"])
def test_a_network_of_each_preset_fires_and_does_not_run_away(name):
    chosen = preset(name)
    network = Network(chosen.simulation, seed=1)
    network.add_source("pixels", (28, 28))
    network.add_population("layer", chosen.population(features=50))
    network.connect("pixels", "layer", chosen.rule)
    clips = np.random.default_rng(0).uniform(0, chosen.highest_rate_hz, (4, 28, 28))
    counts = network.run({"pixels": clips}).counts["layer"]
    assert counts.sum(axis=1).min() >= 5
