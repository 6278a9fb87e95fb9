"""`SpikingLayers`: layers of competing neurons over windowed inputs, and plastic links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np

from aver.settings import Field, settings
from aver.spiking.network import Network
from aver.spiking.parameters import NotNegative, Positive, Reach
from aver.spiking.presets import Preset, preset
from aver.spiking.recording import Record, Recording
from aver.spiking.rules import (
    LearningRule,
    PairRule,
    PowerLawPairRule,
    TargetTraceRule,
    TripletRule,
)
from aver.spiking.spikes import Clips
from aver.spiking.topology import NORMAL_SUM_PER_INPUT, Windows

_RULES: dict[str, LearningRule] = {
    "triplet": TripletRule(),
    "pair": PairRule(),
    "target-trace": TargetTraceRule(),
    "power-law": PowerLawPairRule(),
}


@settings
class DynamicsSettings:
    """Neurons, learning and timing; None stands for the value of the published set `base`.

    Parameters
    ----------
    base : {"diehl-cook", "paper-1", "paper-2"}
        See `aver.spiking.presets.preset`.
    rule : {"triplet", "pair", "target-trace", "power-law"} or None
        Learning rule.
    reach : {"same-position", "all", "none"} or None
        Which neurons lateral inhibition reaches.
    to_excitatory : float >= 0 or None
        Strength of lateral inhibition.
    theta_step_mv : float >= 0 or None
        Rise of the threshold with each spike.
    normal_sum_per_input : float > 0 or None
        Sum of a neuron's weights per input; None: 78 / 784.
    sharing : {"none", "winner"}
        Of weights between window positions.
    intensity : float > 0 or None
        Factor on the rates at the first showing.
    max_retries : int >= 0 or None
        How often a clip with fewer than 5 spikes is shown again at a higher intensity.
    passes : int >= 1 or None
        Over the training clips.
    stimulus_ms, rest_ms, dt_ms : float or None
    """

    base: Literal["diehl-cook", "paper-1", "paper-2"] = "diehl-cook"
    rule: Literal["triplet", "pair", "target-trace", "power-law"] | None = None
    reach: Reach | None = None
    to_excitatory: NotNegative | None = None
    theta_step_mv: NotNegative | None = None
    normal_sum_per_input: Positive | None = None
    sharing: Literal["none", "winner"] = "none"
    intensity: Positive | None = None
    max_retries: Annotated[int, Field(ge=0)] | None = None
    passes: Annotated[int, Field(ge=1)] | None = None
    stimulus_ms: Positive | None = None
    rest_ms: NotNegative | None = None
    dt_ms: Positive | None = None

    def __post_init__(self) -> None:
        self.resolve()  # durations must be multiples of the time step

    def resolve(self) -> Preset:
        """All parameters, as the engine takes them."""
        base = preset(self.base)
        simulation = base.simulation
        return replace(
            base,
            rule=_RULES[self.rule] if self.rule else base.rule,
            inhibition=_changed(
                base.inhibition, reach=self.reach, to_excitatory=self.to_excitatory
            ),
            homeostasis=_changed(base.homeostasis, step_mv=self.theta_step_mv),
            passes=self.passes or base.passes,
            simulation=replace(
                simulation,
                intensity=_changed(
                    simulation.intensity, start=self.intensity, max_retries=self.max_retries
                ),
                timing=_changed(
                    simulation.timing,
                    stimulus_ms=self.stimulus_ms,
                    rest_ms=self.rest_ms,
                    dt_ms=self.dt_ms,
                ),
            ),
        )

    def normal_sum(self, inputs: int) -> float:
        """Sum of the weights onto a neuron with so many inputs."""
        return (self.normal_sum_per_input or NORMAL_SUM_PER_INPUT) * float(inputs)


def _changed(values: Any, **changes: Any) -> Any:
    return replace(values, **{name: value for name, value in changes.items() if value is not None})


@dataclass(frozen=True)
class Layer:
    """Excitatory neurons, each with an inhibitory partner, at the windows of an input.

    Parameters
    ----------
    features : int >= 1
        Neurons (feature maps) at each window position.
    shape : (rows, columns) or None
        Of the input; None for a layer that has links only.
    windows : Windows or None
        Over the input.
    source : str
        Name of the input.
    lag_ms : float >= 0
        How long after the beginning of a clip the input sets in.
    """

    features: int
    shape: tuple[int, int] | None = None
    windows: Windows | None = None
    source: str = "input"
    lag_ms: float = 0.0

    @property
    def positions(self) -> int:
        """Window positions; 1 without windows."""
        return self.windows.positions(self.shape) if self.windows and self.shape else 1

    @property
    def neurons(self) -> int:
        """Excitatory neurons."""
        return self.positions * self.features


@dataclass(frozen=True)
class Link:
    """Plastic connections onto a layer, all to all.

    Parameters
    ----------
    source, target : str
        The target is a layer. The source is another one, or else recorded spikes of that name.
    normal_sum : float > 0
        Sum of the weights of this link onto a neuron; each link is normalized on its own.
    neurons : int
        Of the source, if its spikes are recorded ones.
    """

    source: str
    target: str
    normal_sum: float
    neurons: int = 0


class SpikingLayers:
    """One layer, or several that are linked, in one spiking network.

    Parameters
    ----------
    dynamics : DynamicsSettings
    layers : mapping of str to Layer
    links : sequence of Link
    seed : int
    threads : int >= 1
        Clips that are shown to the frozen network at the same time; results do not depend on it.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, sections IV-A, IV-B and V-C; Mansouri-Benssassi & Ye 2020,
    Multisensory Integration and Interaction in Spiking Neural Network.
    """

    def __init__(
        self,
        dynamics: DynamicsSettings,
        layers: Mapping[str, Layer],
        links: Sequence[Link] = (),
        *,
        seed: int = 0,
        threads: int = 1,
    ) -> None:
        self.dynamics, self.threads = dynamics.resolve(), threads
        self.layers, self.links = dict(layers), tuple(links)
        inputs = [(layer.source, name) for name, layer in self.layers.items()]
        names = [*inputs, *((link.source, link.target) for link in self.links)]
        streams = {
            name: stream_name(name)
            for source, target in names
            for name in (source, f"{source}->{target}")
        }
        self.network = Network(self.dynamics.simulation, seed, streams)
        for name, layer in self.layers.items():
            population = self.dynamics.population(layer.features, layer.positions)
            self.network.add_population(name, population)
            if layer.shape and layer.windows:
                self.network.add_source(layer.source, layer.shape, layer.lag_ms)
                self.network.connect(
                    layer.source,
                    name,
                    self.dynamics.rule,
                    layer.windows,
                    dynamics.normal_sum(int(np.prod(layer.windows.size))),
                    dynamics.sharing,
                )
        for link in self.links:
            if link.source not in self.layers:
                self.network.add_source(link.source, (link.neurons,))
            self.network.connect(
                link.source, link.target, self.dynamics.rule, normal_sum=link.normal_sum
            )

    @property
    def parameters(self) -> int:
        """Number of plastic weights and thresholds."""
        weights = sum(
            c.population.positions * c.fan_in * c.population.features
            for c in self.network.connections.values()
        )
        return weights + sum(layer.neurons for layer in self.layers.values())

    def learn(self, clips: Clips, orders: Iterable[np.ndarray]) -> None:
        """Show clips while weights and thresholds adapt, without any label.

        Parameters
        ----------
        clips : mapping of source to rates in Hz or spikes
        orders : iterable of int array [shape=(clips,)]
            The order of the clips in each pass.
        """
        for order in orders:
            shuffled = {name: [items[k] for k in order] for name, items in clips.items()}
            self.network.run(shuffled, learn=True)

    def observe(
        self, clips: Clips, numbers: Sequence[int], *, record_spikes: bool = False
    ) -> Recording:
        """Show clips to the frozen network.

        Parameters
        ----------
        clips : mapping of source to rates in Hz or spikes
        numbers : sequence of int in [0, 2**48]
            One per clip; a clip's Poisson spikes depend on its own number only.
        record_spikes : bool
            Record the spikes of all layers, besides their counts.
        """
        record = Record(spikes=tuple(self.layers) if record_spikes else ())
        return self.network.run(
            clips, learn=False, record=record, threads=self.threads, clip_numbers=numbers
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights and thresholds, for a checkpoint."""
        weights = {f"weights/{c}": self.network.weights(c) for c in self.network.connections}
        return weights | {f"theta/{name}": self.network.theta_mv(name) for name in self.layers}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take the weights and thresholds that `arrays` gave.

        Raises
        ------
        ValueError
            If one is missing or foreign.
        SimulationError
            If one has another shape.
        """
        expected = {f"weights/{name}" for name in self.network.connections}
        expected |= {f"theta/{name}" for name in self.layers}
        if set(arrays) != expected:
            raise ValueError(f"{min(expected ^ set(arrays))} is missing or foreign")
        for name in self.network.connections:
            self.network.set_weights(name, arrays[f"weights/{name}"])
        for name in self.layers:
            self.network.set_theta_mv(name, arrays[f"theta/{name}"])


def stream_name(name: str) -> str:
    """Name of the random stream of a source, connection or modality.

    It is the name in version 0.1, so that the same seed gives the same spikes.
    """
    return name.replace("audio", "sound")
