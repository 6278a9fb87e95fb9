"""Poisson spikes from counter-based random streams, and their order of arrival.

Every input neuron draws from a stream of its own, made from a key (of the seed, the source, the
clip and the showing) and the neuron's number. The spikes of one source therefore depend neither on
other sources nor on the number of threads.
"""

from __future__ import annotations

import math

import numpy as np

from aver.spiking.kernels.compile import allocating_kernel

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@allocating_kernel
def mix(x):
    """Scramble 64 bits: the output function of SplitMix64 (Steele, Lea & Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    return x ^ (x >> np.uint64(31))


def _layers():
    """Right edges of 256 layers of equal area under exp(-x), and the heights there."""
    tail, area = 7.69711747013104972, 0.0039496598225815571993
    edges = [area * math.exp(tail), tail]
    while len(edges) < 256:
        edges.append(-math.log(math.exp(-edges[-1]) + area / edges[-1]))
    x = np.array([*edges, 0.0])
    return x, np.exp(-x)


_EDGES, _HEIGHTS = _layers()


@allocating_kernel
def unit_interval(bits):
    """53 random bits as a number in [0, 1)."""
    return float(bits >> np.uint64(11)) * 1.1102230246251565e-16


@allocating_kernel
def exponential(counter):
    """Draw from the unit exponential distribution; return it and the counter moved on.

    The ziggurat method (Marsaglia & Tsang 2000): 99 of 100 draws need no logarithm.
    """
    beyond = 0.0
    while True:
        counter += _GOLDEN
        bits = mix(counter)
        layer = int(bits & np.uint64(255))
        x = unit_interval(bits) * _EDGES[layer]
        if x < _EDGES[layer + 1]:
            return beyond + x, counter
        if layer == 0:  # the tail is the same distribution, further out
            beyond += _EDGES[1]
            continue
        counter += _GOLDEN
        low, high = _HEIGHTS[layer], _HEIGHTS[layer + 1]
        if low + unit_interval(mix(counter)) * (high - low) < math.exp(-x):
            return beyond + x, counter


@allocating_kernel
def poisson_spikes(rates_hz, intensity, edges, dt_s, key, steps, neurons):
    """Draw spikes, neuron by neuron; return their number, or -1 if the arrays are too short.

    In each step a neuron fires with probability ``rate * intensity * dt``; the gaps between
    spikes are therefore geometric, and one draw is made per spike rather than per step.

    Parameters
    ----------
    rates_hz : float64 [shape=(frames, inputs)]
    intensity : float, factor on all rates
    edges : int64 [shape=(frames + 1,)], step at which each frame begins, and the end
    dt_s : float, step in seconds
    key : uint64, key of the stream
    steps, neurons : int32, the spikes; written here
    """
    n = 0
    frames, inputs = rates_hz.shape
    for i in range(inputs):
        counter = mix(key + np.uint64(i) * _GOLDEN)
        for f in range(frames):
            p = rates_hz[f, i] * intensity * dt_s
            if p <= 0.0:
                continue
            per_gap = -1.0 / math.log1p(-p) if p < 1.0 else 0.0
            step = edges[f] - 1
            while True:
                wait, counter = exponential(counter)
                gap = wait * per_gap
                if gap >= edges[f + 1] - step - 1:
                    break
                step += 1 + int(gap)
                if n == steps.size:
                    return -1
                steps[n] = step
                neurons[n] = i
                n += 1
    return n


@allocating_kernel
def sort_by_arrival(steps, neurons, delays, lag, n, first, begins, sorted_neurons):
    """Sort spikes by the step in which they arrive, keeping their order within a step.

    Parameters
    ----------
    steps, neurons : int32, ``n`` spikes
    delays : int32 [shape=(inputs,)], steps; empty for none
    lag : int, steps added to all
    first : int, index in ``sorted_neurons`` to begin at
    begins : int64 [shape=(all steps + 1,)], written; index at which the spikes of each step begin
    sorted_neurons : int32, written; spikes that arrive after the last step are dropped
    """
    last = begins.size - 1
    begins[:] = 0
    for k in range(n):
        arrival = steps[k] + lag + (delays[neurons[k]] if delays.size else 0)
        if arrival < last:
            begins[arrival + 1] += 1
    begins[0] = first
    for step in range(last):
        begins[step + 1] += begins[step]
    slot = begins[:-1].copy()
    for k in range(n):
        arrival = steps[k] + lag + (delays[neurons[k]] if delays.size else 0)
        if arrival < last:
            sorted_neurons[slot[arrival]] = neurons[k]
            slot[arrival] += 1
