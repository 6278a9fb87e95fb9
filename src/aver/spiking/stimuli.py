"""Input spikes of clips: checked before a run begins, drawn clip by clip during the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from aver.errors import SimulationError
from aver.spiking.kernels.poisson import poisson_spikes, sort_by_arrival
from aver.spiking.spikes import Clips, Spikes, stream_key
from aver.spiking.topology import NetworkDescription, Source


@dataclass
class Buffers:
    """Input spikes of the current clip; one set per thread, enlarged if a clip needs more."""

    begins: np.ndarray  # (connections, steps + 1)
    arriving: np.ndarray = field(default_factory=lambda: np.empty(1024, np.int32))
    steps: np.ndarray = field(default_factory=lambda: np.empty(1024, np.int32))
    neurons: np.ndarray = field(default_factory=lambda: np.empty(1024, np.int32))


class Stimuli:
    """The clips of one run.

    Parameters
    ----------
    clips : see :data:`aver.spiking.spikes.Clips`
    description : NetworkDescription
    learn : bool
        Learning and frozen runs draw from different streams.

    Raises
    ------
    SimulationError
        If a source has no clips or is unknown, numbers of clips differ, a shape does not fit,
        rates are negative, undefined or beyond one spike per step, or spikes lie outside the clip.
    """

    def __init__(self, clips: Clips, description: NetworkDescription, learn: bool) -> None:
        sources, connections = description.sources, list(description.connections.values())
        timing = description.simulation.timing
        self._sources, self._timing = sources, timing
        _check_names(clips, sources)
        self.clips = {name: clips[name] for name in sources}
        self.n_clips = len(next(iter(self.clips.values())))
        for name, items in self.clips.items():
            for number, item in enumerate(items):
                self._check(name, number, item)
        phase, streams = "learn" if learn else "frozen", description.streams
        self._stream = {
            name: np.uint64(stream_key(description.seed, streams.get(name, name), phase))
            for name in sources
        }
        self._delays = [
            np.rint(c.delay_ms / timing.dt_ms).astype(np.int32)
            if c.delay_ms.any()
            else np.empty(0, np.int32)
            for c in connections
        ]
        self._fed = {
            name: [k for k, c in enumerate(connections) if c.source == name] for name in sources
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

    def has_rates(self, clip: int) -> bool:
        """Whether a clip has rates above zero, so that a higher intensity gives more spikes."""
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
        presentation, showing : int, they choose the random stream
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
