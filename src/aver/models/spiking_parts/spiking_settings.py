"""Settings of the spiking recognisers: one layer, two layers and a link, a multimodal group."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from aver.errors import SettingsError
from aver.models.spiking_parts.layer_settings import DynamicsSettings, LayerSettings
from aver.models.spiking_parts.rate_coding import RateCoding
from aver.models.spiking_parts.read_out import ReadOutSettings

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
    sound, video : LayerSettings
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

    sound: LayerSettings = field(default_factory=LayerSettings)
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
    sound, video : LayerSettings
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

    sound: LayerSettings = field(default_factory=LayerSettings)
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


_TINY = DynamicsSettings(
    intensity=8.0,
    most_retries=0,
    stimulus_ms=100.0,
    rest_ms=20.0,
    theta_step_mv=0.02,
    to_excitatory=3.0,
    normal_sum_per_input=0.6,
)
TINY_GROUP = replace(_TINY, normal_sum_per_input=0.8)
TINY_SOUND = LayerSettings(
    feature="cepstra",
    feature_settings={"coefficients": 8, "frame_count": 8},
    window=(2, 8),
    stride=(2, 8),
    features=4,
    dynamics=_TINY,
)
TINY_FACE = LayerSettings(
    feature="laplacian-crops",
    feature_settings={"size_px": 8, "picture_count": 3, "crops": {"size_px": 8}},
    coding=RateCoding(over="all"),
    window=(2, 8),
    stride=(2, 8),
    features=4,
    dynamics=_TINY,
)
"""Layers small enough for the contract tests."""
