"""`OneLayerRecognizer`: what recognisers of one modality share."""

from __future__ import annotations

from collections.abc import Mapping

from aver.models.spiking_parts.clip_rates import ClipRates, View
from aver.models.spiking_parts.layer_settings import LayerSettings
from aver.models.spiking_parts.spiking_layer import INPUT, SpikingLayer
from aver.models.spiking_parts.spiking_recognizer import SpikingRecognizer
from aver.models.spiking_parts.spiking_settings import OneLayerSettings
from aver.spiking.spikes import Spikes


class OneLayerRecognizer(SpikingRecognizer):
    """Learns from one modality alone; a subclass says which.

    Parameters
    ----------
    settings : OneLayerSettings
    store : FeatureSource
    """

    settings_type = OneLayerSettings
    settings: OneLayerSettings
    modality: str
    """``"sound"`` or ``"video"``."""

    @property
    def layer_settings(self) -> Mapping[str, LayerSettings]:
        """The one layer."""
        return {self.modality: self.settings.layer}

    def _build(self, seed: int) -> dict[str, SpikingLayer]:
        return {self.modality: self._layer(self.modality, seed)}

    def _learn(self, clips: ClipRates, seed: int) -> None:
        rows = clips.rows(self.modality)
        self._layers[self.modality].learn({INPUT: clips.take(self.modality, rows)}, seed)

    def _views(self, clips: ClipRates) -> dict[str, View]:
        return {self.modality: self._alone(self.modality, clips)[0]}

    def _fired(self, clips: ClipRates) -> dict[str, Spikes]:
        _, fired = self._alone(self.modality, clips.first_complete(), spikes=True)
        return {self.modality: fired[0]} if fired else {}

    def _seen_by(self, view: str) -> SpikingLayer:
        return self._layers[view]
