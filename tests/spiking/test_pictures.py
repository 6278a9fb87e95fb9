"""Pictures show what they say, read back from the figure."""

import numpy as np
import pytest

from aver.errors import SimulationError
from aver.spiking import (
    Network,
    Population,
    Record,
    Windows,
    rates_and_thresholds,
    spike_raster,
    weight_maps,
)


@pytest.fixture(scope="module")
def seen():
    network = Network(seed=1)
    network.add_source("pixels", (8, 8))
    network.add_population("layer", Population(5, 4))
    network.connect("pixels", "layer", windows=Windows((4, 4), (4, 4)), normal_sum=6.0)
    clips = np.random.default_rng(0).uniform(0, 250, (3, 8, 8))
    return network, network.run({"pixels": clips}, record=Record(spikes=["layer"]))


def test_raster(seen, tmp_path):
    spikes = seen[1].spikes["layer"][0]
    figure = spike_raster(spikes, 20, 500.0)
    drawn = figure.axes[0].lines[0].get_xydata()
    assert np.array_equal(drawn, np.column_stack([spikes.time_ms, spikes.neuron]))
    figure.savefig(tmp_path / "raster.png")


def test_weight_maps(seen):
    tiled = weight_maps(*seen[:1], "pixels->layer", position=2, columns=5).axes[0].images[0]
    shown = tiled.get_array()[:4, 5:9]
    expected = seen[0].weights("pixels->layer")[2, :, 1].reshape(4, 4)
    assert np.array_equal(shown, expected)
    with pytest.raises(SimulationError, match="position 4 was asked for"):
        weight_maps(seen[0], "pixels->layer", position=4)


def test_rates_and_thresholds(seen):
    top, bottom = rates_and_thresholds(seen[1]).axes
    assert np.array_equal(top.lines[0].get_ydata(), seen[1].counts["layer"].sum(axis=1))
    assert np.array_equal(bottom.lines[0].get_ydata(), seen[1].theta_mv["layer"])
