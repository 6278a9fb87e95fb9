"""`write_layer_images`: weights of spiking layers and their spikes for one clip, as images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aver.execution.files import write_atomically
from aver.models.layers.spiking_layer import SpikingLayers
from aver.models.snn_cross_modal.network import INPUT, LAYER
from aver.spiking.plots import spike_raster, weight_maps, weights_in_place
from aver.spiking.spikes import Spikes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_MAX_NEURONS = 400
"""At most so many neurons of a link are drawn, evenly spaced; more cannot be distinguished."""


def write_layer_images(
    layers: Mapping[str, SpikingLayers], spikes: Mapping[str, Spikes], folder: Path
) -> None:
    """Draw spikes of one clip, weights of windows and weights of links, as PNG.

    Parameters
    ----------
    layers : mapping of str to SpikingLayers
    spikes : mapping of str to Spikes
        Of one clip, by layer.
    folder : Path
        Gets ``<layer>-spikes.png``; ``<layer>-weights.png``, the first feature maps with each
        window at its position; ``<layer>-window.png``, all feature maps of the middle
        window; and ``<layer>-from-<other>.png``.
    """
    for name, layer in layers.items():
        if name in spikes:
            timing = layer.network.simulation.timing
            figure = spike_raster(
                spikes[name],
                layer.layers[LAYER].neurons,
                timing.stimulus_ms + timing.rest_ms,
                f"{name}: spikes of one clip",
            )
            _write(figure, folder / f"{name}-spikes.png")
        if INPUT in layer.network.sources:
            middle, connection = layer.layers[LAYER].positions // 2, f"{INPUT}->{LAYER}"
            figure = weight_maps(layer.network, connection, middle)
            _write(figure, folder / f"{name}-window.png")
            _write(weights_in_place(layer.network, connection), folder / f"{name}-weights.png")
        for link in layer.links:
            weights = layer.network.weights(f"{link.source}->{link.target}")
            figure = _link_weights(weights, link.source, name)
            _write(figure, folder / f"{name}-from-{link.source}.png")


def _link_weights(weights: np.ndarray, link: str, name: str) -> Figure:
    """Weights of a link, `[shape=(positions, other neurons, features)]`, as one image."""
    from matplotlib.figure import Figure

    matrix = weights.transpose(0, 2, 1).reshape(-1, weights.shape[1])  # (neurons, other neurons)
    shown = [np.linspace(0, n - 1, min(n, _MAX_NEURONS)).astype(int) for n in matrix.shape]
    figure = Figure(figsize=(7.0, 5.0), layout="constrained")
    axes = figure.subplots()
    drawn = axes.imshow(
        matrix[np.ix_(*shown)],
        cmap="viridis",
        vmin=0,
        aspect="auto",
        extent=(0, matrix.shape[1], matrix.shape[0], 0),
    )
    axes.set(
        xlabel=f"neuron of {link}", ylabel=f"neuron of {name}", title=f"weights {link} -> {name}"
    )
    figure.colorbar(drawn, ax=axes, label="weight", fraction=0.03)
    return figure


def _write(figure: Figure, path: Path) -> None:
    with write_atomically(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)
