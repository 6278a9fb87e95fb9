"""`Network`: sources, populations and connections that are assembled, trained and run."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from aver.errors import SettingsError, SimulationError
from aver.spiking.parameters import Simulation
from aver.spiking.recording import Record, Recording
from aver.spiking.rules import LearningRule, TripletRule
from aver.spiking.spikes import Clips, stream_key
from aver.spiking.topology import (
    NORMAL_SUM_PER_INPUT,
    Connection,
    NetworkDescription,
    Population,
    Source,
    Windows,
)

if TYPE_CHECKING:
    from aver.spiking.engine import Engine


class Network:
    """Populations of spiking neurons that learn from clips, one after another.

    Parameters
    ----------
    simulation : Simulation, optional
        Integrator, timing, intensity; by default those of Diehl & Cook.
    seed : int
        Of initial weights and input spikes. The same seed gives the same result for any number of
        threads. The random numbers of a source or a connection depend on its own name only.
    streams : mapping of str to str, optional
        Names of the random streams of sources and connections, if not their own names, so that a
        network keeps its random numbers if a source is renamed.

    Examples
    --------
    >>> import numpy as np
    >>> network = Network(seed=1)
    >>> network.add_source("pixels", shape=(8, 8))
    >>> network.add_population("layer", Population(features=10))
    >>> network.connect("pixels", "layer")
    >>> images = np.random.default_rng(0).uniform(0, 255, (3, 8, 8))  # rates in Hz
    >>> network.run({"pixels": images}, learn=True).counts["layer"].shape
    (3, 10)
    """

    def __init__(
        self,
        simulation: Simulation | None = None,
        seed: int = 0,
        streams: Mapping[str, str] | None = None,
    ) -> None:
        self.simulation = simulation or Simulation()
        self.seed = seed
        self.streams = dict(streams or {})
        self.sources: dict[str, Source] = {}
        self.populations: dict[str, Population] = {}
        self.connections: dict[str, Connection] = {}
        self._initial_weights: dict[str, np.ndarray] = {}
        self._engine: Engine | None = None

    def add_source(self, name: str, shape: tuple[int, ...], lag_ms: float = 0.0) -> None:
        """Add external input of this shape, which sets in ``lag_ms`` after a clip begins.

        Raises
        ------
        SettingsError
            If the input would last beyond the rest.
        """
        self._check_new(name)
        rest_ms = self.simulation.timing.rest_ms
        if lag_ms > rest_ms:
            raise SettingsError(
                f"The source '{name}' sets in {lag_ms:g} ms late and would last beyond the rest of "
                f"{rest_ms:g} ms. Choose a shorter lag or a longer rest."
            )
        self.sources[name] = Source(tuple(shape), lag_ms)

    def add_population(self, name: str, population: Population) -> None:
        """Add a population of neurons."""
        self._check_new(name)
        self.populations[name] = population

    def connect(
        self,
        source: str,
        target: str,
        rule: LearningRule | None = TripletRule(),  # noqa: B008 - frozen
        windows: Windows | None = None,
        normal_sum: float | Literal["fan-in"] | None = "fan-in",
        sharing: Literal["none", "winner"] = "none",
        delay_ms: float | np.ndarray = 0.0,
        weights: np.ndarray | None = None,
    ) -> None:
        """Connect a source or a population to a population; the connection is ``source->target``.

        Parameters
        ----------
        source, target : str
        rule : learning rule or None
            None: the weights never change.
        windows : Windows or None
            Over the source, one position per position of the target. None: every source neuron is
            connected to every target neuron.
        normal_sum : float > 0, "fan-in" (78 / 784 per input) or None
            Before each learned clip, the weights onto a neuron are scaled to this sum; none exceeds
            the bound of its rule.
        sharing : {"none", "winner"}
            ``winner``: after each learned clip all neurons of a feature map take the weights of
            its most active neuron.
        delay_ms : float or array [shape=(source neurons,)]
            Axonal delays.
        weights : array [shape=(positions, fan_in, features)] or None
            None: the initial weights of Diehl & Cook, 0.3 (u + 0.01) with u uniform in [0, 1).

        Raises
        ------
        SettingsError
            If names are unknown, windows do not fit, or a value is out of range.
        """
        self._check_open()
        connection = Connection(
            source=source,
            target=target,
            source_shape=self._shape_of(source),
            population=self._population(target),
            rule=rule,
            windows=windows,
            normal_sum=None,
            sharing=sharing,
            delay_ms=self._delays(source, delay_ms),
        )
        self._check_connection(connection)
        if normal_sum == "fan-in":
            normal_sum = NORMAL_SUM_PER_INPUT * connection.fan_in
        if normal_sum is not None and not 0 < normal_sum < np.inf:
            raise SettingsError(f"normal_sum must be positive and finite, not {normal_sum}.")
        connection = replace(connection, normal_sum=normal_sum)
        if weights is None:
            rng = np.random.default_rng(
                stream_key(self.seed, "weights", self.streams.get(connection.name, connection.name))
            )
            shape = (connection.population.positions, connection.fan_in)
            weights = 0.3 * (rng.random((*shape, connection.population.features)) + 0.01)
        self._initial_weights[connection.name] = self._checked_weights(connection, weights)
        self.connections[connection.name] = connection

    def weights(self, connection: str) -> np.ndarray:
        """Copy of the weights, `[shape=(positions, fan_in, features), float32]`."""
        self._connection(connection)
        return self.engine.weights(connection).copy()

    def set_weights(self, connection: str, weights: np.ndarray) -> None:
        """Replace the weights of a connection, in the shape that :meth:`weights` gives."""
        checked = self._checked_weights(self._connection(connection), weights)
        self.engine.set_weights(connection, checked)

    def theta_mv(self, population: str) -> np.ndarray:
        """Copy of the adaptive thresholds, `[shape=(neurons,)]`."""
        self._population(population)
        return self.engine.theta_mv(population)

    def set_theta_mv(self, population: str, theta_mv: np.ndarray) -> None:
        """Replace the adaptive thresholds of a population."""
        neurons = self._population(population).neurons
        values = np.asarray(theta_mv, dtype=np.float64)
        if values.shape != (neurons,) or not np.isfinite(values).all():
            raise SimulationError(
                f"Thresholds of '{population}' must be {neurons} finite numbers, not an array of "
                f"shape {values.shape}."
            )
        self.engine.set_theta_mv(population, values)

    def run(
        self,
        clips: Clips,
        learn: bool | Collection[str] = True,
        record: Record | None = None,
        threads: int | None = None,
        first_clip: int = 0,
        clip_numbers: Sequence[int] | None = None,
    ) -> Recording:
        """Show clips to the network.

        Parameters
        ----------
        clips : mapping of source to one item per clip
            Rates in Hz (of the source's shape, or frames in front of it) or :class:`Spikes`.
        learn : bool or names of connections
            The connections that learn; all others stay frozen. Thresholds adapt in populations
            whose incoming connections learn. Clips are learned one after another. With False the
            network does not change.
        record : Record, optional
            What to record besides counts.
        threads : int >= 1 or None
            None: all cores. Only frozen runs of independent clips use more than one.
        first_clip : int
            Number of the first clip in a frozen run. Numbers choose the random streams, so that
            several runs over parts of the clips equal one run; the network counts learned clips.
        clip_numbers : sequence of int, 0 to 2**48, or None
            In a frozen run, the number of each clip, in place of counting from `first_clip`: the
            spikes of a clip then do not depend on its index among the clips.

        Raises
        ------
        SettingsError
            If there is not one number for each clip, or the run learns.
        SimulationError
            If the clips do not fit (before the run starts), the recording is too large for memory,
            or the network runs away.
        """
        from aver.spiking.run import run_clips

        return run_clips(
            self.engine, clips, learn, record or Record(), threads, first_clip, clip_numbers
        )

    @property
    def clips_learned(self) -> int:
        """Number of clips that the network has learned from."""
        return 0 if self._engine is None else self._engine.clips_learned

    @property
    def engine(self) -> Engine:
        """The compiled network; once it exists, the network can no longer be extended."""
        if self._engine is None:
            from aver.spiking.engine import Engine  # imports numba

            if not self.connections:
                raise SimulationError("The network has no connections. Add some with connect.")
            description = NetworkDescription(
                simulation=self.simulation,
                seed=self.seed,
                streams=self.streams,
                sources=self.sources,
                populations=self.populations,
                connections=self.connections,
            )
            self._engine = Engine(description, self._initial_weights)
            self._initial_weights = {}
        return self._engine

    def _check_open(self) -> None:
        if self._engine is not None:
            raise SettingsError(
                "A network that has run cannot be extended. Add everything before the first run."
            )

    def _check_new(self, name: str) -> None:
        self._check_open()
        if name in self.sources or name in self.populations:
            raise SettingsError(f"The network already has a source or population '{name}'.")

    def _population(self, name: str) -> Population:
        if name not in self.populations:
            raise SettingsError(
                f"There is no population '{name}'; there are {sorted(self.populations)}."
            )
        return self.populations[name]

    def _connection(self, name: str) -> Connection:
        if name not in self.connections:
            raise SettingsError(
                f"There is no connection '{name}'; there are {sorted(self.connections)}."
            )
        return self.connections[name]

    def _shape_of(self, name: str) -> tuple[int, ...]:
        if name in self.sources:
            return self.sources[name].shape
        return (self._population(name).neurons,)

    def _delays(self, source: str, delay_ms: float | np.ndarray) -> np.ndarray:
        neurons = int(np.prod(self._shape_of(source)))
        delays = np.asarray(delay_ms, dtype=np.float64)
        if delays.shape not in ((), (neurons,)):
            raise SettingsError(
                f"Delays from '{source}' must be one number or {neurons} numbers, not an array "
                f"of shape {delays.shape}."
            )
        # What arrives in the rest still counts; beyond the end of the clip it would be lost.
        longest = self.simulation.timing.rest_ms
        if source in self.sources:
            longest -= self.sources[source].lag_ms
        if not np.isfinite(delays).all() or delays.min() < 0 or delays.max() > longest:
            raise SettingsError(
                f"Delays from '{source}' must lie between 0 and the {longest:g} ms that the rest "
                f"leaves; they run from {delays.min():g} to {delays.max():g} ms."
            )
        return np.broadcast_to(delays, (neurons,)).copy()

    def _check_connection(self, connection: Connection) -> None:
        name, population = connection.name, connection.population
        if connection.source == connection.target:
            raise SettingsError(f"The population '{connection.source}' cannot connect to itself.")
        if name in self.connections:
            raise SettingsError(f"The network already has a connection '{name}'.")
        if connection.sharing not in ("none", "winner"):
            raise SettingsError(
                f"There is no weight sharing '{connection.sharing}'. Choose 'none' or 'winner'."
            )
        if connection.windows is None:
            if connection.sharing == "winner":
                raise SettingsError(
                    f"'{name}' has no windows, so that there is nothing to share weights between."
                )
            return
        positions = connection.windows.positions(connection.source_shape)
        if positions != population.positions:
            raise SettingsError(
                f"The windows of '{name}' have {positions} positions, but the population "
                f"'{connection.target}' has {population.positions}."
            )

    @staticmethod
    def _checked_weights(connection: Connection, weights: np.ndarray) -> np.ndarray:
        population = connection.population
        shape = (population.positions, connection.fan_in, population.features)
        values = np.asarray(weights, dtype=np.float32)
        if values.shape != shape:
            raise SimulationError(
                f"Weights of '{connection.name}' must have the shape {shape} (positions, fan-in, "
                f"features), not {values.shape}."
            )
        if not np.isfinite(values).all() or values.min() < 0:
            raise SimulationError(
                f"Weights of '{connection.name}' must be finite and not negative."
            )
        if values.max() > connection.highest_weight:
            raise SimulationError(
                f"A weight of '{connection.name}' is {values.max():g}, above the highest weight "
                f"{connection.highest_weight:g} of its rule."
            )
        return values


T = TypeVar("T")


def run_independent(runs: Sequence[Callable[[], T]], threads: int | None = None) -> list[T]:
    """Call each function in a thread of its own and return the results in order.

    The kernels release Python's global lock, so that threads run in parallel. Two functions must
    not use the same network.

    Parameters
    ----------
    runs : sequence of callables without arguments
    threads : int >= 1, or None for all cores

    Examples
    --------
    >>> run_independent([lambda: "audio", lambda: "video"])
    ['audio', 'video']
    """
    if threads is not None and threads < 1:
        raise SettingsError(f"Runs need at least one thread, not {threads}.")
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return [future.result() for future in [pool.submit(run) for run in runs]]
