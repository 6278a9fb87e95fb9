"""Settings of the spiking recognisers: one layer, two layers and a link, a multimodal group."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from aver.errors import SettingsError
from aver.models.layers.rate_coding import InputSettings, RateCoding
from aver.models.snn_cross_modal.read_out import ReadOutSettings
from aver.spiking.parameters import Reach
from aver.spiking.presets import Preset, preset
from aver.spiking.rules import (
    LearningRule,
    PairRule,
    PowerLawPairRule,
    TargetTraceRule,
    TripletRule,
)
from aver.spiking.topology import NORMAL_SUM_PER_INPUT

_RULES: dict[str, LearningRule] = {
    "triplet": TripletRule(),
    "pair": PairRule(),
    "target-trace": TargetTraceRule(),
    "power-law": PowerLawPairRule(),
}


@dataclass(frozen=True)
class DynamicsSettings:
    """Neurons, learning and timing; what is None is as the published set `base` has it.

    Parameters
    ----------
    base : {"diehl-cook", "paper-1", "paper-2"}
        See `aver.spiking.presets.preset`.
    rule : {"triplet", "pair", "target-trace", "power-law"} or None
    reach : {"same-position", "all", "none"} or None
        Whom lateral inhibition reaches.
    to_excitatory : float >= 0 or None
        Its strength.
    theta_step_mv : float >= 0 or None
        Rise of the threshold with each spike.
    normal_sum_per_input : float > 0 or None
        What a neuron's weights add up to, per input; None: 78 / 784.
    sharing : {"none", "winner"}
        Of weights between window positions.
    intensity : float > 0 or None
        Factor on rates at the first showing.
    max_retries : int >= 0 or None
        How often a clip that stirs fewer than 5 spikes is shown again, brighter.
    passes : int >= 1 or None
        Over the training clips.
    stimulus_ms, rest_ms, dt_ms : float or None
    """

    base: Literal["diehl-cook", "paper-1", "paper-2"] = "diehl-cook"
    rule: Literal["triplet", "pair", "target-trace", "power-law"] | None = None
    reach: Reach | None = None
    to_excitatory: float | None = None
    theta_step_mv: float | None = None
    normal_sum_per_input: float | None = None
    sharing: Literal["none", "winner"] = "none"
    intensity: float | None = None
    max_retries: int | None = None
    passes: int | None = None
    stimulus_ms: float | None = None
    rest_ms: float | None = None
    dt_ms: float | None = None

    def __post_init__(self) -> None:
        if self.passes is not None and self.passes < 1:
            raise SettingsError(f"passes is {self.passes}; at least one is needed.")
        if self.normal_sum_per_input is not None and not self.normal_sum_per_input > 0:
            raise SettingsError(
                f"normal_sum_per_input is {self.normal_sum_per_input}; it must be positive."
            )
        self.resolve()

    @property
    def sum_per_input(self) -> float:
        """What a neuron's weights add up to, per input."""
        return self.normal_sum_per_input or NORMAL_SUM_PER_INPUT

    def resolve(self) -> Preset:
        """All parameters as the engine takes them."""
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


@dataclass(frozen=True)
class LayerSettings(InputSettings):
    """A spiking layer over one feature; see `InputSettings` for what it looks at.

    Parameters
    ----------
    features : int >= 1
        Neurons (feature maps) at each window position.
    dynamics : DynamicsSettings
    """

    features: int = 60
    dynamics: DynamicsSettings = field(default_factory=DynamicsSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.features < 1:
            raise SettingsError(f"features is {self.features}; at least one is needed.")


def _changed(part: Any, **values: Any) -> Any:
    return replace(part, **{name: value for name, value in values.items() if value is not None})


_FACE = LayerSettings(
    feature="laplacian-crops",
    coding=RateCoding(over="all"),
    window=(10, 10),
    stride=(10, 10),
)


@dataclass(frozen=True)
class OneLayerSettings:
    """Settings of a recogniser with one spiking layer.

    Parameters
    ----------
    layer : LayerSettings
    read_out : ReadOutSettings
    refit : bool
        Read-outs learn from the validation clips too, once strengths are chosen; layers never do.
        An `aver.evaluation.experiment.Experiment` switches it off where they are tested on.
    threads : int >= 1
        Clips shown to a frozen layer at the same time; answers do not depend on it.
    """

    layer: LayerSettings = field(default_factory=LayerSettings)
    read_out: ReadOutSettings = field(default_factory=ReadOutSettings)
    refit: bool = True
    threads: int = 1

    def __post_init__(self) -> None:
        _check_threads(self.threads)


@dataclass(frozen=True)
class TwoLayerSettings:
    """Settings of a recogniser with a layer for the voice and one for the face.

    Parameters
    ----------
    audio, video : LayerSettings
    read_out : ReadOutSettings
    refit : bool
    threads : int >= 1
        As in `OneLayerSettings`.
    lag_ms : float >= 0
        How much later than the picture's spikes the sound sets in.
    link_gain : float >= 0
        What the weights of the link onto a neuron add up to, in shares of those of its input. 0
        switches the link off, and the lag with it: the voice is then heard as `snn-audio` hears it.
    """

    audio: LayerSettings = field(default_factory=LayerSettings)
    video: LayerSettings = field(default_factory=lambda: _FACE)
    read_out: ReadOutSettings = field(default_factory=ReadOutSettings)
    refit: bool = True
    threads: int = 1
    lag_ms: float = 5.0
    link_gain: float = 0.5

    def __post_init__(self) -> None:
        _check_threads(self.threads)
        if not (self.lag_ms >= 0 and self.link_gain >= 0):
            raise SettingsError(
                f"lag_ms and link_gain must not be negative; they are {self.lag_ms} and "
                f"{self.link_gain}."
            )


@dataclass(frozen=True)
class EarlyFusionSettings:
    """Settings of a multimodal group over both layers.

    Parameters
    ----------
    audio, video : LayerSettings
    features : int >= 1
        Neurons of the multimodal group.
    dynamics : DynamicsSettings
        Of the group; its inputs are the neurons of both layers.
    read_out : ReadOutSettings
    refit : bool
    threads : int >= 1
        As in `OneLayerSettings`.
    lag_ms : float >= 0
        How much later than the picture's spikes the sound's arrive.
    """

    audio: LayerSettings = field(default_factory=LayerSettings)
    video: LayerSettings = field(default_factory=lambda: _FACE)
    features: int = 400
    dynamics: DynamicsSettings = field(
        default_factory=lambda: DynamicsSettings(normal_sum_per_input=0.3)
    )
    read_out: ReadOutSettings = field(default_factory=ReadOutSettings)
    refit: bool = True
    threads: int = 1
    lag_ms: float = 5.0

    def __post_init__(self) -> None:
        _check_threads(self.threads)
        if self.features < 1 or not self.lag_ms >= 0:
            raise SettingsError(
                "features must be positive and lag_ms not negative; they are "
                f"{self.features} and {self.lag_ms}."
            )


def _check_threads(threads: int) -> None:
    if threads < 1:
        raise SettingsError(f"threads is {threads}; at least one is needed.")
