"""`RecurrentNetwork`: picture and sound at once, their excitatory layers joined both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from aver.errors import SettingsError
from aver.models.snn_cross_modal.network import STREAMS
from aver.models.snn_cross_modal.settings import DynamicsSettings
from aver.spiking import Network, Record, Spikes, Windows
from aver.training.seeding import derived_seed

MODALITIES = ("video", "audio")
"""In the order of their numbers in `ClipSpikes.modality`."""


@dataclass(frozen=True, eq=False)
class ClipSpikes:
    """Spikes of the excitatory neurons of one clip, in order of time.

    Parameters
    ----------
    modality : np.ndarray [shape=(spikes,), dtype=int, index into `MODALITIES`]
    position : np.ndarray [shape=(spikes,), dtype=int]
        Window position of the neuron.
    feature_map : np.ndarray [shape=(spikes,), dtype=int]
        Which of the neurons at that position.
    time_ms : np.ndarray [shape=(spikes,), dtype=float64]
        From the beginning of the clip.

    Examples
    --------
    >>> spikes = ClipSpikes.of({"audio": Spikes([7.0, 3.5], [20, 1])}, maps=20)
    >>> spikes.position.tolist(), spikes.feature_map.tolist(), spikes.time_ms.tolist()
    ([0, 1], [1, 0], [3.5, 7.0])
    """

    modality: np.ndarray
    position: np.ndarray
    feature_map: np.ndarray
    time_ms: np.ndarray

    @classmethod
    def of(cls, spikes: Mapping[str, Spikes], maps: int) -> ClipSpikes:
        """Join what the engine recorded in populations named after the modalities.

        Parameters
        ----------
        spikes : mapping of {"video", "audio"} to Spikes
        maps : int >= 1
            Neurons at each window position.
        """
        present = [name for name in MODALITIES if name in spikes]
        neuron = np.concatenate([np.zeros(0, np.int64), *(spikes[m].neuron for m in present)])
        modality = np.concatenate(
            [np.zeros(0, np.int64)]
            + [np.full(len(spikes[m]), MODALITIES.index(m)) for m in present]
        )
        time_ms = np.concatenate([np.zeros(0), *(spikes[m].time_ms for m in present)])
        order = np.argsort(time_ms, kind="stable")
        return cls(modality[order], neuron[order] // maps, neuron[order] % maps, time_ms[order])

    def __len__(self) -> int:
        return int(self.time_ms.size)

    def only(self, modality: str) -> ClipSpikes:
        """The spikes of one modality."""
        kept = self.modality == MODALITIES.index(modality)
        return ClipSpikes(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))

    def shuffled(self, chance: np.random.Generator) -> ClipSpikes:
        """The same neurons with the same numbers of spikes, their times dealt out anew.

        Synchrony beyond what the numbers of spikes make of themselves is gone.
        """
        dealt = replace(self, time_ms=chance.permutation(self.time_ms))
        order = np.argsort(dealt.time_ms, kind="stable")
        return ClipSpikes(*(getattr(dealt, name)[order] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class RecurrentSettings:
    """The spiking network.

    Parameters
    ----------
    maps : int >= 1
        Neurons at each window position.
    dynamics : DynamicsSettings
        Constants of neurons, synapses and learning, of both modalities.
    lag_ms : float >= 0
        How much later than the picture the sound sets in.
    link_gain : float >= 0
        Sum of the weights from the other modality onto a neuron, as a share of the sum of those
        from its input; 0 leaves the modalities unconnected.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020, Implementation and Network Configuration: 20 features,
    audio 5 ms late, recurrent connections at the excitatory layer.
    Differs from the paper: it does not print the strength of the recurrent connections; as between
    the networks of paper 1, they are all-to-all, plastic, start like those of the input and are
    normalised as a group of their own.
    """

    maps: int = 20
    dynamics: DynamicsSettings = field(default_factory=lambda: DynamicsSettings("paper-2"))
    lag_ms: float = 5.0
    link_gain: float = 0.5

    def __post_init__(self) -> None:
        if self.maps < 1:
            raise SettingsError(f"maps must be at least 1; it is {self.maps}.")
        if not (self.link_gain >= 0 and self.lag_ms >= 0):
            raise SettingsError(
                f"link_gain and lag_ms must not be negative; they are {self.link_gain} and "
                f"{self.lag_ms}."
            )


@dataclass(frozen=True)
class Layer:
    """One modality of the network: the shape of its input, and its windows."""

    shape: tuple[int, ...]
    windows: Windows

    @property
    def positions(self) -> int:
        """Number of window positions."""
        return self.windows.positions(self.shape)


class RecurrentNetwork:
    """Learns without labels; then says who fires when.

    Parameters
    ----------
    settings : RecurrentSettings
    layers : mapping of {"video", "audio"} to Layer
        A single modality has nothing to be joined with.
    seed : int
    """

    def __init__(
        self, settings: RecurrentSettings, layers: Mapping[str, Layer], seed: int = 0
    ) -> None:
        self.settings, self.layers, self.seed = settings, dict(layers), seed
        self.network = self._build()

    @property
    def positions(self) -> dict[str, int]:
        """Window positions of each modality."""
        return {name: layer.positions for name, layer in self.layers.items()}

    def learn(self, rates: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Show training clips, in an order drawn from the seed; weights and thresholds adapt.

        Parameters
        ----------
        rates : sequence of mapping of modality to np.ndarray
            Rates in Hz, in the layer's shape or with frames in front; a clip that lacks a modality
            gets none from it.
        """
        chance = np.random.default_rng(derived_seed(self.seed, "order of clips"))
        for _ in range(self.settings.dynamics.resolve().passes):
            order = chance.permutation(len(rates))
            shown = {
                self._input(name): [self._shown(rates[k], name) for k in order]
                for name in self.layers
            }
            self.network.run(shown, learn=True)

    def observe(
        self, rates: Sequence[Mapping[str, np.ndarray]], clip_ids: Sequence[str]
    ) -> list[ClipSpikes]:
        """Show clips to the frozen network.

        Input spikes of a clip depend on its id alone, not on the clips around it. Spikes of a
        modality that a clip lacks, which the other one may have stirred, are left out.
        """
        recording = self.network.run(
            {self._input(name): [self._shown(one, name) for one in rates] for name in self.layers},
            learn=False,
            record=Record(spikes=tuple(self.layers)),
            threads=1,
            clip_numbers=[derived_seed(self.seed, clip_id) >> 8 for clip_id in clip_ids],
        )
        return [
            ClipSpikes.of(
                {name: recording.spikes[name][place] for name in self.layers if name in one},
                self.settings.maps,
            )
            for place, one in enumerate(rates)
        ]

    def arrays(self) -> dict[str, np.ndarray]:
        """All that was learnt, for a checkpoint."""
        weights = {f"weights/{name}": self.network.weights(name) for name in self._connections}
        return weights | {f"theta/{name}": self.network.theta_mv(name) for name in self.layers}

    def set_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take up what `arrays` gave.

        Raises
        ------
        SimulationError
            If a shape does not fit.
        """
        for name in self._connections:
            self.network.set_weights(name, arrays[f"weights/{name}"])
        for name in self.layers:
            self.network.set_theta_mv(name, arrays[f"theta/{name}"])

    @property
    def _connections(self) -> tuple[str, ...]:
        return tuple(self.network.connections)

    @staticmethod
    def _input(modality: str) -> str:
        return f"{modality} input"

    def _shown(self, rates: Mapping[str, np.ndarray], name: str) -> np.ndarray:
        return rates[name] if name in rates else np.zeros(self.layers[name].shape)

    def _build(self) -> Network:
        chosen, constants = self.settings, self.settings.dynamics.resolve()
        named = [name for name in MODALITIES if name in self.layers]
        network = Network(constants.simulation, self.seed, _streams(named))
        totals = {}
        for name in named:
            layer = self.layers[name]
            totals[name] = chosen.dynamics.sum_per_input * float(np.prod(layer.windows.size))
            lag_ms = chosen.lag_ms if name == "audio" and len(named) > 1 else 0.0
            network.add_source(self._input(name), layer.shape, lag_ms)
            network.add_population(name, constants.population(chosen.maps, layer.positions))
            network.connect(
                self._input(name),
                name,
                constants.rule,
                layer.windows,
                totals[name],
                chosen.dynamics.sharing,
            )
        if len(named) > 1 and chosen.link_gain > 0:
            for source, target in (named, named[::-1]):
                total = chosen.link_gain * totals[target]
                network.connect(source, target, constants.rule, normal_sum=total)
        return network


def _streams(modalities: Sequence[str]) -> dict[str, str]:
    """Names of the random streams, which are those of version 0.1."""
    named = {}
    for one in modalities:
        named[f"{one} input"] = f"{STREAMS[one]} input"
        named[f"{one} input->{one}"] = f"{STREAMS[one]} input->{STREAMS[one]}"
        named |= {f"{one}->{other}": f"{STREAMS[one]}->{STREAMS[other]}" for other in modalities}
    return named
