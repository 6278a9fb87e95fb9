"""Networks through their public interface: links, threads, replay, retries, recordings, errors."""

import numpy as np
import pytest

from aver.errors import SettingsError, SimulationError
from aver.spiking import (
    Homeostasis,
    Intensity,
    LateralInhibition,
    Network,
    Population,
    Record,
    Simulation,
    Spikes,
    Windows,
    run_independent,
)

EAGER = Homeostasis(start_mv=10.0)


def audio(link=None, seed=1, retries=0):
    """An audio network, with a link from a replayed visual layer if asked."""
    network = Network(Simulation(intensity=Intensity(max_retries=retries)), seed=seed)
    network.add_source("audio", (10, 40))
    network.add_population("ear", Population(12, 4, homeostasis=EAGER))
    network.connect("audio", "ear", windows=Windows((10, 10), (10, 10)))
    if link is not None:
        network.add_source("replay", (30,))
        network.connect("replay", "ear", **link)
    return network


def audio_rates(n, seed=0, scale=1.0):
    return np.random.default_rng(seed).uniform(0, 63.75 * scale, (n, 10, 40))


def visual_spikes(n, seed=3):
    rng = np.random.default_rng(seed)
    return [Spikes(np.sort(rng.choice(600, 80)) * 0.5, rng.integers(0, 30, 80)) for _ in range(n)]


def test_a_link_of_zero_weights_changes_nothing():
    record = Record(spikes=["ear"])
    alone = audio().run({"audio": audio_rates(4)}, record=record)
    off = audio({"rule": None, "weights": np.zeros((4, 30, 12))})
    linked = off.run({"audio": audio_rates(4), "replay": visual_spikes(4)}, record=record)
    on = audio({"normal_sum": 8.0})
    enhanced = on.run({"audio": audio_rates(4), "replay": visual_spikes(4)}, record=record)
    for a, b in zip(alone.spikes["ear"], linked.spikes["ear"], strict=True):
        assert np.array_equal(a.time_ms, b.time_ms)
        assert np.array_equal(a.neuron, b.neuron)
    assert alone.counts["ear"].sum() > 100
    assert not np.array_equal(alone.counts["ear"], enhanced.counts["ear"])


def two_ears():
    network = audio()
    network.add_source("image", (8, 8))
    network.add_population("eye", Population(10, 4, homeostasis=EAGER))
    network.connect("image", "eye", windows=Windows((4, 4), (4, 4)))
    network.connect("eye", "ear", normal_sum=4.0)
    return network


def test_replayed_spikes_equal_live_ones():
    images = np.random.default_rng(5).uniform(0, 63.75, (3, 8, 8)) * 4
    live = two_ears()
    weights = live.weights("eye->ear")
    both = live.run(
        {"audio": audio_rates(3), "image": images}, False, Record(spikes=["ear", "eye"])
    )
    replayed = Network(live.simulation, seed=1)
    replayed.add_source("audio", (10, 40))
    replayed.add_source("eye spikes", (40,))
    replayed.add_population("ear", Population(12, 4, homeostasis=EAGER))
    replayed.connect("audio", "ear", windows=Windows((10, 10), (10, 10)))
    replayed.connect("eye spikes", "ear", weights=weights)
    again = replayed.run({"audio": audio_rates(3), "eye spikes": both.spikes["eye"]}, False)
    assert both.counts["eye"].sum() > 30
    assert np.array_equal(both.counts["ear"], again.counts["ear"])


def test_only_named_connections_learn():
    network = two_ears()
    clips = {"audio": audio_rates(2), "image": np.full((2, 8, 8), 200.0)}
    before = {name: network.weights(name) for name in network.connections}
    theta = {name: network.theta_mv(name) for name in network.populations}
    network.run(clips, learn={"audio->ear", "eye->ear"})
    changed = [n for n in before if not np.array_equal(before[n], network.weights(n))]
    assert changed == ["audio->ear", "eye->ear"]
    assert np.array_equal(theta["eye"], network.theta_mv("eye"))
    assert not np.array_equal(theta["ear"], network.theta_mv("ear"))


