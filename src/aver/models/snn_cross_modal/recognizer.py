"""Spiking recognizers of voice and face: alone, one enhanced by the other, and fused early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import Recognizer
from aver.models.data.clip_features import coverage_of, flags_of
from aver.models.layers.rate_coding import ClipRates, ClipValues, RateInputs
from aver.models.layers.read_out import ReadOut, class_indices
from aver.models.snn_cross_modal.network import (
    AUDIO,
    BOTH,
    LAYER,
    VIDEO,
    CrossModalNetwork,
    EarlyFusionNetwork,
    UnimodalNetwork,
    View,
)
from aver.models.snn_cross_modal.settings import (
    EarlyFusionSettings,
    LayerSettings,
    OneLayerSettings,
    TwoLayerSettings,
)

NEURONS_LABELED_ON_TEST = (
    "Neurons are labeled on the test clips, with their true classes, and then vote for them."
)


class SpikingRecognizer(Recognizer):
    """Three phases: layers learn without labels; frozen, they are read out; prediction.

    Each view of a clip has a read-out of its own. A clip is predicted from both modalities
    together, or else from the one that it has.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, section IV-C; Diehl & Cook 2015, section 2.6.
    Neurons are labeled on training clips only, as in section IV-C of the paper.
    """

    protocol_leaks = (NEURONS_LABELED_ON_TEST,)
    can_refit = True
    network_type: ClassVar[type[UnimodalNetwork]] = UnimodalNetwork
    layer_fields: ClassVar[tuple[tuple[str, str], ...]] = ((VIDEO, "video"), (AUDIO, "audio"))
    """Each modality, and the field of the settings that holds its layer."""

    def __init__(self, settings: Any, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self._layer_settings: dict[str, LayerSettings] = {
            modality: getattr(settings, name) for modality, name in self.layer_fields
        }
        self._inputs = RateInputs(self.name, self._layer_settings)
        self._network: UnimodalNetwork
        self._read_outs: dict[str, ReadOut] = {}
        self._seed = 0

    @property
    def features(self) -> Mapping[str, Feature]:
        """Modality to the feature of its layer."""
        return self._inputs.features

    def _fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int,
        run_folder: Path | None,
    ) -> dict[str, Any]:
        """Layers learn without labels; read-outs are fitted to their spike counts.

        Codings and layers learn from `train` only. With the setting ``refit`` the read-outs are
        fitted to the validation clips too, once everything is chosen. Images of spikes and weights
        go to ``images`` in `run_folder`.
        """
        clips = [*train, *(clip for clip in validation if clip.emotion in self._classes)]
        rates = self._learn(clips, len(train), seed)
        labels = class_indices([clip.emotion for clip in clips], self._classes)
        views = self._network.views(rates)
        self._read_outs = {}
        for name, view in views.items():
            in_train, view_labels = view.rows < len(train), labels[view.rows]
            if set(view_labels[in_train]) != set(range(len(self._classes))):
                continue  # a read-out that lacks a class could never predict it
            subsets = [(view.counts[one], view_labels[one]) for one in (in_train, ~in_train)]
            self._read_outs[name] = self._new_read_out(name)
            self._read_outs[name].fit(subsets[0], subsets[1], refit=self.settings.refit)
        if not self._read_outs:
            raise MissingModalityError(
                f"No modality has a training clip of each class ({', '.join(self._classes)}). Use "
                "a recognizer of another modality, or more clips."
            )
        if run_folder is not None:
            from aver.models.snn_cross_modal.plots import write_layer_images

            spikes = self._network.spikes_of_one(rates)
            write_layer_images(self._network.layers, spikes, run_folder / "images")
        return {
            **self._facts(),
            "views without a read-out": [view for view in views if view not in self._read_outs],
        }

    def _fit_predict_leaking(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        test: Sequence[Clip],
        *,
        seed: int,
        run_folder: Path | None,
    ) -> tuple[dict[str, Any], Prediction]:
        """The protocol ``neurons-labeled-on-test``, as some public scripts have it. LEAKS.

        Layers learn as in `fit`; then neurons are labeled with the true classes of the test clips,
        and vote for these clips. Nothing is written.
        """
        self._read_outs = {}  # the read-outs below know the test labels and are not kept
        self._learn(train, len(train), seed)
        loaded = self._inputs.load(test, self.store)
        labels = class_indices([clip.emotion for clip in test], self._classes)
        views = self._network.views(self._inputs.rates(test, loaded))
        read_outs = {}
        for name, view in views.items():
            labeled = labels[view.rows] >= 0
            read_outs[name] = self._new_read_out(name, self.settings.read_out.vote)
            read_outs[name].label(view.counts[labeled], labels[view.rows][labeled])
        used = {"neuron labels": ["test"], "class shares": ["train"]}
        facts = {**self._facts(), "labels_used": used}
        return facts, self._prediction(test, loaded, views, read_outs)

    def _predict(self, clips: Sequence[Clip]) -> Prediction:
        loaded = self._inputs.load(clips, self.store)
        views = self._network.views(self._inputs.rates(clips, loaded))
        return self._prediction(clips, loaded, views, self._read_outs)

    def _prediction(
        self,
        clips: Sequence[Clip],
        loaded: Mapping[str, ClipValues],
        views: Mapping[str, View],
        read_outs: Mapping[str, ReadOut],
    ) -> Prediction:
        """Probabilities by the view of both modalities, else by the first that has a prediction."""
        unknown = np.full((len(clips), len(self._classes)), np.nan)
        by_view = {name: unknown.copy() for name in views}
        for name, view in views.items():
            if name in read_outs and len(view.rows):
                by_view[name][view.rows] = read_outs[name].probabilities(view.counts)
        fused = unknown
        for name in (BOTH, *loaded):
            fused = np.where(np.isnan(fused), by_view.get(name, unknown), fused)
        return Prediction(
            clip_ids=tuple(clip.clip_id for clip in clips),
            classes=self._classes,
            probabilities=fused,
            by_modality={name: by_view[name] for name in loaded},
            coverage=coverage_of(loaded),
            flags=flags_of(loaded),
        )

    def _learn(self, clips: Sequence[Clip], count: int, seed: int) -> ClipRates:
        """Codings and layers learn from the first `count` clips; returns the rates of all."""
        self._seed = seed
        loaded = self._inputs.load(clips, self.store)
        self._inputs.fit({modality: one[:count] for modality, one in loaded.items()})
        rates = self._inputs.rates(clips, loaded)
        self._network = self._new_network(seed)
        self._network.learn(rates.first(count))
        return rates

    def _new_network(self, seed: int) -> UnimodalNetwork:
        return self.network_type(self._layer_settings, self._inputs.shapes, self.settings, seed)

    def _new_read_out(self, view: str, kind: str | None = None) -> ReadOut:
        layer = self._network.layers[self._network.layer_of(view)].layers[LAYER]
        settings = self.settings.read_out
        settings = replace(settings, kind=kind) if kind else settings
        return ReadOut(settings, layer.positions, self._prior)

    def _facts(self) -> dict[str, Any]:
        """For the model card; `aver.audit.audit_run` reads what was fitted on which subset."""
        layers, chosen = self._network.layers, self.settings.read_out.chosen_on_validation
        learned = ["train", "validation"] if self.settings.refit else ["train"]
        return {
            "parameters": sum(layer.parameters for layer in layers.values()),
            "neurons": {name: layer.layers[LAYER].neurons for name, layer in layers.items()},
            "C chosen on validation": {
                name: one.C for name, one in self._read_outs.items() if one.C is not None
            },
            "fitted_on": {"rate coding": ["train"], "synapses, without labels": ["train"]},
            "labels_used": {"weights": learned, **({chosen: ["validation"]} if chosen else {})},
        }

    def _state(self) -> dict[str, Any]:
        return {"seed": self._seed, "views": list(self._read_outs)}

    def _weights(self) -> dict[str, np.ndarray]:
        groups: dict[str, Mapping[str, np.ndarray]] = {
            **{f"inputs/{name}": one.arrays() for name, one in self._inputs.inputs.items()},
            **{f"layers/{name}": one.arrays() for name, one in self._network.layers.items()},
            **{f"read-outs/{name}": one.arrays() for name, one in self._read_outs.items()},
        }
        return {
            f"{group}:{key}": array for group, some in groups.items() for key, array in some.items()
        }

    def _restore(self, weights: dict[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        def taken(group: str) -> dict[str, np.ndarray]:
            names = [name for name in weights if name.startswith(f"{group}:")]
            return {name.removeprefix(f"{group}:"): weights.pop(name) for name in names}

        self._seed = facts["seed"]
        for modality, inputs in self._inputs.inputs.items():
            inputs.restore(**taken(f"inputs/{modality}"))
        self._network = self._new_network(self._seed)
        for name, layer in self._network.layers.items():
            arrays = taken(f"layers/{name}")
            if "theta_mv" in arrays:  # its name in version 0.1
                arrays[f"theta/{LAYER}"] = arrays.pop("theta_mv")
            layer.restore(arrays)
        for view in facts["views"]:
            neurons = self._network.layers[self._network.layer_of(view)].layers[LAYER].neurons
            self._read_outs[view] = self._new_read_out(view)
            self._read_outs[view].restore(taken(f"read-outs/{view}"), neurons)


class SnnAudio(SpikingRecognizer):
    """One spiking layer over the voice, cut in windows along time.

    Parameters
    ----------
    settings : OneLayerSettings
    store : FeatureSource

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, sections IV-A, IV-B and V-C.
    """

    name = "snn-audio"
    source = "Mansouri-Benssassi & Ye 2019, section IV-A"
    settings_type = OneLayerSettings
    layer_fields = ((AUDIO, "layer"),)


class SnnVideo(SpikingRecognizer):
    """One spiking layer over the face, a few moments one after the other, cut in windows.

    Parameters
    ----------
    settings : OneLayerSettings
    store : FeatureSource

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, sections IV-C and V-C.
    """

    name = "snn-video"
    source = "Mansouri-Benssassi & Ye 2019, section IV-C"
    settings_type = OneLayerSettings
    layer_fields = ((VIDEO, "layer"),)


class SnnCrossModal(SpikingRecognizer):
    """The spikes of the visual layer enhance the auditory one, see `CrossModalNetwork`.

    A clip without audio is predicted by the visual layer, one without video with a silent link.

    Parameters
    ----------
    settings : TwoLayerSettings
    store : FeatureSource

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, sections IV-C and V-C.
    """

    name = "snn-cross-modal"
    source = "Mansouri-Benssassi & Ye 2019, section IV-C"
    settings_type = TwoLayerSettings
    network_type = CrossModalNetwork


class SnnEarlyFusion(SpikingRecognizer):
    """A multimodal group fed by both layers, see `EarlyFusionNetwork`.

    A clip that lacks a modality is predicted by the layer of the other.

    Parameters
    ----------
    settings : EarlyFusionSettings
    store : FeatureSource

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, section V-D.
    """

    name = "snn-early-fusion"
    source = "Mansouri-Benssassi & Ye 2019, section V-D"
    settings_type = EarlyFusionSettings
    network_type = EarlyFusionNetwork
