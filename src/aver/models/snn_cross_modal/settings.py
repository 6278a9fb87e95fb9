"""Settings of the spiking recognizers: one layer, two layers and a link, a multimodal group."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from aver.models.layers.rate_coding import InputSettings, RateCoding
from aver.models.layers.read_out import ReadOutSettings
from aver.models.layers.spiking_layer import DynamicsSettings
from aver.settings import Field, settings
from aver.spiking.parameters import NotNegative

Count = Annotated[int, Field(ge=1)]


@settings
class LayerSettings(InputSettings):
    """A spiking layer over one feature; see `InputSettings` for its input.

    Parameters
    ----------
    features : int >= 1
        Neurons (feature maps) at each window position.
    dynamics : DynamicsSettings
    """

    features: Count = 60
    dynamics: DynamicsSettings = field(default_factory=DynamicsSettings)


def _video_layer() -> LayerSettings:
    return LayerSettings(
        feature="laplacian-crops",
        coding=RateCoding(over="all"),
        window=(10, 10),
        stride=(10, 10),
    )


@settings
class OneLayerSettings:
    """Settings of a recognizer with one spiking layer.

    Parameters
    ----------
    layer : LayerSettings
    read_out : ReadOutSettings
    refit : bool
        Fit read-outs to the validation clips too, once everything is chosen; layers learn from
        training clips only. `aver.evaluation.experiment.Experiment` switches it off if the
        validation clips are also the test clips.
    threads : int >= 1
        Clips shown to a frozen layer at the same time; predictions do not depend on it.
    """

    layer: LayerSettings = field(default_factory=LayerSettings)
    read_out: ReadOutSettings = field(default_factory=ReadOutSettings)
    refit: bool = True
    threads: Count = 1


@settings
class TwoLayerSettings:
    """Settings of a recognizer with a layer for the voice and one for the face.

    Parameters
    ----------
    audio, video : LayerSettings
    read_out : ReadOutSettings
    refit : bool
    threads : int >= 1
        As in `OneLayerSettings`.
    lag_ms : float >= 0
        How much later than the spikes of the visual layer the audio sets in.
    link_gain : float >= 0
        Sum of a neuron's weights from the visual layer, as a share of the sum of those from its
        input. 0 removes the link, and the lag with it: the audio layer is then that of `snn-audio`.
    """

    audio: LayerSettings = field(default_factory=LayerSettings)
    video: LayerSettings = field(default_factory=_video_layer)
    read_out: ReadOutSettings = field(default_factory=ReadOutSettings)
    refit: bool = True
    threads: Count = 1
    lag_ms: NotNegative = 5.0
    link_gain: NotNegative = 0.5


@settings
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
        How much later than the video the audio sets in.
    """

    audio: LayerSettings = field(default_factory=LayerSettings)
    video: LayerSettings = field(default_factory=_video_layer)
    features: Count = 400
    dynamics: DynamicsSettings = field(
        default_factory=lambda: DynamicsSettings(normal_sum_per_input=0.3)
    )
    read_out: ReadOutSettings = field(default_factory=ReadOutSettings)
    refit: bool = True
    threads: Count = 1
    lag_ms: NotNegative = 5.0
