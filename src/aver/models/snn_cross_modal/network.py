"""The spiking networks of Mansouri-Benssassi & Ye 2019: one modality, enhancement, early fusion.

**A. One modality** (sections IV-A, IV-B, V-C). Each excitatory neuron is connected to one window
of the input and to its own inhibitory partner, which inhibits the other excitatory neurons.
Membranes and synapses::

    tau dV/dt = (E_rest - V) + g_e (E_e - V) + g_i (E_i - V)                              (1)
    tau_ge dg_e/dt = -g_e                                                                (2)

A neuron fires if ``V > V_thresh + theta``, rests for 5 ms, and its ``theta`` rises (homeostasis).
Weights from the input change at the neuron's own spikes, without any label (STDP)::

    dw = eta (x_pre - x_tar) (w_max - w)^mu                                              (3)

`aver.spiking` computes (1) to (3); their constants are those of `aver.spiking.presets.preset`:
``paper-1``, or by default those of Diehl & Cook 2015, whose network the paper uses. Values become
Poisson rates of 0 to 63.75 Hz (`RateCoding`), shown for 350 ms; 150 ms of rest follow.

========  =======  ======  ======  =========  ========  =======
modality  input    window  stride  positions  features  neurons
========  =======  ======  ======  =========  ========  =======
audio     40x388   40x10   10             38        60    2,280
video     100x100  10x10   10            100        60    6,000
========  =======  ======  ======  =========  ========  =======

**B. Cross-modal enhancement** (section IV-C): `CrossModalNetwork`. **C. Early fusion**
(section V-D): `EarlyFusionNetwork`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aver.models.layers.rate_coding import ClipRates
from aver.models.layers.spiking_layer import Layer, Link, SpikingLayers, stream_name
from aver.models.snn_cross_modal.settings import LayerSettings
from aver.spiking.spikes import Clips, Spikes, stream_key

AUDIO, VIDEO = "audio", "video"
BOTH = "both"
"""The view of a clip by both modalities, and the multimodal group."""
LAYER, INPUT = "layer", "input"
"""Names of the population and of the input inside each layer's own network."""


@dataclass(frozen=True, eq=False)
class View:
    """Spike counts of one layer for the clips that it was shown.

    Parameters
    ----------
    rows : np.ndarray of int [shape=(clips shown,)]
        Their indices among all clips.
    counts : np.ndarray of int [shape=(clips shown, neurons)]
    spikes : tuple of Spikes
        By clip; empty if they were not recorded.
    """

    rows: np.ndarray
    counts: np.ndarray
    spikes: tuple[Spikes, ...] = ()

    @property
    def by_row(self) -> dict[int, Spikes]:
        """Spikes of the clips, by index."""
        return dict(zip(self.rows.tolist(), self.spikes, strict=True))