def test_results_do_not_depend_on_threads_or_on_how_a_run_is_cut():
    network = audio(retries=3)
    clips = audio_rates(9, scale=0.5)
    one = network.run({"audio": clips}, False, threads=1).counts["ear"]
    three = network.run({"audio": clips}, False, threads=3).counts["ear"]
    first = network.run({"audio": clips[:4]}, False).counts["ear"]
    rest = network.run({"audio": clips[4:]}, False, first_clip=4).counts["ear"]
    assert one.sum() > 50
    assert np.array_equal(one, three)
    assert np.array_equal(one, np.concatenate([first, rest]))


def test_independent_networks_in_parallel():
    def learn(seed):
        network = audio(seed=seed)
        network.run({"audio": audio_rates(3)})
        return network.weights("audio->ear")

    together = run_independent([lambda s=s: learn(s) for s in (1, 2)], threads=2)
    assert all(np.array_equal(together[k], learn(k + 1)) for k in range(2))
    assert not np.array_equal(together[0], together[1])


def test_a_clip_with_few_spikes_is_shown_at_a_higher_intensity():
    network = audio(retries=6)
    clips = np.concatenate([audio_rates(1), 0.02 * audio_rates(1)])
    recording = network.run({"audio": clips}, learn=False)
    assert recording.intensity[0] == 1
    assert 1 < recording.intensity[1] <= 7
    dim = audio().run({"audio": clips}, learn=False).counts["ear"]
    assert dim[1].sum() < 5 <= recording.counts["ear"][1].sum()
    empty = network.run({"audio": np.zeros((1, 10, 40))}, learn=False)
    assert empty.intensity[0] == 1  # no rates, so a higher intensity changes nothing


def test_input_that_would_last_beyond_the_rest_is_refused():
    with pytest.raises(SettingsError, match="200 ms late"):
        Network().add_source("audio", (10, 40), lag_ms=200.0)


def test_a_lag_shifts_all_spikes():
    spikes = Spikes(np.arange(100) * 2.0, np.arange(100) % 400)
    at_once, late = audio(), Network(audio().simulation, seed=1)
    late.add_source("audio", (10, 40), lag_ms=5.0)
    late.add_population("ear", Population(12, 4, homeostasis=EAGER))
    late.connect(
        "audio",
        "ear",
        windows=Windows((10, 10), (10, 10)),
        weights=np.minimum(at_once.weights("audio->ear") * 30, 1),
    )
    at_once.set_weights("audio->ear", np.minimum(at_once.weights("audio->ear") * 30, 1))
    record = Record(spikes=["ear"])
    a = at_once.run({"audio": [spikes]}, False, record).spikes["ear"][0]
    b = late.run({"audio": [spikes]}, False, record).spikes["ear"][0]
    assert len(a) > 5
    np.testing.assert_allclose(a.time_ms + 5.0, b.time_ms)


def test_normalized_weights_add_up():
    network = audio({"normal_sum": 3.0})
    network.run({"audio": audio_rates(1), "replay": [Spikes(np.empty(0), np.empty(0, int))]})
    network.run({"audio": np.zeros((1, 10, 40)), "replay": visual_spikes(1)})
    sums = network.weights("audio->ear").sum(axis=1)
    np.testing.assert_allclose(sums, 100 * 78 / 784, rtol=1e-4)
    np.testing.assert_allclose(network.weights("replay->ear").sum(axis=1), 3.0, rtol=1e-2)


def test_recordings_have_the_documented_shapes():
    network = audio()
    record = Record(spikes=["ear"], membranes={"ear": [0, 5]}, weights={"audio->ear": 2})
    recording = network.run({"audio": audio_rates(5)}, record=record)
    assert recording.counts["ear"].shape == (5, 48)
    assert recording.membranes["ear"].v_mv.shape == (5, 1000, 2)
    assert recording.weights["audio->ear"].clips.tolist() == [2, 4]
    assert recording.weights["audio->ear"].weights.shape == (2, 4, 100, 12)
    counted = np.array([s.counts(48) for s in recording.spikes["ear"]])
    assert np.array_equal(counted, recording.counts["ear"])


