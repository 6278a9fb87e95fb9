"""The benchmark's networks W1 and W3 beside Brian2, four clips with learning: minutes.

Not collected with the other tests; `make parity` names this file.
"""

from ..workloads import build, rates, spike_trains
from .test_brian import _numpy_runtime, assert_same  # noqa: F401 - a fixture


def test_w1_equal_spike_counts_of_every_neuron():
    network = build("W1")
    assert_same(network, {"input": spike_trains(rates("W1", 4))}, least_spikes=20)


def test_w3_equal_spike_counts_of_all_but_a_thousandth():
    network = build("W3")
    assert_same(network, {"input": spike_trains(rates("W3", 4))}, least_spikes=1000, share=0.001)
