"""A run over clips: one after another while learning, side by side when frozen."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from aver.errors import SettingsError
from aver.execution.progress import ProgressBar, progress_bar
from aver.spiking.engine import Engine, Worker
from aver.spiking.keeper import Keeper
from aver.spiking.recording import Record, Recording
from aver.spiking.spikes import Clips
from aver.spiking.stimuli import Stimuli

if TYPE_CHECKING:
    from aver.spiking.network import Network


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
        for showing in range(intensity.most_retries + 1):
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
