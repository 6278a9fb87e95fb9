"""`LayerSettings`: one modality's spiking layer, from its feature to its neurons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from aver.errors import SettingsError
from aver.features.feature import Feature, feature_from_settings
from aver.models.spiking_parts.rate_coding import RateCoding
from aver.spiking.connection import NORMAL_SUM_PER_INPUT
from aver.spiking.parameters import Reach
from aver.spiking.presets import Preset, preset
from aver.spiking.rules import (
    LearningRule,
    PairRule,
    PowerLawPairRule,
    TargetTraceRule,
    TripletRule,
)

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
    most_retries : int >= 0 or None
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
    most_retries: int | None = None
    passes: int | None = None
    stimulus_ms: float | None = None
    rest_ms: float | None = None
    dt_ms: float | None = None

    def __post_init__(self) -> None:
        if self.passes is not None and self.passes < 1:
            raise SettingsError(f"passes is {self.passes}; at least one is needed.")
        if self.normal_sum_per_input is not None and self.normal_sum_per_input <= 0:
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
                    simulation.intensity, start=self.intensity, most_retries=self.most_retries
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
class LayerSettings:
    """A spiking layer over one feature.

    Parameters
    ----------
    feature : str
        A feature of frames (``cepstra``, ``mel-bands``) or pictures (``laplacian-crops``).
    feature_settings : mapping of str to object
    coding : RateCoding
    window, stride : tuple of int (rows, columns) of the feature
        0 stands for all of them. The paper's windows are 10 frames wide, all rows high.
    features : int >= 1
        Neurons (feature maps) at each window position.
    dynamics : DynamicsSettings
    """

    feature: str = "cepstra"
    feature_settings: Mapping[str, Any] = field(default_factory=dict)
    coding: RateCoding = field(default_factory=RateCoding)
    window: tuple[int, ...] = (0, 10)
    stride: tuple[int, ...] = (0, 10)
    features: int = 60
    dynamics: DynamicsSettings = field(default_factory=DynamicsSettings)

    def __post_init__(self) -> None:
        if self.features < 1:
            raise SettingsError(f"features is {self.features}; at least one is needed.")
        if len(self.window) != 2 or len(self.stride) != 2 or min(*self.window, *self.stride) < 0:
            raise SettingsError(
                "window and stride must be two numbers each, rows and columns, none negative; "
                f"they are {self.window} and {self.stride}."
            )

    def make_feature(self) -> Feature:
        """The feature that the layer looks at."""
        return feature_from_settings(self.feature, self.feature_settings)


def _changed(part: Any, **values: Any) -> Any:
    return replace(part, **{name: value for name, value in values.items() if value is not None})
