"""The learning rules against their formulas, one pair of spikes at a time."""

import numpy as np
import pytest

from aver.errors import SettingsError
from aver.spiking import (
    Homeostasis,
    Intensity,
    Network,
    PairRule,
    Population,
    PowerLawPairRule,
    Simulation,
    Spikes,
    TargetTraceRule,
    TripletRule,
)


def change(rule, pre_ms, post_ms, start=0.3):
    """Weight after pre-synaptic spikes at ``pre_ms`` and forced post-synaptic ones."""
    network = Network(Simulation(intensity=Intensity(max_retries=0)))
    network.add_source("plastic", (1,))
    network.add_source("driver", (1,))
    still = Homeostasis(start_mv=0.0, offset_mv=0.0, step_mv=0.0)
    network.add_population("cell", Population(1, homeostasis=still))
    one = np.ones((1, 1, 1))
    network.connect("plastic", "cell", rule, normal_sum=None, weights=start * one)
    network.connect("driver", "cell", None, weights=100 * one)
    # A driver's spike reaches the membrane in the step after it, and fires the cell at once.
    post = np.array(post_ms) - 0.5
    clips = {
        "plastic": [Spikes(np.array(pre_ms), np.zeros(len(pre_ms), int))],
        "driver": [Spikes(post, np.zeros(len(post), int))],
    }
    recording = network.run(clips)
    assert recording.counts["cell"][0, 0] == len(post_ms)
    return float(network.weights("plastic->cell")[0, 0, 0])


@pytest.mark.parametrize("lag_ms", [-60.0, -20.0, -5.0, 0.0, 5.0, 20.0, 60.0])
def test_window_of_the_pair_rule(lag_ms):
    rule = PairRule(pre_ms=20, post_ms=30, depression=0.05, potentiation=0.1)
    after = change(rule, [100.0], [100.0 + lag_ms])
    gain = 0.1 * np.exp(-lag_ms / 20) if lag_ms >= 0 else -0.05 * np.exp(lag_ms / 30)
    assert after == pytest.approx(0.3 + gain, abs=1e-6)


def test_triplet_needs_two_post_synaptic_spikes():
    rule = TripletRule(depression=0.0, potentiation=0.5)
    assert change(rule, [90.0], [100.0]) == pytest.approx(0.3, abs=1e-7)
    gain = 0.5 * np.exp(-30 / 20) * np.exp(-20 / 40)
    assert change(rule, [90.0], [100.0, 120.0]) == pytest.approx(0.3 + gain, abs=1e-6)


def test_triplet_depression_follows_the_nearest_post_synaptic_spike():
    rule = TripletRule(depression=0.1, potentiation=0.0)
    loss = 0.1 * np.exp(-20 / 20)
    assert change(rule, [140.0], [100.0, 120.0]) == pytest.approx(0.3 - loss, abs=1e-6)


def test_equation_3():
    rule = TargetTraceRule(learning_rate=0.1, target_trace=0.4, power=0.2)
    gain = 0.1 * (np.exp(-10 / 20) - 0.4) * (1 - 0.3) ** 0.2
    assert change(rule, [90.0], [100.0]) == pytest.approx(0.3 + gain, abs=1e-6)
    # The weight of an input that was silent for long decreases.
    loss = 0.1 * 0.4 * 0.7**0.2
    assert change(rule, [300.0], [100.0]) == pytest.approx(0.3 - loss, abs=1e-6)


def test_power_law_pair():
    rule = PowerLawPairRule(depression=0.1, potentiation=0.2, target_trace=0.1, power=0.5)
    gain = 0.2 * (np.exp(-10 / 20) - 0.1) * 0.7**0.5
    assert change(rule, [90.0], [100.0]) == pytest.approx(0.3 + gain, abs=1e-6)
    grown = 0.3 - 0.2 * 0.1 * 0.7**0.5
    loss = 0.1 * np.exp(-10 / 20) * grown**0.5
    assert change(rule, [110.0], [100.0]) == pytest.approx(grown - loss, abs=1e-6)


def test_weights_stay_within_bounds():
    up = PairRule(potentiation=5.0, depression=0.0)
    down = PairRule(potentiation=0.0, depression=5.0)
    assert change(up, [90.0], [100.0]) == 1.0
    assert change(down, [110.0], [100.0]) == 0.0


def test_constants_out_of_range_are_refused():
    with pytest.raises(SettingsError, match="'pre_ms' must be greater than 0"):
        PairRule(pre_ms=0.0)
    with pytest.raises(SettingsError, match="'target_trace' must be at most 1"):
        TargetTraceRule(target_trace=1.5)
    with pytest.raises(SettingsError, match="not nan"):
        TripletRule(potentiation=float("nan"))
