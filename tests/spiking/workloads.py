"""The benchmark's networks and clips: W1, W2 without windows, W3 audio, W4 visual."""

from __future__ import annotations

import numpy as np

from aver.spiking import Intensity, Network, Population, Simulation, Spikes, Windows

SIZES = {
    "W1": ((784,), Population(features=400), None),
    "W2": ((784,), Population(features=6400), None),
    "W3": ((40, 388), Population(features=60, positions=38), Windows((40, 10), (40, 10))),
    "W4": ((100, 100), Population(features=60, positions=100), Windows((10, 10), (10, 10))),
}


def build(workload, integrator="forward-euler", between_clips="carry", seed=3, **connect):
    """A network of a workload; clips are shown once."""
    shape, population, windows = SIZES[workload]
    simulation = Simulation(
        integrator=integrator,
        between_clips=between_clips,
        intensity=Intensity(max_retries=0),
    )
    network = Network(simulation, seed=seed)
    network.add_source("input", shape)
    network.add_population("layer", population)
    network.connect("input", "layer", windows=windows, **connect)
    return network


def rates(workload, clips, seed=0):
    """Rates in Hz `(clips, *shape)`: 100 inputs at 32-64 Hz (W1, W2) or all in 0-63.75 Hz."""
    rng = np.random.default_rng(seed)
    shape = SIZES[workload][0]
    if workload in ("W3", "W4"):
        return rng.uniform(0, 63.75, (clips, *shape))
    values = np.zeros((clips, *shape))
    for clip in values:
        clip[rng.choice(clip.size, 100, replace=False)] = rng.uniform(32, 64, 100)
    return values


def spike_trains(rates_hz, seed=0, stimulus_ms=350.0, dt_ms=0.5):
    """Bernoulli spikes per step, drawn by NumPy, one `Spikes` per clip."""
    rng = np.random.default_rng(seed)
    trains = []
    for clip in rates_hz.reshape(len(rates_hz), -1):
        steps = round(stimulus_ms / dt_ms)
        step, neuron = np.nonzero(rng.random((steps, clip.size)) < clip * dt_ms / 1000)
        trains.append(Spikes(time_ms=step * dt_ms, neuron=neuron))
    return trains
