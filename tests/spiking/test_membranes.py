"""Membranes and conductances against their closed forms."""

import numpy as np
import pytest

from aver.spiking import (
    Homeostasis,
    Intensity,
    LateralInhibition,
    Network,
    Neuron,
    Population,
    Record,
    Simulation,
    Spikes,
)

STILL = Homeostasis(start_mv=0.0, offset_mv=0.0, step_mv=0.0)


def one_cell(integrator, weight, neuron=None, **simulation):
    network = Network(
        Simulation(integrator=integrator, intensity=Intensity(max_retries=0), **simulation)
    )
    network.add_source("drive", (1,))
    silent = LateralInhibition(reach="none")
    cell = Population(1, excitatory=neuron or Neuron(), homeostasis=STILL, inhibition=silent)
    network.add_population("cell", cell)
    network.connect("drive", "cell", rule=None, weights=np.full((1, 1, 1), weight))
    return network


def watched(network, spikes):
    recording = network.run({"drive": [spikes]}, False, Record(membranes={"cell": [0]}))
    return recording.membranes["cell"]


STEPS = np.arange(1, 1001)


@pytest.mark.parametrize(
    ("integrator", "factor"),
    [
        ("forward-euler", 1 - 0.5 / 100),
        ("implicit-euler", 1 / (1 + 0.5 / 100)),
        ("exponential-euler", np.exp(-0.5 / 100)),
    ],
)
def test_membrane_decays_to_rest(integrator, factor):
    silence = Spikes(np.empty(0), np.empty(0, int))
    v = watched(one_cell(integrator, 0.0, between_clips="carry"), silence).v_mv[0, :, 0]
    np.testing.assert_allclose(v, -65.0 - 40.0 * factor**STEPS, atol=1e-9)
    # All three approach exp(-t / tau): -65 - 40 exp(-1) mV after 100 ms.
    assert abs(v[199] + 65 + 40 * np.exp(-1)) < 0.05


def test_conductance_decays_exponentially_after_a_spike():
    kept = watched(one_cell("exponential-euler", 0.125), Spikes([10.0], [0]))
    g_e = kept.g_e[0, :, 0]
    assert np.all(g_e[:20] < 1e-20)
    np.testing.assert_allclose(g_e[20:60], 0.125 * np.exp(-np.arange(40) * 0.5), rtol=1e-6)


def test_exponential_euler_is_exact_for_a_constant_conductance():
    slow = Neuron(excitatory_synapse_ms=8e7)
    network = one_cell("exponential-euler", 0.2, slow)
    v = watched(network, Spikes([0.0], [0])).v_mv[0, :, 0]
    weight = float(np.float32(0.2))
    goal = -65.0 / (1 + weight)
    t_ms = np.arange(40) * 0.5
    expected = goal + (-65.0 - goal) * np.exp(-(1 + weight) * t_ms / 100)
    np.testing.assert_allclose(v[:40], expected, rtol=1e-9)
