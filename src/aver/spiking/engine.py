"""The flat arrays of a network, its state, and the kernel that runs one clip of it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aver.errors import SettingsError, SimulationError
from aver.execution.progress import ProgressBar, progress_bar
from aver.spiking.kernels.clip import FINE, RUNAWAY, run_clip
from aver.spiking.kernels.structures import Plasticity, State, Watch, Workspace
from aver.spiking.kernels.synapses import normalize
from aver.spiking.layout import INTEGRATORS, lay_out, new_plasticity, new_state, new_workspace
from aver.spiking.recording import Keeper, Record, Recording
from aver.spiking.stimuli import Buffers, Clips, Stimuli
from aver.spiking.topology import Connection

if TYPE_CHECKING:
    from aver.spiking.network import Network


RUNAWAY_WINDOW_MS = 100.0


@dataclass
class Worker:
    """What one thread needs to run clips: a state, lists, input spikes, watched cells."""

    state: State
    workspace: Workspace
    buffers: Buffers
    watch: Watch


class Engine:
    """A network in the arrays of the kernels.

    Parameters
    ----------
    network : Network
    weights : connection -> array [shape=(positions, fan_in, features)]
    """

    def __init__(self, network: Network, weights: Mapping[str, np.ndarray]) -> None:
        self.simulation = network.simulation
        self.names = list(network.populations)
        self.layout = lay_out(network.simulation, network.populations, network.connections)
        self.plasticity: Plasticity = new_plasticity(self.layout)
        self.state: State = new_state(self.layout)
        self.clock = 0
        for name, values in weights.items():
            self.set_weights(network.connections[name], values)
        for name, population in network.populations.items():
            start = population.homeostasis.start_mv
            self.set_theta_mv(name, np.full(population.neurons, start))

    def weights(self, connection: Connection) -> np.ndarray:
        """Copy of the weights, `[shape=(positions, fan_in, features)]`."""
        return connection.unpack(self.packed_weights(connection)).copy()

    def packed_weights(self, connection: Connection) -> np.ndarray:
        """The weights themselves, as the kernels hold them."""
        return self.plasticity.weights[self.layout.weights_of[connection.name]]

    def set_weights(self, connection: Connection, weights: np.ndarray) -> None:
        """Replace the weights of a connection."""
        self.packed_weights(connection)[:] = connection.pack(weights)
        self.touched(connection)[:] = 1

    def touched(self, connection: Connection) -> np.ndarray:
        """Flags of the cells whose weights changed since they were normalised, a view."""
        each = self.layout.connections.each[list(self.layout.weights_of).index(connection.name)]
        first = int(each["at_cells"])
        return self.plasticity.touched[first : first + int(each["blocks"] * each["row"])]

    def theta_mv(self, population: str) -> np.ndarray:
        """Adaptive thresholds of a population, `[shape=(neurons,)]`, a copy."""
        return self.plasticity.theta[self.layout.cells_of[population]]

    def set_theta_mv(self, population: str, theta_mv: np.ndarray) -> None:
        """Replace the adaptive thresholds of a population."""
        self.plasticity.theta[self.layout.cells_of[population]] = theta_mv

    def new_worker(self, state: State | None = None, watched: np.ndarray | None = None) -> Worker:
        """Everything a thread needs; ``watched`` are cells to write down step by step."""
        cells = np.empty(0, np.int64) if watched is None else watched
        steps = self.layout.steps
        return Worker(
            state=new_state(self.layout) if state is None else state,
            workspace=new_workspace(self.layout),
            buffers=Buffers(np.zeros((len(self.layout.weights_of), steps + 1), np.int64)),
            watch=Watch(cells, *(np.zeros((steps, cells.size)) for _ in range(3))),
        )

    def run_clip(
        self, worker: Worker, clip: int, clock: int, learns: np.ndarray, adapts: np.ndarray
    ) -> int:
        """Run the clip whose input spikes are in the worker's buffers; return its spikes.

        Raises
        ------
        SimulationError
            If a population ran away; the message names the clip.
        """
        simulation = self.simulation
        if learns.any():
            normalize(learns, self.layout.connections, self.plasticity)
        n_spikes, end, where = run_clip(
            clock,
            simulation.timing.stimulus_steps,
            INTEGRATORS[simulation.integrator],
            simulation.between_clips == "carry",
            simulation.runaway_share or 0.0,
            max(simulation.timing.in_steps(RUNAWAY_WINDOW_MS), 1),
            learns,
            adapts,
            worker.buffers.begins,
            worker.buffers.arriving,
            self.layout.populations,
            self.layout.connections,
            worker.state,
            self.plasticity,
            worker.workspace,
            self.layout.neuron_of_cell,
            worker.watch,
        )
        if end != FINE:
            what = (
                "ran away: its neurons fire nearly as often as their refractory period allows"
                if end == RUNAWAY
                else "left all bounds: a membrane potential is no longer a sensible number"
            )
            advice = (
                "Choose the integrator 'implicit-euler'"
                if simulation.integrator == "forward-euler"
                else "Lower the intensity, the rates or normal_sum, or strengthen the inhibition"
            )
            spoiled = " What this run has learned is spoiled; load a saved state."
            raise SimulationError(
                f"In clip {clip} the population '{self.names[where]}' {what}. {advice}."
                + (spoiled if learns.any() else "")
            )
        return int(n_spikes)


def run_clips(
    network: Network,
    clips: Clips,
    learn: bool | Collection[str],
    record: Record,
    threads: int | None,
    first_clip: int,
    clip_numbers: Sequence[int] | None,
) -> Recording:
    """Show clips to a network; see :meth:`aver.spiking.network.Network.run`."""
    learns, adapts = _what_learns(network, learn)
    learning = bool(learns.any())
    stimuli = Stimuli(
        clips,
        network.sources,
        network.connections,
        network.simulation.timing,
        network.seed,
        learning,
        network.streams,
    )
    if threads is not None and threads < 1:
        raise SettingsError(f"A run needs at least one thread, not {threads}.")
    numbers = _numbers(stimuli.n_clips, first_clip, clip_numbers, learning)
    engine = network.engine
    keeper = Keeper(network, record, stimuli.n_clips)
    session = _Session(network, engine, stimuli, keeper, learns, adapts, learning)
    with progress_bar("Learning" if learning else "Running", stimuli.n_clips) as bar:
        if learning or network.simulation.between_clips == "carry":
            session.one_after_another(numbers, bar)
        else:
            session.side_by_side(numbers, threads or os.cpu_count() or 1, bar)
    return keeper.recording()


def _what_learns(network: Network, learn: bool | Collection[str]) -> tuple[np.ndarray, np.ndarray]:
    """Flags of the connections whose weights, and the populations whose thresholds, change."""
    if isinstance(learn, bool):
        names = set(network.connections) if learn else set()
    else:
        names = {learn} if isinstance(learn, str) else set(learn)
    for name in names - set(network.connections):
        raise SettingsError(
            f"There is no connection '{name}' to learn; there are {sorted(network.connections)}."
        )
    connections = network.connections.values()
    learns = np.array([c.name in names and c.rule is not None for c in connections], np.uint8)
    taught = {c.target for c, flag in zip(connections, learns, strict=True) if flag}
    return learns, np.array([name in taught for name in network.populations], np.uint8)


def _numbers(
    n_clips: int, first_clip: int, clip_numbers: Sequence[int] | None, learning: bool
) -> Sequence[int]:
    """Number of each clip of a frozen run, which chooses its random stream."""
    if clip_numbers is None:
        return range(first_clip, first_clip + n_clips)
    if learning:
        raise SettingsError("Clips that are learned are counted by the network: no clip_numbers.")
    if len(clip_numbers) != n_clips:
        raise SettingsError(f"There are {len(clip_numbers)} clip_numbers for {n_clips} clips.")
    if n_clips and not 0 <= min(clip_numbers) <= max(clip_numbers) <= 2**48:
        raise SettingsError("clip_numbers must lie between 0 and 2**48.")
    return [int(number) for number in clip_numbers]


class _Session:
    """One run: which clips are shown, who learns, who writes down."""

    def __init__(
        self,
        network: Network,
        engine: Engine,
        stimuli: Stimuli,
        keeper: Keeper,
        learns: np.ndarray,
        adapts: np.ndarray,
        learning: bool,
    ) -> None:
        self._network, self._engine = network, engine
        self._stimuli, self._keeper = stimuli, keeper
        self._learns, self._adapts = learns, adapts
        self._learning = learning

    def one_after_another(self, numbers: Sequence[int], bar: ProgressBar) -> None:
        """Run clips in order on the network's own state."""
        worker = self._engine.new_worker(self._engine.state, self._keeper.watched)
        for clip in range(self._stimuli.n_clips):
            number = self._network.clips_learned if self._learning else numbers[clip]
            self._show(worker, clip, number)
            if self._learning:
                self._network.clips_learned += 1
                self._share_weights(clip)
            self._keeper.keep_thresholds(clip)
            self._keeper.keep_weights(clip)
            bar.advance()

    def side_by_side(self, numbers: Sequence[int], threads: int, bar: ProgressBar) -> None:
        """Run independent clips in threads; each writes its own rows of the recording."""

        def work(part: int) -> None:
            worker = self._engine.new_worker(watched=self._keeper.watched)
            for clip in range(part, self._stimuli.n_clips, threads):
                self._show(worker, clip, numbers[clip])
                bar.advance()

        self._keeper.keep_thresholds(slice(None))  # nothing learns: the same after every clip
        if threads == 1:
            work(0)
            return
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(work, part) for part in range(threads)]:
                done.result()

    def _show(self, worker: Worker, clip: int, number: int) -> None:
        """Show a clip until it stirs enough spikes, brighter each time."""
        intensity = self._network.simulation.intensity
        for showing in range(intensity.max_retries + 1):
            factor = intensity.start + showing * intensity.step
            self._stimuli.draw(clip, number, showing, factor, worker.buffers)
            clock = self._engine.clock
            spikes = self._engine.run_clip(worker, clip, clock, self._learns, self._adapts)
            if worker.state is self._engine.state:
                self._engine.clock += self._engine.layout.steps
            if spikes >= intensity.fewest_spikes or not self._stimuli.can_brighten(clip):
                break
        self._keeper.keep(clip, worker, spikes, factor)

    def _share_weights(self, clip: int) -> None:
        """Give all neurons of a feature map the weights of its most active neuron."""
        for connection, learns in zip(
            self._network.connections.values(), self._learns, strict=True
        ):
            if not learns or connection.sharing == "none":
                continue
            population = connection.population
            counts = self._keeper.counts[connection.target][clip]
            counts = counts.reshape(population.positions, population.features)
            stirred = np.flatnonzero(counts.max(axis=0))
            weights = connection.unpack(self._engine.packed_weights(connection))
            weights[:, :, stirred] = weights[counts.argmax(axis=0)[stirred], :, stirred].T
            self._engine.touched(connection)[:] = 1
