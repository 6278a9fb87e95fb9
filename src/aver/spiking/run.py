"""`run_clips`: show clips to an engine, learning one by one or frozen in parallel."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from aver.errors import SettingsError
from aver.execution.progress import ProgressBar, progress_bar
from aver.spiking.engine import Engine, Worker
from aver.spiking.recording import Record, Recorder, Recording
from aver.spiking.spikes import Clips
from aver.spiking.stimuli import Stimuli
from aver.spiking.topology import NetworkDescription


def run_clips(
    engine: Engine,
    clips: Clips,
    learn: bool | Collection[str],
    record: Record,
    threads: int | None,
    first_clip: int,
    clip_numbers: Sequence[int] | None,
) -> Recording:
    """Show clips to a network; see :meth:`aver.spiking.network.Network.run`."""
    description = engine.description
    learns, adapts = _what_learns(description, learn)
    learning = bool(learns.any())
    stimuli = Stimuli(clips, description, learning)
    if threads is not None and threads < 1:
        raise SettingsError(f"A run needs at least one thread, not {threads}.")
    numbers = _numbers(stimuli.n_clips, first_clip, clip_numbers, learning)
    recorder = Recorder(engine, record, stimuli.n_clips)
    run = _Run(engine, stimuli, recorder, learns, adapts)
    with progress_bar("Learning" if learning else "Running", stimuli.n_clips, "clips") as bar:
        if learning or description.simulation.between_clips == "carry":
            run.in_order(numbers, bar)
        else:
            run.in_parallel(numbers, threads or os.cpu_count() or 1, bar)
    return recorder.recording()


def _what_learns(
    description: NetworkDescription, learn: bool | Collection[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Flags of the connections whose weights, and the populations whose thresholds, change."""
    connections = description.connections
    if isinstance(learn, bool):
        names = set(connections) if learn else set()
    else:
        names = {learn} if isinstance(learn, str) else set(learn)
    for name in names - set(connections):
        raise SettingsError(
            f"There is no connection '{name}' that could learn; there are {sorted(connections)}."
        )
    learns = np.array(
        [c.name in names and c.rule is not None for c in connections.values()], np.uint8
    )
    targets = {c.target for c, flag in zip(connections.values(), learns, strict=True) if flag}
    return learns, np.array([name in targets for name in description.populations], np.uint8)


def _numbers(
    n_clips: int, first_clip: int, clip_numbers: Sequence[int] | None, learning: bool
) -> Sequence[int]:
    """Number of each clip of a frozen run, which chooses its random stream."""
    if clip_numbers is None:
        return range(first_clip, first_clip + n_clips)
    if learning:
        raise SettingsError(
            "A learning run counts its clips itself. Leave out clip_numbers, or set learn=False."
        )
    if len(clip_numbers) != n_clips:
        raise SettingsError(f"There are {len(clip_numbers)} clip_numbers for {n_clips} clips.")
    if n_clips and not 0 <= min(clip_numbers) <= max(clip_numbers) <= 2**48:
        raise SettingsError("clip_numbers must lie between 0 and 2**48.")
    return [int(number) for number in clip_numbers]


class _Run:
    """One run: the clips that are shown, the flags of what learns, and the recorder."""

    def __init__(
        self,
        engine: Engine,
        stimuli: Stimuli,
        recorder: Recorder,
        learns: np.ndarray,
        adapts: np.ndarray,
    ) -> None:
        self._engine, self._stimuli, self._recorder = engine, stimuli, recorder
        self._learns, self._adapts = learns, adapts
        self._learning = bool(learns.any())

    def in_order(self, numbers: Sequence[int], bar: ProgressBar) -> None:
        """Run clips one after another on the engine's own state."""
        worker = self._engine.new_worker(self._engine.state, self._recorder.watched)
        for clip in range(self._stimuli.n_clips):
            number = self._engine.clips_learned if self._learning else numbers[clip]
            self._show(worker, clip, number)
            if self._learning:
                self._engine.clips_learned += 1
                self._share_weights(clip)
            self._recorder.record_thresholds(clip)
            self._recorder.record_weights(clip)
            bar.advance()

    def in_parallel(self, numbers: Sequence[int], threads: int, bar: ProgressBar) -> None:
        """Run independent clips in threads; each writes its own rows of the recording."""

        def work(first: int) -> None:
            worker = self._engine.new_worker(watched=self._recorder.watched)
            for clip in range(first, self._stimuli.n_clips, threads):
                self._show(worker, clip, numbers[clip])
                bar.advance()

        self._recorder.record_thresholds(slice(None))  # nothing learns: the same after every clip
        if threads == 1:
            work(0)
            return
        with ThreadPoolExecutor(threads) as pool:
            for future in [pool.submit(work, first) for first in range(threads)]:
                future.result()

    def _show(self, worker: Worker, clip: int, number: int) -> None:
        """Show a clip, at a higher intensity each time, until there are enough spikes."""
        engine, intensity = self._engine, self._engine.description.simulation.intensity
        for showing in range(intensity.max_retries + 1):
            factor = intensity.start + showing * intensity.step
            self._stimuli.draw(clip, number, showing, factor, worker.buffers)
            spikes = engine.run_clip(worker, clip, engine.clock, self._learns, self._adapts)
            if worker.state is engine.state:
                engine.clock += engine.layout.steps
            if spikes >= intensity.fewest_spikes or not self._stimuli.has_rates(clip):
                break
        self._recorder.record_clip(clip, worker, spikes, factor)

    def _share_weights(self, clip: int) -> None:
        """Give all neurons of a feature map the weights of its most active neuron."""
        connections = self._engine.description.connections.values()
        for connection, learns in zip(connections, self._learns, strict=True):
            if not learns or connection.sharing == "none":
                continue
            population = connection.population
            counts = self._recorder.counts[connection.target][clip]
            counts = counts.reshape(population.positions, population.features)
            active = np.flatnonzero(counts.max(axis=0))
            weights = self._engine.weights(
                connection.name
            )  # a view: shared connections have windows
            weights[:, :, active] = weights[counts.argmax(axis=0)[active], :, active].T
            self._engine.touched(connection.name)[:] = 1
