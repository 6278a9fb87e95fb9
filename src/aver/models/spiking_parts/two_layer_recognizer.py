"""`TwoLayerRecognizer`: what recognisers of face and voice share."""

from __future__ import annotations

from collections.abc import Mapping

from aver.models.spiking_parts.clip_rates import SOUND, VIDEO, ClipRates
from aver.models.spiking_parts.layer_settings import LayerSettings
from aver.models.spiking_parts.spiking_layer import INPUT
from aver.models.spiking_parts.spiking_recognizer import SpikingRecognizer
from aver.models.spiking_parts.spiking_settings import EarlyFusionSettings, TwoLayerSettings


class TwoLayerRecognizer(SpikingRecognizer):
    """A layer for the face that learns first and alone, and what is built upon its spikes.

    Parameters
    ----------
    settings : TwoLayerSettings or EarlyFusionSettings
    store : FeatureSource
    """

    settings: TwoLayerSettings | EarlyFusionSettings

    @property
    def layer_settings(self) -> Mapping[str, LayerSettings]:
        """The face's layer, then the voice's."""
        return {VIDEO: self.settings.video, SOUND: self.settings.sound}

    def _learn_alone(self, modality: str, clips: ClipRates, seed: int) -> None:
        taken = clips.take(modality, clips.rows(modality))
        self._layers[modality].learn({INPUT: taken}, seed)