class UnimodalNetwork:
    """A spiking layer for each modality; the layers learn and are shown clips independently.

    Parameters
    ----------
    layers : mapping of str to LayerSettings
        By modality.
    shapes : mapping of str to (rows, columns)
        Of the inputs.
    settings : OneLayerSettings, TwoLayerSettings or EarlyFusionSettings
    seed : int

    Attributes
    ----------
    layers : dict of str to SpikingLayers
        By modality, and `BOTH` for a multimodal group; each a network with one layer.
    """

    def __init__(
        self,
        layers: Mapping[str, LayerSettings],
        shapes: Mapping[str, tuple[int, int]],
        settings: Any,
        seed: int,
    ) -> None:
        self._layer_settings, self._shapes = layers, shapes
        self._settings, self._seed = settings, seed
        self.layers = self._build()

    def _build(self) -> dict[str, SpikingLayers]:
        return {modality: self._layer(modality) for modality in self._layer_settings}

    def learn(self, clips: ClipRates) -> None:
        """Phase 1: show training clips; weights and thresholds adapt without labels."""
        for modality in self._layer_settings:
            self._learn(modality, {INPUT: self._rates(modality, clips)})

    def views(self, clips: ClipRates) -> dict[str, View]:
        """Phases 2 and 3: show clips to the frozen layers; one view for each layer."""
        return {modality: self._view(modality, clips) for modality in self._layer_settings}

    def layer_of(self, view: str) -> str:
        """The layer that gives a view."""
        return view

    def spikes_of_one(self, clips: ClipRates) -> dict[str, Spikes]:
        """Spikes of each layer for the first clip that has all modalities; empty without one."""
        rows = clips.rows(*self._layer_settings)[:1]
        return self._spikes(clips.take(rows)) if len(rows) else {}

    def _spikes(self, clip: ClipRates) -> dict[str, Spikes]:
        views = {name: self._view(name, clip, spikes=True) for name in self._layer_settings}
        return {name: view.spikes[0] for name, view in views.items()}

    def _layer(self, modality: str, link: Link | None = None, lag_ms: float = 0.0) -> SpikingLayers:
        """An untrained layer over the input of one modality."""
        layer, shape = self._layer_settings[modality], self._shapes[modality]
        return SpikingLayers(
            layer.dynamics,
            {LAYER: Layer(layer.features, shape, layer.windows(shape), INPUT, lag_ms)},
            [link] if link else [],
            seed=stream_key(self._seed, stream_name(modality)),
            threads=self._settings.threads,
        )

    def _learn(self, layer: str, clips: Clips) -> None:
        """Show clips to one layer, in an order drawn anew for each pass."""
        count, network = len(next(iter(clips.values()))), self.layers[layer]
        passes = range(network.dynamics.passes)
        chance = (np.random.default_rng([self._seed, number]) for number in passes)
        network.learn(clips, (one.permutation(count) for one in chance))

    def _rates(self, modality: str, clips: ClipRates) -> list[np.ndarray]:
        return [rates for rates in clips.rates_hz[modality] if rates is not None]

    def _view(self, modality: str, clips: ClipRates, *, spikes: bool = False) -> View:
        """The view of a layer that only has its own input."""
        rows = clips.rows(modality)
        shown = {INPUT: self._rates(modality, clips)}
        return self._observe(modality, rows, clips, shown, spikes=spikes)

    def _observe(
        self, layer: str, rows: np.ndarray, clips: ClipRates, shown: Clips, *, spikes: bool = False
    ) -> View:
        """Show clips to one frozen layer; `shown` has one item for each of the rows."""
        numbers = [_number(clips.clip_ids[row]) for row in rows]
        recording = self.layers[layer].observe(shown, numbers, record_spikes=spikes)
        return View(rows, recording.counts[LAYER], tuple(recording.spikes.get(LAYER, ())))


class CrossModalNetwork(UnimodalNetwork):
    """The visual layer enhances the auditory one: its spikes arrive before the audio does.

    The visual layer learns alone and is frozen. Its spikes for a clip are recorded; after a rest
    they are replayed onto all auditory neurons from the beginning of the clip, and the audio sets
    in `lag_ms` later. Input and link learn by the same rule, and each is normalized on its own.
    Without video the link is silent. With ``link_gain=0`` there is no link, and the auditory layer
    is that of a `UnimodalNetwork`, spike for spike.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, section IV-C.
    Differs from the paper: `link_gain` is ours; the paper initializes the link like the input.
    """

    def _build(self) -> dict[str, SpikingLayers]:
        video = self._layer(VIDEO)
        if not self._linked:
            return {VIDEO: video, AUDIO: self._layer(AUDIO)}
        audio, shape = self._layer_settings[AUDIO], self._shapes[AUDIO]
        input_sum = audio.dynamics.normal_sum(int(np.prod(audio.windows(shape).size)))
        neurons = video.layers[LAYER].neurons
        link = Link(VIDEO, LAYER, self._settings.link_gain * input_sum, neurons)
        return {VIDEO: video, AUDIO: self._layer(AUDIO, link, self._settings.lag_ms)}

    @property
    def _linked(self) -> bool:
        return bool(self._settings.link_gain > 0)

    def learn(self, clips: ClipRates) -> None:
        """The visual layer learns first, then the auditory one with the visual spikes."""
        self._learn(VIDEO, {INPUT: self._rates(VIDEO, clips)})
        visual = self._view(VIDEO, clips, spikes=True)
        self._learn(AUDIO, self._shown(clips, clips.rows(AUDIO), visual.by_row))

    def views(self, clips: ClipRates) -> dict[str, View]:
        """Views by both modalities, and by each as if the other were missing."""
        visual = self._view(VIDEO, clips, spikes=True)
        return {
            BOTH: self._enhanced(clips, clips.rows(VIDEO, AUDIO), visual.by_row),
            VIDEO: visual,
            AUDIO: self._enhanced(clips, clips.rows(AUDIO), {}),
        }

    def layer_of(self, view: str) -> str:
        """The auditory layer gives the view by both modalities."""
        return VIDEO if view == VIDEO else AUDIO

    def _spikes(self, clip: ClipRates) -> dict[str, Spikes]:
        visual = self._view(VIDEO, clip, spikes=True)
        audio = self._enhanced(clip, clip.rows(AUDIO), visual.by_row, spikes=True)
        return {VIDEO: visual.spikes[0], AUDIO: audio.spikes[0]}

    def _enhanced(
        self,
        clips: ClipRates,
        rows: np.ndarray,
        visual: Mapping[int, Spikes],
        *,
        spikes: bool = False,
    ) -> View:
        """View of the frozen auditory layer, shown audio and visual spikes."""
        return self._observe(AUDIO, rows, clips, self._shown(clips, rows, visual), spikes=spikes)

    def _shown(self, clips: ClipRates, rows: np.ndarray, visual: Mapping[int, Spikes]) -> Clips:
        """Audio of clips, and what arrives over the link: visual spikes, or silence."""
        audio = self._rates(AUDIO, clips.take(rows))
        if not self._linked:
            return {INPUT: audio}
        silence = Spikes(np.empty(0), np.empty(0, np.int32))
        return {INPUT: audio, VIDEO: [visual.get(int(row), silence) for row in rows]}


