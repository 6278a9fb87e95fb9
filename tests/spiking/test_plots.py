"""Plots show the data, read back from the figure."""

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
    weights_in_place,
)


@pytest.fixture(scope="module")
def trained():
    network = Network(seed=1)
    network.add_source("pixels", (8, 8))
    network.add_population("layer", Population(5, 4))
    network.connect("pixels", "layer", windows=Windows((4, 4), (4, 4)), normal_sum=6.0)
    clips = np.random.default_rng(0).uniform(0, 250, (3, 8, 8))
    return network, network.run({"pixels": clips}, record=Record(spikes=["layer"]))


def test_raster(trained, tmp_path):
    spikes = trained[1].spikes["layer"][0]
    figure = spike_raster(spikes, 20, 500.0)
    drawn = figure.axes[0].lines[0].get_xydata()
    assert np.array_equal(drawn, np.column_stack([spikes.time_ms, spikes.neuron]))
    figure.savefig(tmp_path / "raster.png")


def test_weight_maps(trained):
    tiled = weight_maps(*trained[:1], "pixels->layer", position=2, columns=5).axes[0].images[0]
    shown = tiled.get_array()[:4, 5:9]
    expected = trained[0].weights("pixels->layer")[2, :, 1].reshape(4, 4)
    assert np.array_equal(shown, expected)
    with pytest.raises(SimulationError, match="position 4 was asked for"):
        weight_maps(trained[0], "pixels->layer", position=4)


def test_weights_in_place(trained):
    axes = weights_in_place(trained[0], "pixels->layer", max_maps=2).axes
    weights = trained[0].weights("pixels->layer")  # (four windows of 4 x 4, 16, 5)
    for feature in range(2):
        shown = axes[feature].images[0].get_array()
        assert shown.shape == (8, 8)
        for window, (top, left) in enumerate([(0, 0), (0, 4), (4, 0), (4, 4)]):
            expected = weights[window, :, feature].reshape(4, 4)
            assert np.array_equal(shown[top : top + 4, left : left + 4], expected)
    network = Network()
    network.add_source("line", (5,))
    network.add_population("layer", Population(2))
    network.connect("line", "layer")
    with pytest.raises(SimulationError, match="two axes"):
        weights_in_place(network, "line->layer")


def test_windows_of_one_row_are_visible():
    network = Network()
    network.add_source("bands", (6, 128))
    network.add_population("layer", Population(2, 12))
    network.connect("bands", "layer", windows=Windows((1, 64), (1, 64)))
    figure = weight_maps(network, "bands->layer")
    figure.canvas.draw()
    assert figure.axes[0].get_window_extent().height > 0.3 * figure.bbox.height


def test_rates_and_thresholds(trained):
    top, bottom = rates_and_thresholds(trained[1]).axes
    assert np.array_equal(top.lines[0].get_ydata(), trained[1].counts["layer"].sum(axis=1))
    assert np.array_equal(bottom.lines[0].get_ydata(), trained[1].theta_mv["layer"])
