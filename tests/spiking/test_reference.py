"""The compiled kernels against the NumPy reference: every rule, integrator, inhibition, delay."""

import numpy as np
import pytest

from aver.spiking import (
    Homeostasis,
    Intensity,
    LateralInhibition,
    Network,
    PairRule,
    Population,
    PowerLawPairRule,
    Record,
    Simulation,
    Spikes,
    TargetTraceRule,
    Timing,
    TripletRule,
    Windows,
)
from aver.spiking.reference import Reference

EAGER_RULE = TripletRule(depression=1e-2, potentiation=0.1)
OVERLAPPING = Windows((4, 4), (2, 2))
EAGER = Homeostasis(start_mv=2.0, offset_mv=-4.0, step_mv=0.3, decay_ms=500.0)


def network_of(
    rule=EAGER_RULE,
    integrator="implicit-euler",
    reach="same-position",
    between_clips="reset",
    windows=OVERLAPPING,
    sharing="none",
    delay_ms=0.0,
):
    simulation = Simulation(
        timing=Timing(stimulus_ms=120, rest_ms=40),
        intensity=Intensity(max_retries=0),
        integrator=integrator,
        between_clips=between_clips,
    )
    network = Network(simulation, seed=5)
    network.add_source("pixels", (8, 8))
    positions = 1 if windows is None else windows.positions((8, 8))
    inhibition = LateralInhibition(reach=reach)
    network.add_population(
        "layer", Population(5, positions, homeostasis=EAGER, inhibition=inhibition)
    )
    network.connect(
        "pixels", "layer", rule, windows, normal_sum=6.0, sharing=sharing, delay_ms=delay_ms
    )
    return network


def pixel_clips(n, rate=0.04, neurons=64, steps=240, seed=0):
    rng = np.random.default_rng(seed)
    clips = []
    for _ in range(n):
        step, neuron = np.nonzero(rng.random((steps, neurons)) < rate)
        clips.append(Spikes(step * 0.5, neuron))
    return clips


def assert_equal_runs(network, clips, least_spikes, learn=True):
    """Same spikes, weights and thresholds from both engines, and enough of them to matter."""
    reference = Reference(network)
    record = Record(spikes=list(network.populations))
    recording = network.run(clips, learn=learn, record=record)
    expected = reference.run(clips, learn=learn)
    for name in network.populations:
        for ours, theirs in zip(recording.spikes[name], [e[name] for e in expected], strict=True):
            assert ours.time_ms.tolist() == theirs.time_ms.tolist()
            assert ours.neuron.tolist() == theirs.neuron.tolist()
        np.testing.assert_allclose(network.theta_mv(name), reference.theta_mv(name), rtol=1e-9)
        assert recording.counts[name].sum() >= least_spikes
    for name in network.connections:
        np.testing.assert_allclose(network.weights(name), reference.weights(name), atol=2e-6)


@pytest.mark.parametrize(
    "rule",
    [
        EAGER_RULE,
        PairRule(depression=1e-2, potentiation=0.05),
        TargetTraceRule(learning_rate=0.05),
        PowerLawPairRule(depression=1e-2, potentiation=0.05, target_trace=0.1),
        None,
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_every_rule(rule):
    network = network_of(rule)
    before = network.weights("pixels->layer")
    assert_equal_runs(network, {"pixels": pixel_clips(3)}, least_spikes=25)
    assert np.array_equal(before, network.weights("pixels->layer")) == (rule is None)


@pytest.mark.parametrize("integrator", ["implicit-euler", "exponential-euler", "forward-euler"])
@pytest.mark.parametrize("between_clips", ["reset", "carry"])
def test_every_integrator(integrator, between_clips):
    network = network_of(integrator=integrator, between_clips=between_clips)
    assert_equal_runs(network, {"pixels": pixel_clips(3)}, least_spikes=5)


@pytest.mark.parametrize("reach", ["same-position", "all", "none"])
def test_every_inhibition(reach):
    least = {"same-position": 25, "all": 5, "none": 100}[reach]
    assert_equal_runs(network_of(reach=reach), {"pixels": pixel_clips(3)}, least)


def test_delays_of_external_input():
    delays = np.random.default_rng(1).uniform(0, 10, 64)
    assert_equal_runs(network_of(delay_ms=delays), {"pixels": pixel_clips(3)}, least_spikes=25)


def test_dense_connection_and_forgotten_state():
    assert_equal_runs(network_of(windows=None), {"pixels": pixel_clips(4)}, least_spikes=4)


def test_winner_sharing():
    network = network_of(sharing="winner")
    assert_equal_runs(network, {"pixels": pixel_clips(3)}, least_spikes=25)
    weights = network.weights("pixels->layer")
    assert np.ptp(weights, axis=0).max() == 0


def test_frozen_run_changes_nothing():
    network = network_of()
    before = network.weights("pixels->layer"), network.theta_mv("layer")
    assert_equal_runs(network, {"pixels": pixel_clips(3)}, least_spikes=25, learn=False)
    assert np.array_equal(before[0], network.weights("pixels->layer"))
    assert np.array_equal(before[1], network.theta_mv("layer"))


@pytest.mark.parametrize("delay_ms", [0.0, 7.5])
def test_two_populations_linked_both_ways(delay_ms):
    simulation = Simulation(
        timing=Timing(stimulus_ms=120, rest_ms=40), intensity=Intensity(max_retries=0)
    )
    network = Network(simulation, seed=2)
    network.add_source("audio", (6, 12), lag_ms=5.0)
    network.add_source("image", (8, 8))
    along = Windows((6, 4), (6, 4))
    network.add_population("ear", Population(7, 3, homeostasis=EAGER))
    network.add_population("eye", Population(5, 4, homeostasis=EAGER))
    network.connect("audio", "ear", EAGER_RULE, along, normal_sum=6.0)
    network.connect("image", "eye", EAGER_RULE, Windows((4, 4), (4, 4)), normal_sum=6.0)
    network.connect("eye", "ear", EAGER_RULE, normal_sum=2.0, delay_ms=delay_ms)
    network.connect("ear", "eye", TargetTraceRule(), normal_sum=2.0, delay_ms=np.arange(21) % 5)
    clips = {"audio": pixel_clips(3, neurons=72), "image": pixel_clips(3, seed=1)}
    assert_equal_runs(network, clips, least_spikes=30)