class EarlyFusionNetwork(UnimodalNetwork):
    """A multimodal group of neurons, fed by the spikes of both layers: the paper's baseline.

    Both layers learn alone and are frozen; the group learns from their recorded spikes.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, section V-D.
    Differs from the paper: it gives no size for the group; 400 neurons are ours.
    """

    def _build(self) -> dict[str, SpikingLayers]:
        layers = {VIDEO: self._layer(VIDEO), AUDIO: self._layer(AUDIO, None, self._settings.lag_ms)}
        dynamics = self._settings.dynamics
        links = []
        for modality, layer in layers.items():
            neurons = layer.layers[LAYER].neurons
            links.append(Link(modality, LAYER, dynamics.normal_sum(neurons), neurons))
        group = SpikingLayers(
            dynamics,
            {LAYER: Layer(self._settings.features)},
            links,
            seed=self._seed,
            threads=self._settings.threads,
        )
        return {**layers, BOTH: group}

    def learn(self, clips: ClipRates) -> None:
        """Both layers learn, then the group from the spikes of clips that have both modalities."""
        super().learn(clips)
        alone = {name: self._view(name, clips, spikes=True) for name in self._layer_settings}
        self._learn(BOTH, self._shown(clips.rows(*self._layer_settings), alone))

    def views(self, clips: ClipRates) -> dict[str, View]:
        """Views of the group and of each layer."""
        alone = {name: self._view(name, clips, spikes=True) for name in self._layer_settings}
        return {BOTH: self._fused(clips, alone), **alone}

    def _spikes(self, clip: ClipRates) -> dict[str, Spikes]:
        alone = {name: self._view(name, clip, spikes=True) for name in self._layer_settings}
        group = self._fused(clip, alone, spikes=True)
        return {name: view.spikes[0] for name, view in {**alone, BOTH: group}.items()}

    def _fused(self, clips: ClipRates, alone: Mapping[str, View], *, spikes: bool = False) -> View:
        """View of the frozen group, shown the spikes of both layers."""
        rows = clips.rows(*self._layer_settings)
        return self._observe(BOTH, rows, clips, self._shown(rows, alone), spikes=spikes)

    def _shown(self, rows: np.ndarray, alone: Mapping[str, View]) -> Clips:
        by_row = {name: view.by_row for name, view in alone.items()}
        return {name: [spikes[int(row)] for row in rows] for name, spikes in by_row.items()}


def _number(clip_id: str) -> int:
    """48 bits that depend on the clip's id only; they choose its Poisson spikes."""
    return int.from_bytes(hashlib.blake2b(clip_id.encode(), digest_size=6).digest(), "little")
