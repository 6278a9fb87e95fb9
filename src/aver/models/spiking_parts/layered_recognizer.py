"""`LayeredRecognizer`: spiking layers, what they look at, and how clips are shown to them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.recognizer import Recognizer
from aver.models.spiking_parts.clip_rates import ClipRates, View
from aver.models.spiking_parts.layer_inputs import (
    LayerClips,
    LayerInputs,
    check_modalities,
    feature_shape,
    load_layer_clips,
)
from aver.models.spiking_parts.layer_settings import LayerSettings
from aver.models.spiking_parts.spiking_layer import INPUT, POPULATION, Link, SpikingLayer
from aver.spiking.spikes import Spikes
from aver.spiking.streams import stream_key


class LayeredRecognizer(Recognizer):
    """Codings and layers, which learn without labels; what is read from them is another matter.

    A subclass says which layers there are, how they learn, and which views of a clip they give:
    one for each modality and, where there are several, `aver.models.spiking_parts.clip_rates.BOTH`.

    Raises
    ------
    SettingsError
        If the feature of a layer is of another modality than the layer is for.
    """

    def __init__(self, settings: Any, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self._seed = 0
        self._inputs: dict[str, LayerInputs] = {}
        self._layers: dict[str, SpikingLayer] = {}
        check_modalities(self.name, self.features)

    @property
    @abstractmethod
    def layer_settings(self) -> Mapping[str, LayerSettings]:
        """By modality, the layer that looks at it."""

    @abstractmethod
    def _build(self, seed: int) -> dict[str, SpikingLayer]:
        """Make untrained layers; `self._inputs` knows the shapes of the inputs."""

    @abstractmethod
    def _learn(self, clips: ClipRates, seed: int) -> None:
        """Phase 1: show clips to the plastic layers."""

    @abstractmethod
    def _views(self, clips: ClipRates) -> dict[str, View]:
        """Phase 2: show clips to the frozen layers."""

    @abstractmethod
    def _fired(self, clips: ClipRates) -> dict[str, Spikes]:
        """By layer, its spikes for the first clip that has all modalities; none without one."""

    @abstractmethod
    def _seen_by(self, view: str) -> SpikingLayer:
        """The layer that gives a view."""

    @cached_property
    def features(self) -> Mapping[str, Feature]:
        """Modality to the feature of its layer."""
        return {name: layer.make_feature() for name, layer in self.layer_settings.items()}

    def _learn_from(self, clips: Sequence[Clip], learnt: int, seed: int) -> ClipRates:
        """Codings and layers learn from the first `learnt` clips; returns the rates of all."""
        self._seed = seed
        loaded = self._loaded(clips)
        for modality, found in loaded.items():
            first = found.first(learnt)
            if not first.present.any():
                reasons = sorted({flag for flags in first.flags for flag in flags})
                raise MissingModalityError(
                    f"None of the {learnt} training clips has the modality {modality!r} "
                    f"({', '.join(reasons)}). Use a recogniser that does without it."
                )
            self._inputs[modality] = self._new_inputs(modality)
            self._inputs[modality].fit(first)
        self._layers = self._build(seed)
        rates = self._rates(clips, loaded)
        self._learn(rates.first(learnt), seed)
        return rates

    def _loaded(self, clips: Sequence[Clip]) -> dict[str, LayerClips]:
        return {
            modality: load_layer_clips(clips, feature, self.store)
            for modality, feature in self.features.items()
        }

    def _load(self, clips: Sequence[Clip]) -> tuple[ClipRates, dict[str, LayerClips]]:
        loaded = self._loaded(clips)
        return self._rates(clips, loaded), loaded

    def _rates(self, clips: Sequence[Clip], loaded: Mapping[str, LayerClips]) -> ClipRates:
        return ClipRates(
            tuple(clip.clip_id for clip in clips),
            {modality: self._inputs[modality].rates_hz(one) for modality, one in loaded.items()},
        )

    def _layer(
        self,
        modality: str,
        seed: int,
        *,
        links: Mapping[str, Link] | None = None,
        lag_ms: float = 0.0,
    ) -> SpikingLayer:
        """An untrained layer over the input of one modality."""
        layer, inputs = self.layer_settings[modality], self._inputs[modality]
        return SpikingLayer(
            layer.dynamics,
            layer.features,
            input_shape=inputs.input_shape,
            windows=layer.windows(inputs.input_shape),
            links=links,
            lag_ms=lag_ms,
            seed=stream_key(seed, modality),
            threads=self.settings.threads,
        )

    def _input_sum(self, modality: str) -> float:
        """What the weights of the input onto one neuron add up to."""
        layer, inputs = self.layer_settings[modality], self._inputs[modality]
        size = layer.windows(inputs.input_shape).size
        return layer.dynamics.sum_per_input * float(np.prod(size))

    def _alone(
        self, modality: str, clips: ClipRates, *, spikes: bool = False
    ) -> tuple[View, dict[int, Spikes]]:
        """What a frozen layer without links fires for the clips that have its modality, by row."""
        rows = clips.rows(modality)
        found = self._layers[modality].observe(
            {INPUT: clips.take(modality, rows)}, clips.named(rows), spikes=spikes
        )
        fired = found.spikes.get(POPULATION, [])
        view = View(rows, found.counts[POPULATION])
        return view, dict(zip(rows.tolist(), fired, strict=False))

    def _new_inputs(self, modality: str) -> LayerInputs:
        coding = self.layer_settings[modality].coding
        return LayerInputs(coding, feature_shape(self.features[modality]))
