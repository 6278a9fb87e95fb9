"""`Record`, `Recorder` and `Recording`: what to record in a run, and what was recorded."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aver.errors import SettingsError, SimulationError
from aver.spiking.spikes import Spikes
from aver.spiking.topology import NetworkDescription

if TYPE_CHECKING:
    from aver.spiking.engine import Engine, Worker


@dataclass(frozen=True)
class Record:
    """What a run records besides spike counts and mean thresholds, which are always recorded.

    Parameters
    ----------
    spikes : sequence of str
        Populations whose spikes are recorded with time and neuron.
    membranes : mapping of population to neurons
        Neurons whose potential and conductances are recorded at the end of every step.
    weights : mapping of connection to int
        Connections whose weights are recorded every so many clips of a learning run.
    """

    spikes: Sequence[str] = ()
    membranes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Membranes:
    """Potential and conductances of chosen neurons, each `[shape=(clips, steps, chosen)]`."""

    neurons: np.ndarray
    v_mv: np.ndarray
    g_e: np.ndarray
    g_i: np.ndarray


@dataclass(frozen=True, eq=False)
class WeightHistory:
    """Weights of a connection over a run.

    Parameters
    ----------
    clips : int [shape=(snapshots,)], number of clips learned before each snapshot
    weights : float32 [shape=(snapshots, positions, fan_in, features)]
    """

    clips: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class Recording:
    """The results of a run.

    Parameters
    ----------
    counts : population -> int32 [shape=(clips, neurons)], spikes of the last showing
    theta_mv : population -> float64 [shape=(clips,)], mean adaptive threshold after each clip
    intensity : float64 [shape=(clips,)], factor on the rates at the last showing
    spikes : population -> list of Spikes, one per clip
    membranes : population -> Membranes
    weights : connection -> WeightHistory
    """

    counts: dict[str, np.ndarray]
    theta_mv: dict[str, np.ndarray]
    intensity: np.ndarray
    spikes: dict[str, list[Spikes]]
    membranes: dict[str, Membranes]
    weights: dict[str, WeightHistory]


class Recorder:
    """Records one run.

    Parameters
    ----------
    engine : Engine
    record : Record
    n_clips : int

    Raises
    ------
    SettingsError
        If the record names an unknown population, connection or neuron.
    SimulationError
        If the recording would not fit into memory.
    """

    def __init__(self, engine: Engine, record: Record, n_clips: int) -> None:
        description = engine.description
        _check(description, record)
        _check_memory(engine, record, n_clips)
        self._engine, self._record = engine, record
        self._cells_of = engine.layout.cells_of
        self.counts = {
            name: np.zeros((n_clips, p.neurons), np.int32)
            for name, p in description.populations.items()
        }
        self._theta = {name: np.zeros(n_clips) for name in description.populations}
        self._intensity = np.zeros(n_clips)
        silence = Spikes(np.empty(0), np.empty(0, np.int32))
        self._spikes = {name: [silence] * n_clips for name in record.spikes}
        chosen = {name: np.asarray(ids, np.int64) for name, ids in record.membranes.items()}
        steps = description.simulation.timing.steps
        self._membranes = {
            name: Membranes(ids, *(np.zeros((n_clips, steps, ids.size)) for _ in range(3)))
            for name, ids in chosen.items()
        }
        self.watched = np.concatenate(
            [np.empty(0, np.int64), *(self._cells_of[name][ids] for name, ids in chosen.items())]
        )
        self._weights: dict[str, list[np.ndarray]] = {name: [] for name in record.weights}
        self._weight_clips: dict[str, list[int]] = {name: [] for name in record.weights}

    def record_clip(self, clip: int, worker: Worker, n_spikes: int, intensity: float) -> None:
        """Record the clip that a worker has just run."""
        self._intensity[clip] = intensity
        cells = worker.workspace.spike_cells[:n_spikes]
        per_cell = np.bincount(cells, minlength=self._engine.layout.n_cells)
        for name, own in self._cells_of.items():
            self.counts[name][clip] = per_cell[own]
        if self._spikes:
            self._record_spikes(clip, cells, worker.workspace.spike_steps[:n_spikes])
        first = 0
        for membranes in self._membranes.values():
            chosen = slice(first, first + membranes.neurons.size)
            membranes.v_mv[clip] = worker.watch.v[:, chosen]
            membranes.g_e[clip] = worker.watch.g_e[:, chosen]
            membranes.g_i[clip] = worker.watch.g_i[:, chosen]
            first = chosen.stop

    def _record_spikes(self, clip: int, cells: np.ndarray, steps: np.ndarray) -> None:
        layout = self._engine.layout
        dt_ms = self._engine.description.simulation.timing.dt_ms
        for name in self._spikes:
            own = self._cells_of[name]
            inside = (cells >= own[0]) & (cells <= own[-1])
            self._spikes[name][clip] = Spikes(
                time_ms=steps[inside] * dt_ms, neuron=layout.neuron_of_cell[cells[inside]]
            )

    def record_thresholds(self, clips: int | slice) -> None:
        """Record the mean thresholds as they are, for one clip or for several at once."""
        for name, means in self._theta.items():
            means[clips] = self._engine.theta_mv(name).mean()

    def record_weights(self, clip: int) -> None:
        """Record the weights that are due after this clip."""
        for name, every in self._record.weights.items():
            if (clip + 1) % every == 0:
                self._weights[name].append(self._engine.weights(name).copy())
                self._weight_clips[name].append(clip + 1)

    def recording(self) -> Recording:
        """Everything that was recorded."""
        return Recording(
            counts=self.counts,
            theta_mv=self._theta,
            intensity=self._intensity,
            spikes=self._spikes,
            membranes=self._membranes,
            weights={
                name: WeightHistory(np.array(self._weight_clips[name]), np.array(snapshots))
                for name, snapshots in self._weights.items()
            },
        )


def _check(description: NetworkDescription, record: Record) -> None:
    for name in [*record.spikes, *record.membranes]:
        if name not in description.populations:
            raise SettingsError(
                f"There is no population '{name}' to record; "
                f"there are {sorted(description.populations)}."
            )
    for name, ids in record.membranes.items():
        neurons = description.populations[name].neurons
        if len(ids) and not 0 <= min(ids) <= max(ids) < neurons:
            raise SettingsError(f"'{name}' has neurons 0 to {neurons - 1}, not all of {list(ids)}.")
    for name, every in record.weights.items():
        if name not in description.connections:
            raise SettingsError(
                f"There is no connection '{name}' to record; "
                f"there are {sorted(description.connections)}."
            )
        if every < 1:
            raise SettingsError(
                f"Weights of '{name}' can be recorded every 1 or more clips, not every {every}."
            )


def _check_memory(engine: Engine, record: Record, n_clips: int) -> None:
    description = engine.description
    steps = description.simulation.timing.steps
    needed = sum(4 * n_clips * p.neurons for p in description.populations.values())
    needed += sum(24 * n_clips * steps * len(ids) for ids in record.membranes.values())
    for name, every in record.weights.items():
        needed += n_clips // every * engine.packed_weights(name).nbytes
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory // 2:
        raise SimulationError(
            f"The recording would take {needed / 2**30:.1f} GiB, more than half of the memory of "
            f"{memory / 2**30:.1f} GiB. Record fewer neurons or weights less often, or run fewer "
            "clips at a time."
        )
