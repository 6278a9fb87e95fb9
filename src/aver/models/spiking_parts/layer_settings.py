"""`LayerSettings`: one modality's spiking layer, from its feature to its neurons."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from aver.errors import SettingsError
from aver.models.spiking_parts.input_settings import InputSettings
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