def test_a_runaway_is_an_error_that_names_the_clip():
    # Forward Euler is unstable if many partners fire in one step: the layer fires for ever.
    network = Network(Simulation(integrator="forward-euler"), seed=1)
    network.add_source("drive", (784,))
    network.add_population("layer", Population(400, inhibition=LateralInhibition(reach="all")))
    network.connect("drive", "layer", rule=None)
    quiet, wild = np.zeros(784), np.full(784, 60.0)
    with pytest.raises(
        SimulationError, match=r"In clip 1 the population 'layer' ran away.*implicit-euler"
    ):
        network.run({"drive": [quiet, wild]}, learn=False, threads=1)


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ({"audio": [np.full((10, 40), -1.0)]}, "negative rate"),
        ({"audio": [np.full((10, 40), np.nan)]}, "not finite"),
        ({"audio": [np.zeros((10, 39))]}, r"shape \(10, 39\)"),
        ({"audio": [np.full((10, 40), 5000.0)]}, "more than one spike per time step"),
        ({"audio": [np.zeros((701, 10, 40))]}, "701 frames"),
        ({"noise": [np.zeros((10, 40))]}, "the network has"),
        ({"audio": [Spikes([500.0], [0])]}, "a clip ends after"),
        ({"audio": [Spikes([1.0], [400])]}, "400 neurons"),
        ({"audio": [Spikes([-1.0], [0])]}, "negative or undefined"),
    ],
)
def test_bad_clips_are_refused_before_the_run(clips, message):
    network = audio()
    with pytest.raises(SimulationError, match=message):
        network.run(clips)
    assert network.clips_learned == 0


def test_bad_weights_delays_and_sources_are_refused():
    network = audio()
    with pytest.raises(SimulationError, match="above the highest weight"):
        network.set_weights("audio->ear", np.full((4, 100, 12), 1.5))
    with pytest.raises(SimulationError, match="must have the shape"):
        network.set_weights("audio->ear", np.zeros((4, 12, 100)))
    network.weights("audio->ear")
    with pytest.raises(SettingsError, match="cannot be extended"):
        network.add_source("more", (3,))
    fresh = audio()
    fresh.add_source("other", (10, 40))
    with pytest.raises(SettingsError, match="have 31 positions"):
        fresh.connect("other", "ear", windows=Windows((10, 10), (10, 1)))
    with pytest.raises(SettingsError, match="must lie between 0 and"):
        fresh.connect("other", "ear", delay_ms=200.0)
    with pytest.raises(SettingsError, match="no population 'eye'"):
        fresh.connect("other", "eye")


def test_a_recording_too_large_for_memory_is_refused():
    network = audio()
    record = Record(membranes={"ear": list(range(48))})
    nothing = np.broadcast_to(np.zeros(1), (1_000_000, 10, 40))

    class Endless:
        def __len__(self):
            return 10**9

        def __getitem__(self, k):
            if k > 3:
                raise IndexError
            return nothing[0]

    with pytest.raises(SimulationError, match="more than half of the memory"):
        network.run({"audio": Endless()}, record=record)


def test_the_spikes_of_a_numbered_clip_do_not_depend_on_its_index():
    network, clips = audio(), audio_rates(5)
    numbers = [11, 7, 2**40, 3, 0]
    counts = network.run({"audio": clips}, learn=False, clip_numbers=numbers).counts["ear"]
    backwards = network.run({"audio": clips[::-1]}, learn=False, clip_numbers=numbers[::-1])
    assert np.array_equal(backwards.counts["ear"][::-1], counts)
    counted = network.run({"audio": clips}, learn=False, first_clip=7).counts["ear"]
    ordered = network.run({"audio": clips}, learn=False, clip_numbers=[7, 8, 9, 10, 11])
    assert np.array_equal(ordered.counts["ear"], counted)
    assert not np.array_equal(counts, counted)


@pytest.mark.parametrize(
    ("numbers", "learn", "words"),
    [
        ([1, 2], False, "2 clip_numbers"),
        ([0, -1, 2], False, "2\\*\\*48"),
        ([1, 2, 3], True, "learning run"),
    ],
)
def test_numbers_that_do_not_fit_the_clips(numbers, learn, words):
    with pytest.raises(SettingsError, match=words):
        audio().run({"audio": audio_rates(3)}, learn=learn, clip_numbers=numbers)
