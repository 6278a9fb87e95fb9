"""Clips as input spikes: checked before a run begins, drawn clip by clip while it goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from aver.errors import SimulationError
from aver.spiking.kernels.poisson import poisson_spikes, sort_by_arrival
from aver.spiking.parameters import Timing
from aver.spiking.topology import Connection, Source


def stream_key(seed: int, *names: str) -> int:
    """64 bits for a random stream that belongs to these names alone."""
    text = "/".join([str(seed), *names])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spike trains of many neurons, given as input, recorded, or replayed.

    Parameters
    ----------
    time_ms : float [shape=(spikes,)], from the beginning of the clip
    neuron : int [shape=(spikes,)], counted from 0 (of windows: ``position * features + feature``)

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

Rates have the source's shape (constant) or one axis more in front (frame by frame, frames spread
evenly over the stimulus). An array with the clips along its first axis will do.
"""


@dataclass
class Buffers:
    """Input spikes of the clip at hand; one set per thread, grown when a clip needs more."""

    begins: np.ndarray  # (connections, steps + 1)
    arriving: np.ndarray = field(default_factory=lambda: np.empty(1024, np.int32))
    steps: np.ndarray = field(default_factory=lambda: np.empty(1024, np.int32))
    neurons: np.ndarray = field(default_factory=lambda: np.empty(1024, np.int32))


