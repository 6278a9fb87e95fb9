"""Same spikes in, same spikes out: small networks beside Brian2, quick enough for every run."""

import numpy as np
import pytest

b2 = pytest.importorskip("brian2", reason="Parity needs brian2: pip install aver[parity].")

from aver.spiking import (  # noqa: E402
    Homeostasis,
    Intensity,
    Network,
    Population,
    Record,
    Simulation,
    Spikes,
    TargetTraceRule,
    TripletRule,
    Windows,
)

from ..brian_twin import BrianTwin  # noqa: E402
from ..workloads import spike_trains  # noqa: E402

CLIP_MS = 500.0


@pytest.fixture(autouse=True)
def _numpy_runtime():
    b2.prefs.codegen.target = "numpy"


def show_both(network, clips, method="euler", learn=True):
    """Show the same spikes to both; return counts (clips, neurons) of all populations."""
    twin = BrianTwin(network, method, learn)
    n_clips = len(next(iter(clips.values())))
    ours = {name: [] for name in network.populations}
    theirs = {name: [] for name in network.populations}
    for k in range(n_clips):
        clip = {name: items[k] for name, items in clips.items()}
        recording = network.run({name: [s] for name, s in clip.items()}, learn=learn)
        trains = {
            name: (s.time_ms + network.sources[name].lag_ms, s.neuron) for name, s in clip.items()
        }
        counts = twin.show(trains, k * CLIP_MS)
        for name in network.populations:
            ours[name].append(recording.counts[name][0])
            theirs[name].append(counts[name])
    return twin, ours, theirs


def assert_same(network, clips, least_spikes, share=0.0, method="euler"):
    """Equal counts of all but a share of the neurons, and weights within 1e-5."""
    twin, ours, theirs = show_both(network, clips, method)
    for name in network.populations:
        differ = (np.array(ours[name]) != np.array(theirs[name])).any(axis=0)
        print(f"\n{name}: {np.sum(theirs[name])} spikes, {differ.sum()} neurons differ")
        assert np.sum(theirs[name]) >= least_spikes
        assert differ.mean() <= share
    for name in network.connections:
        difference = np.abs(network.weights(name) - twin.weights(name)).max()
        print(f"\n{name}: largest weight difference {difference:.1e}")
        assert difference < 1e-5


def small(integrator="forward-euler", rule=TripletRule(), delay_ms=0.0):  # noqa: B008
    simulation = Simulation(
        integrator=integrator, between_clips="carry", intensity=Intensity(max_retries=0)
    )
    network = Network(simulation, seed=4)
    network.add_source("audio", (10, 40), lag_ms=0.0)
    eager = Homeostasis(start_mv=15.0)
    network.add_population("ear", Population(10, 4, homeostasis=eager))
    along = Windows((10, 10), (10, 10))
    network.connect("audio", "ear", rule, along, normal_sum=10.0, delay_ms=delay_ms)
    return network


def trains(n, shape, seed=0):
    rates_hz = np.random.default_rng(seed).uniform(0, 63.75, (n, *shape))
    return spike_trains(rates_hz, seed)


def test_delays():
    delays = np.random.default_rng(0).uniform(0, 10, 400).round(1)
    assert_same(small(delay_ms=delays), {"audio": trains(4, (10, 40))}, least_spikes=50)


def test_equation_3_of_paper_1():
    assert_same(small(rule=TargetTraceRule()), {"audio": trains(4, (10, 40))}, least_spikes=50)


def test_exponential_euler():
    network = small("exponential-euler")
    assert_same(network, {"audio": trains(2, (10, 40))}, 25, method="exponential_euler")


def test_populations_linked_both_ways():
    network = small()
    network.add_source("image", (8, 8))
    network.add_population("eye", Population(10, 4, homeostasis=Homeostasis(start_mv=15.0)))
    network.connect("image", "eye", windows=Windows((4, 4), (4, 4)), normal_sum=10.0)
    network.connect("eye", "ear", normal_sum=5.0)
    network.connect("ear", "eye", TargetTraceRule(), normal_sum=5.0, delay_ms=3.0)
    clips = {"audio": trains(3, (10, 40)), "image": trains(3, (8, 8), seed=1)}
    assert_same(network, clips, least_spikes=30)


def test_refractoriness_to_the_step():
    simulation = Simulation(
        integrator="forward-euler",
        between_clips="carry",
        intensity=Intensity(max_retries=0),
        runaway_share=None,
    )
    network = Network(simulation, seed=1)
    network.add_source("drive", (40,))
    still = Homeostasis(start_mv=0.0, offset_mv=0.0, step_mv=0.0)
    network.add_population("cell", Population(1, homeostasis=still))
    network.connect("drive", "cell", rule=None, weights=np.full((1, 40, 1), 2.0))
    steps = np.repeat(np.arange(700), 4)
    drive = Spikes(steps * 0.5, np.arange(2800) % 40)
    twin, _, _ = show_both(network, {"drive": [drive]}, learn=False)
    again = Network(simulation, seed=1)
    again.add_source("drive", (40,))
    again.add_population("cell", Population(1, homeostasis=still))
    again.connect("drive", "cell", rule=None, weights=np.full((1, 40, 1), 2.0))
    recording = again.run({"drive": [drive]}, learn=False, record=Record(spikes=["cell"]))
    ours = recording.spikes["cell"][0].time_ms
    assert [(t, 0) for t in ours] == twin.spikes("cell", 0.0)
    assert len(ours) > 50
    assert np.diff(ours).min() >= 5.0
