"""`Spikes`: spike trains, recorded or as input; `Clips`: what a network is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aver.errors import SimulationError


def stream_key(seed: int, *names: str) -> int:
    """64 bits that identify the random stream of these names."""
    text = "/".join([str(seed), *names])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spike trains of many neurons, given as input, recorded, or replayed.

    Parameters
    ----------
    time_ms : float [shape=(spikes,)]
        From the beginning of the clip.
    neuron : int [shape=(spikes,)]
        Counted from 0; with windows ``position * features + feature``.

    Examples
    --------
    >>> spikes = Spikes(time_ms=[0.5, 12.0, 12.5], neuron=[3, 0, 3])
    >>> len(spikes), spikes.counts(4)
    (3, array([1, 0, 0, 2]))
    """

    time_ms: np.ndarray
    neuron: np.ndarray

    def __post_init__(self) -> None:
        time_ms = np.asarray(self.time_ms, dtype=np.float64)
        neuron = np.asarray(self.neuron)
        if neuron.size == 0:
            neuron = neuron.astype(np.int32)
        if time_ms.ndim != 1 or time_ms.shape != neuron.shape:
            raise SimulationError(
                f"Spikes need one time and one neuron each; there are times of shape "
                f"{time_ms.shape} and neurons of shape {neuron.shape}."
            )
        if not np.issubdtype(neuron.dtype, np.integer):
            raise SimulationError(f"Neurons of spikes must be whole numbers, not {neuron.dtype}.")
        object.__setattr__(self, "time_ms", time_ms)
        object.__setattr__(self, "neuron", neuron.astype(np.int32))

    def __len__(self) -> int:
        return int(self.time_ms.size)

    def counts(self, neurons: int) -> np.ndarray:
        """Spikes of each neuron, `[shape=(neurons,)]`."""
        return np.bincount(self.neuron, minlength=neurons)

    def check(self, neurons: int, duration_ms: float, what: str) -> None:
        """Raise a :class:`SimulationError` unless all spikes lie in the clip and the source."""
        if not len(self):
            return
        if not np.isfinite(self.time_ms).all() or self.time_ms.min() < 0:
            raise SimulationError(f"{what} has spikes at negative or undefined times.")
        if self.time_ms.max() >= duration_ms:
            raise SimulationError(
                f"{what} has a spike at {self.time_ms.max():g} ms, but a clip ends after "
                f"{duration_ms:g} ms. Shorten it or lengthen the timing of the simulation."
            )
        if self.neuron.min() < 0 or self.neuron.max() >= neurons:
            raise SimulationError(
                f"{what} has spikes of neurons {self.neuron.min()} to {self.neuron.max()}, but "
                f"the source has {neurons} neurons."
            )


Clips = Mapping[str, Sequence[np.ndarray | Spikes]]
"""For each source one item per clip: rates in Hz, or spikes.

Rates have the source's shape (constant rates), or one axis more in front (frames, spread evenly
over the stimulus). An array with the clips along its first axis works as well.
"""