class Stimuli:
    """The clips of one run.

    Parameters
    ----------
    clips : see :data:`Clips`
    sources : name -> Source
    connections : name -> Connection, in the order of the kernels
    timing : Timing
    seed : int
    learn : bool; learning and frozen runs draw from different streams
    streams : mapping of source to the name of its random stream, if not its own name

    Raises
    ------
    SimulationError
        If a source has no clips or is unknown, numbers of clips differ, a shape does not fit,
        rates are negative, undefined or beyond one spike per step, or spikes lie outside.
    """

    def __init__(
        self,
        clips: Clips,
        sources: Mapping[str, Source],
        connections: Mapping[str, Connection],
        timing: Timing,
        seed: int,
        learn: bool,
        streams: Mapping[str, str] | None = None,
    ) -> None:
        self._timing = timing
        self._sources = sources
        self._connections = list(connections.values())
        _check_names(clips, sources)
        self.clips = {name: clips[name] for name in sources}
        self.n_clips = len(next(iter(self.clips.values())))
        for name, items in self.clips.items():
            for number, item in enumerate(items):
                self._check(name, number, item)
        self._stream = {
            name: np.uint64(
                stream_key(seed, (streams or {}).get(name, name), "learn" if learn else "frozen")
            )
            for name in sources
        }
        self._delays = [
            np.rint(c.delay_ms / timing.dt_ms).astype(np.int32)
            if c.delay_ms.any()
            else np.empty(0, np.int32)
            for c in self._connections
        ]

        self._fed = {
            name: [k for k, c in enumerate(self._connections) if c.source == name]
            for name in sources
        }

    def _check(self, name: str, number: int, item: np.ndarray | Spikes) -> None:
        source, what = self._sources[name], f"Clip {number} of the source '{name}'"
        if isinstance(item, Spikes):
            duration = self._timing.steps * self._timing.dt_ms - source.lag_ms
            item.check(source.neurons, duration, what)
            return
        rates = np.asarray(item)
        frames = rates.shape[: rates.ndim - len(source.shape)]
        if rates.shape[len(frames) :] != source.shape or len(frames) > 1:
            raise SimulationError(
                f"{what} has rates of shape {rates.shape}; they must have the source's shape "
                f"{source.shape}, or frames in front of it."
            )
        if frames and not 1 <= frames[0] <= self._timing.stimulus_steps:
            raise SimulationError(
                f"{what} has {frames[0]} frames; the stimulus has room for 1 to "
                f"{self._timing.stimulus_steps}, one per time step."
            )
        if not np.isfinite(rates).all():
            raise SimulationError(f"{what} has rates that are not finite. Clean them first.")
        if rates.min() < 0:
            raise SimulationError(
                f"{what} has a negative rate, {rates.min():g} Hz. Rates are zero or more."
            )
        if rates.max() * self._timing.dt_ms > 1000:
            raise SimulationError(
                f"{what} has a rate of {rates.max():g} Hz, more than one spike per time step of "
                f"{self._timing.dt_ms:g} ms. Lower the rates or shorten dt_ms."
            )

    def can_brighten(self, clip: int) -> bool:
        """Whether a higher intensity would change anything about this clip."""
        return any(
            not isinstance(items[clip], Spikes) and np.any(np.asarray(items[clip]))
            for items in self.clips.values()
        )

    def draw(
        self, clip: int, presentation: int, showing: int, intensity: float, buffers: Buffers
    ) -> None:
        """Fill the buffers with the input spikes of a clip.

        Parameters
        ----------
        clip : int, which of the clips
        presentation, showing : int, choose the random stream
        intensity : float, factor on rates
        """
        filled = 0
        for name, items in self.clips.items():
            fed = self._fed[name]
            if not fed:
                continue
            n = self._spikes_of(name, items[clip], presentation, showing, intensity, buffers)
            needed = filled + n * len(fed)
            if buffers.arriving.size < needed:
                buffers.arriving = np.concatenate(
                    [buffers.arriving[:filled], np.empty(2 * needed - filled, np.int32)]
                )
            for k in fed:
                sort_by_arrival(
                    buffers.steps,
                    buffers.neurons,
                    self._delays[k],
                    self._timing.in_steps(self._sources[name].lag_ms),
                    n,
                    filled,
                    buffers.begins[k],
                    buffers.arriving,
                )
                filled += n

    def _spikes_of(
        self,
        name: str,
        item: np.ndarray | Spikes,
        presentation: int,
        showing: int,
        intensity: float,
        buffers: Buffers,
    ) -> int:
        if isinstance(item, Spikes):
            self._make_room(buffers, len(item))
            buffers.steps[: len(item)] = np.rint(item.time_ms / self._timing.dt_ms)
            buffers.neurons[: len(item)] = item.neuron
            return len(item)
        rates = np.ascontiguousarray(item, dtype=np.float64)
        rates = rates.reshape(-1, self._sources[name].neurons)  # (frames, inputs)
        edges = _edges(len(rates), self._timing.stimulus_steps)
        seconds = self._timing.stimulus_ms / 1000 / len(rates)
        self._make_room(buffers, int(1.2 * rates.sum() * intensity * seconds) + 100)
        key = np.uint64((presentation << 8 | showing) & 0xFFFFFFFFFFFFFFFF)
        while True:
            n = poisson_spikes(
                rates,
                float(intensity),
                edges,
                self._timing.dt_ms / 1000,
                self._stream[name] ^ key,
                buffers.steps,
                buffers.neurons,
            )
            if n >= 0:
                return int(n)
            self._make_room(buffers, 2 * buffers.steps.size)

    @staticmethod
    def _make_room(buffers: Buffers, spikes: int) -> None:
        if buffers.steps.size < spikes:
            buffers.steps = np.empty(spikes, np.int32)
            buffers.neurons = np.empty(spikes, np.int32)


@lru_cache(maxsize=64)
def _edges(frames: int, stimulus_steps: int) -> np.ndarray:
    """Step at which each frame begins, and the end of the stimulus."""
    return np.array([round(k * stimulus_steps / frames) for k in range(frames + 1)], np.int64)


def _check_names(clips: Clips, sources: Mapping[str, Source]) -> None:
    if not sources:
        raise SimulationError("The network has no source of input. Add one with add_source.")
    unknown, missing = sorted(set(clips) - set(sources)), sorted(set(sources) - set(clips))
    if unknown or missing:
        raise SimulationError(
            f"The clips are for the sources {sorted(clips)}, but the network has "
            f"{sorted(sources)}. Give every source its clips (zero rates for a silent one)."
        )
    lengths = {name: len(items) for name, items in clips.items()}
    if len(set(lengths.values())) > 1:
        raise SimulationError(f"Sources have different numbers of clips: {lengths}.")
