"""Spiking recognisers of voice and face, alone, one enhancing the other, and joined early."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aver.models.snn_cross_modal.base import OneLayerRecognizer, TwoLayerRecognizer
from aver.models.snn_cross_modal.network import (
    AUDIO,
    BOTH,
    INPUT,
    POPULATION,
    VIDEO,
    ClipRates,
    Link,
    SpikingLayer,
    View,
    silence,
)
from aver.models.snn_cross_modal.settings import (
    EarlyFusionSettings,
    TwoLayerSettings,
)
from aver.spiking.recording import Recording
from aver.spiking.spikes import Clips, Spikes


class SnnAudio(OneLayerRecognizer):
    """One spiking layer over the voice, cut in windows along time.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, sections IV-A, IV-B and V-C.
    Differs from the paper: see `aver.models.snn_cross_modal.base`.
    """

    name = "snn-audio"
    source = "Mansouri-Benssassi & Ye 2019, section IV-A"
    modality = AUDIO


class SnnVideo(OneLayerRecognizer):
    """One spiking layer over the face, a few moments one after the other, cut in windows.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, sections IV-C and V-C.
    """

    name = "snn-video"
    source = "Mansouri-Benssassi & Ye 2019, section IV-C"
    modality = VIDEO


class SnnCrossModal(TwoLayerRecognizer):
    """The face is seen first; its spikes then arrive over plastic connections, then the voice.

    The visual layer learns alone and is frozen. For each clip its spikes are recorded; after a rest
    they are replayed onto the auditory layer from the clip's beginning, and the sound sets in
    `lag_ms` later. Input and link learn by the same rule; each is normalised as a group of its own.
    A clip without sound is answered by the visual layer, one without a face with the link silent.
    With ``link_gain=0`` there is no link, and the voice is heard as `SnnAudio` hears it.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, sections IV-C and V-C.
    Differs from the paper: `link_gain` is ours; the paper initialises the link like the input.
    """

    name = "snn-cross-modal"
    source = "Mansouri-Benssassi & Ye 2019, section IV-C"
    settings_type = TwoLayerSettings
    settings: TwoLayerSettings

    @property
    def _linked(self) -> bool:
        """Whether there is a link at all."""
        return self.settings.link_gain > 0

    def _build(self, seed: int) -> dict[str, SpikingLayer]:
        visual = self._layer(VIDEO, seed)
        if not self._linked:
            return {VIDEO: visual, AUDIO: self._layer(AUDIO, seed)}
        link = Link(visual.neurons, self.settings.link_gain * self._input_sum(AUDIO))
        hearing = self._layer(AUDIO, seed, links={VIDEO: link}, lag_ms=self.settings.lag_ms)
        return {VIDEO: visual, AUDIO: hearing}

    def _learn(self, clips: ClipRates, seed: int) -> None:
        self._learn_alone(VIDEO, clips, seed)
        _, seen = self._alone(VIDEO, clips, spikes=True)
        shown = self._shown(clips, clips.rows(AUDIO), seen)
        self._layers[AUDIO].learn(shown, seed)

    def _views(self, clips: ClipRates) -> dict[str, View]:
        video, seen = self._alone(VIDEO, clips, spikes=True)
        rows, both = clips.rows(AUDIO), clips.rows(VIDEO, AUDIO)
        return {
            BOTH: View(rows=both, counts=self._hear(clips, both, seen).counts[POPULATION]),
            VIDEO: video,
            AUDIO: View(rows, self._hear(clips, rows, {}).counts[POPULATION]),
        }

    def _hear(
        self,
        clips: ClipRates,
        rows: np.ndarray,
        seen: Mapping[int, Spikes],
        *,
        spikes: bool = False,
    ) -> Recording:
        """Sound and the spikes that the visual layer fired, shown to the frozen auditory layer."""
        shown = self._shown(clips, rows, seen)
        return self._layers[AUDIO].observe(shown, clips.named(rows), spikes=spikes)

    def _fired(self, clips: ClipRates) -> dict[str, Spikes]:
        one = clips.first_complete()
        if not one.names:
            return {}
        _, seen = self._alone(VIDEO, one, spikes=True)
        heard = self._hear(one, one.rows(AUDIO), seen, spikes=True)
        return {VIDEO: seen[0], AUDIO: heard.spikes[POPULATION][0]}

    def _shown(self, clips: ClipRates, rows: np.ndarray, seen: Mapping[int, Spikes]) -> Clips:
        """Sound of clips, and over the link what the visual layer fired; silence without a face."""
        audio = clips.take(AUDIO, rows)
        if not self._linked:
            return {INPUT: audio}
        return {INPUT: audio, VIDEO: [seen.get(int(row), silence(1)[0]) for row in rows]}

    def _seen_by(self, view: str) -> SpikingLayer:
        return self._layers[VIDEO if view == VIDEO else AUDIO]


class SnnEarlyFusion(TwoLayerRecognizer):
    """A multimodal group fed by the spikes of the visual and of the auditory layer.

    Both layers learn alone and are frozen; the group learns from their spikes. A clip that lacks a
    modality is answered by the layer of the other.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, section V-D.
    Differs from the paper: it gives no size for the group; 400 neurons are ours.
    """

    name = "snn-early-fusion"
    source = "Mansouri-Benssassi & Ye 2019, section V-D"
    settings_type = EarlyFusionSettings
    settings: EarlyFusionSettings

    def _build(self, seed: int) -> dict[str, SpikingLayer]:
        alone = {
            VIDEO: self._layer(VIDEO, seed),
            AUDIO: self._layer(AUDIO, seed, lag_ms=self.settings.lag_ms),
        }
        links = {
            modality: Link(layer.neurons, self.settings.dynamics.sum_per_input * layer.neurons)
            for modality, layer in alone.items()
        }
        group = SpikingLayer(
            self.settings.dynamics,
            self.settings.features,
            links=links,
            seed=seed,
            threads=self.settings.threads,
        )
        return {**alone, BOTH: group}

    def _learn(self, clips: ClipRates, seed: int) -> None:
        for modality in self.features:
            self._learn_alone(modality, clips, seed)
        fired = [self._alone(modality, clips, spikes=True)[1] for modality in self.features]
        rows = clips.rows(*self.features)
        self._layers[BOTH].learn(self._joined(rows, fired), seed)

    def _views(self, clips: ClipRates) -> dict[str, View]:
        alone = {name: self._alone(name, clips, spikes=True) for name in self.features}
        rows = clips.rows(*self.features)
        shown = self._joined(rows, [fired for _, fired in alone.values()])
        found = self._layers[BOTH].observe(shown, clips.named(rows))
        views = {name: view for name, (view, _) in alone.items()}
        return {BOTH: View(rows, found.counts[POPULATION]), **views}

    def _fired(self, clips: ClipRates) -> dict[str, Spikes]:
        one = clips.first_complete()
        if not one.names:
            return {}
        fired = {name: self._alone(name, one, spikes=True)[1] for name in self.features}
        shown = self._joined(one.rows(*self.features), list(fired.values()))
        group = self._layers[BOTH].observe(shown, one.names, spikes=True)
        alone = {name: by_row[0] for name, by_row in fired.items()}
        return {**alone, BOTH: group.spikes[POPULATION][0]}

    def _joined(self, rows: np.ndarray, fired: list[dict[int, Spikes]]) -> dict[str, list[Spikes]]:
        """Spikes of both layers for clips that have both modalities."""
        return {
            modality: [spikes[int(row)] for row in rows]
            for modality, spikes in zip(self.features, fired, strict=True)
        }

    def _seen_by(self, view: str) -> SpikingLayer:
        return self._layers[view]
