"""Plots of a network: spikes, weights of windows, rates and thresholds over clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aver.errors import SimulationError
from aver.spiking.network import Network
from aver.spiking.recording import Recording
from aver.spiking.spikes import Spikes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def spike_raster(spikes: Spikes, neurons: int, duration_ms: float, title: str = "") -> Figure:
    """One mark per spike: time on the x axis, neuron on the y axis.

    Parameters
    ----------
    spikes : Spikes of one clip
    neurons : int, neurons of the population
    duration_ms : float, length of the clip
    """
    figure, axes = _canvas(1, 7.0, 3.5)
    axes[0].plot(spikes.time_ms, spikes.neuron, linestyle="", marker="|", markersize=4)
    axes[0].set(
        xlim=(0, duration_ms),
        ylim=(-0.5, neurons - 0.5),
        xlabel="time (ms)",
        ylabel="neuron",
        title=title,
    )
    return figure


def weight_maps(network: Network, connection: str, position: int = 0, columns: int = 10) -> Figure:
    """Weights of each feature at a window position, as small images of the window.

    Parameters
    ----------
    network : Network
    connection : str, one from a source with two axes
    position : int, window position
    columns : int, maximum number of images side by side
    """
    weights = network.weights(connection)  # (positions, fan_in, features)
    described = network.connections[connection]
    shape = described.source_shape if described.windows is None else described.windows.size
    if len(shape) != 2 or not 0 <= position < len(weights):
        raise SimulationError(
            f"Weight maps need a window with two axes and a position below {len(weights)}; "
            f"'{connection}' has windows of shape {shape}, and position {position} was asked for."
        )
    features = weights.shape[2]
    columns = min(columns, features)
    rows = -(-features // columns)
    tiled = np.full((rows * (shape[0] + 1), columns * (shape[1] + 1)), np.nan)
    for feature in range(features):
        top, left = (feature // columns) * (shape[0] + 1), (feature % columns) * (shape[1] + 1)
        tile = weights[position, :, feature].reshape(shape)
        tiled[top : top + shape[0], left : left + shape[1]] = tile
    flat = tiled.shape[0] / tiled.shape[1]
    figure, axes = _canvas(1, 7.0, max(2.0, 0.8 + 7.0 * flat))
    # Windows of one row would be drawn as a line that is too thin.
    drawn = axes[0].imshow(
        tiled,
        cmap="viridis",
        vmin=0,
        aspect="equal" if flat > 0.1 else "auto",
        interpolation="nearest",
    )
    axes[0].set(xticks=[], yticks=[], title=f"{connection}, position {position}")
    figure.colorbar(drawn, ax=axes[0], label="weight", fraction=0.03)
    return figure


def weights_in_place(network: Network, connection: str, max_maps: int = 4) -> Figure:
    """Weights of feature maps, with each window drawn at its position on the input.

    Parameters
    ----------
    network : Network
    connection : str
        From a source with two axes. Inputs outside all windows stay white; of overlapping windows
        the later one is drawn.
    max_maps : int >= 1
        Number of feature maps, the first ones, one below the other.
    """
    weights = network.weights(connection)  # (positions, fan_in, features)
    described = network.connections[connection]
    shape = described.source_shape
    if len(shape) != 2:
        raise SimulationError(
            f"Weights can be drawn in place for a source with two axes only; that of "
            f"'{connection}' has the shape {shape}."
        )
    shown = min(max_maps, weights.shape[2])
    figure, axes = _canvas(shown, 7.0, 0.6 + shown * float(np.clip(6 * shape[0] / shape[1], 1, 4)))
    highest = float(weights[..., :shown].max())
    for feature in range(shown):
        placed = np.full(described.source_neurons, np.nan)
        placed[described.inputs] = weights[: len(described.inputs), :, feature]
        drawn = axes[feature].imshow(
            placed.reshape(shape), cmap="viridis", vmin=0, vmax=highest, aspect="auto"
        )
        axes[feature].set(ylabel=f"map {feature}: row")
    axes[-1].set(xlabel="column of the input")
    figure.suptitle(connection)
    figure.colorbar(drawn, ax=axes, label="weight", fraction=0.03)
    return figure


def rates_and_thresholds(recording: Recording) -> Figure:
    """Spikes per clip and mean adaptive threshold of every population, over the clips of a run."""
    figure, axes = _canvas(2, 7.0, 4.5)
    for name, counts in recording.counts.items():
        axes[0].plot(np.arange(1, len(counts) + 1), counts.sum(axis=1), label=name)
        axes[1].plot(np.arange(1, len(counts) + 1), recording.theta_mv[name], label=name)
    axes[0].set(ylabel="spikes per clip", ylim=(0, None))
    axes[1].set(ylabel="mean theta (mV)", xlabel="clip")
    axes[0].legend()
    return figure


def _canvas(rows: int, width: float, height: float) -> tuple[Figure, list]:
    # Figures made without pyplot need no screen and are freed with their last reference.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(rows, 1, sharex=rows > 1)))
