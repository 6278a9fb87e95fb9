"""`NodeEncoder`: what a graph network is told about a neuron."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from aver.models.synchrony.clip_spikes import MODALITIES
from aver.models.synchrony.synchrony_graph import SynchronyGraph

Encoding = Literal["numbers", "one-hot", "neuron"]


@dataclass(frozen=True, eq=False)
class NodeEncoder:
    """Turns modality, position, map, spike count and first spike of each node into inputs.

    Parameters
    ----------
    encoding : {"numbers", "one-hot", "neuron"}
        ``"numbers"``: one input each, position and map as shares of their range. ``"one-hot"``: an
        input for every position of either modality and for every map. ``"neuron"``: an input for
        every neuron, which holds its spike count, and the first spike.
    positions : mapping of str to int
        Window positions of each modality.
    maps : int
        Neurons at each position.
    mean, deviation : np.ndarray [shape=(2,)]
        Of the logarithm of the spike count, and of the first spike in ms, over the nodes of the
        training clips; these two are standardised by them.
    """

    encoding: Encoding
    positions: Mapping[str, int]
    maps: int
    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def learn(
        cls,
        encoding: Encoding,
        positions: Mapping[str, int],
        maps: int,
        graphs: Sequence[SynchronyGraph],
    ) -> NodeEncoder:
        """Take mean and deviation from training graphs; nodes of all clips count the same."""
        values = np.concatenate([np.zeros((0, 2)), *(_timing(graph) for graph in graphs)])
        if not len(values):
            values = np.zeros((1, 2))
        deviation = values.std(axis=0)
        return cls(
            encoding,
            positions,
            maps,
            values.mean(axis=0),
            np.where(deviation > 1e-9, deviation, 1.0),
        )

    @property
    def inputs(self) -> int:
        """Number of inputs of a node."""
        places = sum(self.positions.values())
        return {
            "numbers": 5,
            "one-hot": len(MODALITIES) + places + self.maps + 2,
            "neuron": places * self.maps + 1,
        }[self.encoding]

    def encode(self, graph: SynchronyGraph) -> np.ndarray:
        """Inputs of all nodes, `[shape=(nodes, inputs), dtype=float32]`."""
        timing = (_timing(graph) - self.mean) / self.deviation
        if self.encoding == "numbers":
            widest = np.array([max(1, self.positions.get(name, 1)) for name in MODALITIES])
            described = [
                graph.modality,
                graph.position / widest[graph.modality],
                graph.feature_map / self.maps,
            ]
            return np.column_stack([*described, timing]).astype(np.float32)
        place = self._first_places[graph.modality] + graph.position
        if self.encoding == "neuron":
            counts = _one_hot(place * self.maps + graph.feature_map, self.inputs - 1)
            counts *= np.log1p(graph.spike_count)[:, None]
            return np.column_stack([counts, timing[:, 1]]).astype(np.float32)
        return np.column_stack(
            [
                _one_hot(graph.modality, len(MODALITIES)),
                _one_hot(place, sum(self.positions.values())),
                _one_hot(graph.feature_map, self.maps),
                timing,
            ]
        ).astype(np.float32)

    @property
    def _first_places(self) -> np.ndarray:
        """Number of the first position of each modality, all positions counted through."""
        counts = [self.positions.get(name, 0) for name in MODALITIES]
        return np.cumsum([0, *counts[:-1]])


def _timing(graph: SynchronyGraph) -> np.ndarray:
    """Logarithm of the spike count, and first spike in ms: (nodes, 2)."""
    return np.column_stack([np.log1p(graph.spike_count), graph.first_spike_ms])


def _one_hot(index: np.ndarray, width: int) -> np.ndarray:
    rows = np.zeros((len(index), width))
    rows[np.arange(len(index)), index] = 1.0
    return rows
