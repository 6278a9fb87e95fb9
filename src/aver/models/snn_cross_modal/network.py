"""`SpikingLayer`: a network of one population that learns from clips without labels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aver.models.snn_cross_modal.settings import DynamicsSettings
from aver.spiking.network import Network
from aver.spiking.recording import Record, Recording
from aver.spiking.spikes import Clips, Spikes
from aver.spiking.topology import Windows

AUDIO, VIDEO = "audio", "video"

STREAMS = {"audio": "sound", "video": "video"}
"""Modality to the name of its random numbers, which is that of version 0.1: the same seed gives the
same spikes."""
BOTH = "both"
"""The view of a clip that all modalities together give."""


@dataclass(frozen=True, eq=False)
class View:
    """What one population has to say about some clips.

    Parameters
    ----------
    rows : np.ndarray of int [shape=(clips seen,)]
        Which of the clips asked for.
    counts : np.ndarray of int [shape=(clips seen, neurons)]
        Spikes of each neuron.
    """

    rows: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True, eq=False)
class ClipRates:
    """Clips as the layers see them.

    Parameters
    ----------
    names : tuple of str
        Ids of the clips.
    rates_hz : mapping of str to list of np.ndarray or None
        By modality; None where a clip lacks it.
    """

    names: tuple[str, ...]
    rates_hz: Mapping[str, list[np.ndarray | None]]

    def rows(self, *modalities: str) -> np.ndarray:
        """The clips that have all these modalities."""
        return np.array(
            [
                row
                for row in range(len(self.names))
                if all(self.rates_hz[modality][row] is not None for modality in modalities)
            ],
            dtype=int,
        )

    def first(self, count: int) -> ClipRates:
        """The first so many clips."""
        return ClipRates(
            self.names[:count],
            {modality: found[:count] for modality, found in self.rates_hz.items()},
        )

    def take(self, modality: str, rows: np.ndarray) -> list[np.ndarray]:
        """Rates of some clips that have this modality."""
        taken = [self.rates_hz[modality][row] for row in rows]
        return [rates for rates in taken if rates is not None]

    def first_complete(self) -> ClipRates:
        """The first clip with all modalities, alone; no clip where there is none."""
        rows = self.rows(*self.rates_hz)[:1]
        return ClipRates(
            tuple(self.named(rows)),
            {modality: [found[row] for row in rows] for modality, found in self.rates_hz.items()},
        )

    def named(self, rows: np.ndarray) -> list[str]:
        """Ids of some clips."""
        return [self.names[row] for row in rows]


POPULATION, INPUT = "layer", "input"


@dataclass(frozen=True)
class Link:
    """Spikes of another layer that arrive over plastic connections, all to all.

    Parameters
    ----------
    neurons : int
        Of the other layer.
    normal_sum : float > 0
        What each neuron's weights of this link add up to.
    """

    neurons: int
    normal_sum: float


class SpikingLayer:
    """Input cut in windows, competing neurons, and links from other layers.

    Parameters
    ----------
    dynamics : DynamicsSettings
    features : int
        Neurons at each window position.
    input_shape : (rows, columns), or None
        None for a layer that has links only.
    windows : Windows, or None
        Over the input.
    links : mapping of str to Link
        By the name under which their spikes come.
    lag_ms : float
        How long after the beginning of a clip the input sets in.
    seed : int
    threads : int >= 1
        Clips shown at the same time to the frozen layer; what they stir does not depend on it.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, sections IV-A, IV-B and V-C.
    """

    def __init__(
        self,
        dynamics: DynamicsSettings,
        features: int,
        *,
        input_shape: tuple[int, int] | None = None,
        windows: Windows | None = None,
        links: Mapping[str, Link] | None = None,
        lag_ms: float = 0.0,
        seed: int = 0,
        threads: int = 1,
    ) -> None:
        self.resolved, self.threads = dynamics.resolve(), threads
        self.links = dict(links or {})
        positions = windows.positions(input_shape) if windows and input_shape else 1
        streams = {
            f"{name}{to}": f"{STREAMS[name]}{to}"
            for name in self.links
            for to in ("", f"->{POPULATION}")
        }
        self.network = Network(self.resolved.simulation, seed, streams)
        self.network.add_population(POPULATION, self.resolved.population(features, positions))
        if input_shape and windows:
            self.network.add_source(INPUT, input_shape, lag_ms=lag_ms)
            self.network.connect(
                INPUT,
                POPULATION,
                rule=self.resolved.rule,
                windows=windows,
                normal_sum=dynamics.sum_per_input * int(np.prod(windows.size)),
                sharing=dynamics.sharing,
            )
        for name, link in self.links.items():
            self.network.add_source(name, (link.neurons,))
            self.network.connect(
                name, POPULATION, rule=self.resolved.rule, normal_sum=link.normal_sum
            )

    @property
    def neurons(self) -> int:
        """Excitatory neurons."""
        return self.network.populations[POPULATION].neurons

    @property
    def positions(self) -> int:
        """Window positions."""
        return self.network.populations[POPULATION].positions

    @property
    def parameters(self) -> int:
        """Plastic weights and thresholds."""
        weights = sum(
            c.population.positions * c.fan_in * c.population.features
            for c in self.network.connections.values()
        )
        return weights + self.neurons

    def learn(self, clips: Clips, seed: int) -> None:
        """Show clips in random order, as many times as there are passes; weights change."""
        count = len(next(iter(clips.values())))
        for number in range(self.resolved.passes):
            order = np.random.default_rng([seed, number]).permutation(count)
            shuffled = {name: [items[k] for k in order] for name, items in clips.items()}
            self.network.run(shuffled, learn=True)

    def observe(self, clips: Clips, names: Sequence[str], *, spikes: bool = False) -> Recording:
        """Show clips to the frozen network.

        Parameters
        ----------
        clips : mapping of source to rates or spikes
        names : sequence of str
            Ids of the clips: a clip's input spikes depend on its own id alone.
        spikes : bool
            Keep the spikes themselves besides their counts.
        """
        record = Record(spikes=[POPULATION] if spikes else [])
        numbers = [_number(name) for name in names]
        return self.network.run(
            clips, learn=False, record=record, threads=self.threads, clip_numbers=numbers
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights and thresholds, for a checkpoint."""
        found = {f"weights/{name}": self.network.weights(name) for name in self.network.connections}
        return {**found, "theta_mv": self.network.theta_mv(POPULATION)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take the weights and thresholds that `arrays` gave.

        Raises
        ------
        ValueError
            If one is missing or foreign.
        SimulationError
            If one does not fit.
        """
        wanted = {"theta_mv", *(f"weights/{name}" for name in self.network.connections)}
        if set(arrays) != wanted:
            raise ValueError(f"{min(wanted ^ set(arrays))} is missing or foreign")
        for name in self.network.connections:
            self.network.set_weights(name, arrays[f"weights/{name}"])
        self.network.set_theta_mv(POPULATION, arrays["theta_mv"])


def silence(count: int) -> list[Spikes]:
    """No spikes, for so many clips."""
    return [Spikes(np.empty(0), np.empty(0, np.int32))] * count


def _number(name: str) -> int:
    """48 bits that belong to a clip's id."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest(), "little")
