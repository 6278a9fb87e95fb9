"""The graph of one clip against brute force over all pairs of spikes, and against NetworkX."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aver.errors import SettingsError
from aver.models.synch_graph.graph import ClipSpikes, sweep, synchrony_graph
from aver.spiking import Spikes

MAPS = 3


def brute_force(spikes: ClipSpikes, window_ms: float) -> dict:
    """(neuron, neuron) -> (coincidences, smallest distance), from every pair of spikes."""
    who = list(zip(spikes.modality, spikes.position, spikes.feature_map, strict=True))
    found: dict = {}
    for i in range(len(spikes)):
        for j in range(i):
            apart_ms = abs(spikes.time_ms[i] - spikes.time_ms[j])
            if who[i] != who[j] and apart_ms <= window_ms:
                key = frozenset((who[i], who[j]))
                count, least = found.get(key, (0, np.inf))
                found[key] = (count + 1, min(least, apart_ms))
    return found


def of_graph(graph) -> dict:
    who = list(zip(graph.modality, graph.position, graph.feature_map, strict=True))
    return {
        frozenset((who[a], who[b])): (count, abs(lag_ms))
        for a, b, count, lag_ms in zip(
            graph.first, graph.second, graph.coincidences, graph.lag_ms, strict=True
        )
    }


@st.composite
def some_spikes(draw):
    def train():
        drawn = draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 8)), max_size=25))
        return Spikes([time / 2 for time, _ in drawn], [neuron for _, neuron in drawn])

    return ClipSpikes.of({"video": train(), "audio": train()}, MAPS)


@given(some_spikes(), st.sampled_from([0.5, 5.0, 20.0, 50.0, 150.0]))
@settings(max_examples=150, deadline=None)
def test_edges_are_those_of_all_pairs_of_spikes(spikes, window_ms):
    graph = synchrony_graph(spikes, window_ms)
    assert of_graph(graph) == brute_force(spikes, window_ms)
    assert (graph.first < graph.second).all()


def test_nodes_are_the_neurons_that_fired():
    video, audio = Spikes([9.0, 1.0, 4.0], [7, 0, 7]), Spikes([2.0], [7])
    graph = synchrony_graph(ClipSpikes.of({"audio": audio, "video": video}, MAPS))
    assert graph.modality.tolist() == [0, 0, 1]
    assert graph.position.tolist() == [0, 2, 2]
    assert graph.feature_map.tolist() == [0, 1, 1]
    assert graph.spike_count.tolist() == [1, 2, 1]
    assert graph.first_spike_ms.tolist() == [1.0, 4.0, 2.0]


def test_the_lag_between_modalities_is_positive_if_the_audio_is_late():
    spikes = {"video": Spikes([100.0, 200.0], [0, 1]), "audio": Spikes([105.0], [0])}
    graph = synchrony_graph(ClipSpikes.of(spikes, MAPS), 150.0)
    edges = {(a, b): lag for a, b, lag in zip(graph.first, graph.second, graph.lag_ms, strict=True)}
    assert edges == {(0, 1): 100.0, (0, 2): 5.0, (1, 2): -95.0}


def test_a_wide_window_makes_the_graph_complete_and_a_narrow_one_does_not():
    rng = np.random.default_rng(0)
    spikes = Spikes(rng.uniform(0, 350, 60), rng.integers(0, 12, 60))
    spikes = ClipSpikes.of({"video": spikes}, MAPS)
    densities = [synchrony_graph(spikes, window).density for window in (1, 5, 20, 50, 350)]
    assert densities == sorted(densities)
    assert densities[0] < 0.5
    assert synchrony_graph(spikes, 350).is_complete
    assert densities[-1] == 1
    complete, empty = (synchrony_graph(spikes, 5, edges) for edges in ("all", "none"))
    assert complete.is_complete
    assert empty.edges == 0
    unsynchronous = np.isnan(complete.lag_ms)
    assert (complete.coincidences[unsynchronous] == 0).all()
    assert (complete.coincidences[~unsynchronous] > 0).all()


def test_shuffling_keeps_neurons_and_counts_and_all_times():
    rng = np.random.default_rng(1)
    spikes = ClipSpikes.of({"audio": Spikes(rng.uniform(0, 350, 80), np.arange(80) % 9)}, MAPS)
    shuffled = spikes.shuffled(rng)
    np.testing.assert_array_equal(shuffled.time_ms, spikes.time_ms)
    one, two = synchrony_graph(spikes, 3.0), synchrony_graph(shuffled, 3.0)
    np.testing.assert_array_equal(one.spike_count, two.spike_count)
    assert of_graph(one) != of_graph(two)


def test_networkx_gets_the_same_graph_and_graphml_stores_it(tmp_path):
    rng = np.random.default_rng(2)
    trains = {
        name: Spikes(rng.uniform(0, 350, 30), rng.integers(0, 9, 30)) for name in ("video", "audio")
    }
    graph = synchrony_graph(ClipSpikes.of(trains, MAPS), 20.0)
    whole = graph.to_networkx()
    assert networkx.density(whole) == pytest.approx(graph.density)
    matrix = np.zeros((graph.nodes, graph.nodes))
    matrix[graph.first, graph.second] = matrix[graph.second, graph.first] = graph.coincidences
    np.testing.assert_array_equal(networkx.to_numpy_array(whole, weight="coincidences"), matrix)
    graph.write_graphml(tmp_path / "clip.graphml")
    again = networkx.read_graphml(tmp_path / "clip.graphml", node_type=int)
    assert dict(again.nodes(data=True)) == dict(whole.nodes(data=True))
    assert {frozenset(edge) for edge in again.edges} == {frozenset(edge) for edge in whole.edges}
    for a, b, attributes in whole.edges(data=True):
        assert again.edges[a, b] == attributes


def test_a_clip_without_spikes_is_an_empty_graph():
    graph = synchrony_graph(ClipSpikes.of({}, MAPS))
    assert (graph.nodes, graph.edges) == (0, 0)
    assert np.isnan(graph.density)


def test_work_grows_with_spikes_not_with_their_pairs():
    """Ten nodes: a million spikes, 5e11 pairs of them, in the time of one sweep."""
    count = 1_000_000
    rng = np.random.default_rng(3)
    time_ms = np.sort(rng.uniform(0, 1000, count))
    node = rng.integers(0, 10, count)
    coincidences, _ = sweep(time_ms, node, 10, 1000.0)
    spikes = np.bincount(node)
    assert coincidences[0, 1] == spikes[0] * spikes[1]


def test_a_window_must_be_positive():
    with pytest.raises(SettingsError, match="window_ms"):
        synchrony_graph(ClipSpikes.of({}, MAPS), 0.0)
