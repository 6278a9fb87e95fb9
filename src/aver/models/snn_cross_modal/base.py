"""`TwoLayerRecognizer`: what recognisers of face and voice share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import Recognizer, raise_missing_modality
from aver.models.layers.rate_coding import (
    LayerClips,
    LayerInputs,
    check_modalities,
    feature_shape,
    load_layer_clips,
)
from aver.models.snn_cross_modal.network import (
    AUDIO,
    INPUT,
    POPULATION,
    STREAMS,
    VIDEO,
    ClipRates,
    Link,
    SpikingLayer,
    View,
)
from aver.models.snn_cross_modal.predict import predict_views
from aver.models.snn_cross_modal.read_out import ReadOut, known
from aver.models.snn_cross_modal.settings import (
    EarlyFusionSettings,
    LayerSettings,
    OneLayerSettings,
    TwoLayerSettings,
)
from aver.spiking.spikes import Spikes, stream_key


def joined_arrays(parts: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """All arrays of all parts, named ``<part>:<array>``."""
    return {
        f"{part}:{key}": array for part, arrays in parts.items() for key, array in arrays.items()
    }


def taken_arrays(joined: dict[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    """Take the arrays of one part out of what `joined_arrays` gave; the others stay.

    Examples
    --------
    >>> joined = joined_arrays({"layer": {"weights": np.ones(2)}, "read-out": {"mean": np.ones(1)}})
    >>> list(taken_arrays(joined, "layer")), list(joined)
    (['weights'], ['read-out:mean'])
    """
    names = [name for name in joined if name.startswith(f"{part}:")]
    return {name.removeprefix(f"{part}:"): joined.pop(name) for name in names}


class LayeredRecognizer(Recognizer):
    """Codings and layers, which learn without labels; what is read from them is another matter.

    A subclass says which layers there are, how they learn, and which views of a clip they give:
    one for each modality and, where there are several, `aver.models.snn_cross_modal.network.BOTH`.

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

    def _learn_from(self, clips: Sequence[Clip], learned: int, seed: int) -> ClipRates:
        """Codings and layers learn from the first `learned` clips; returns the rates of all."""
        self._seed = seed
        loaded = self._loaded(clips)
        for modality, found in loaded.items():
            first = found.first(learned)
            if not first.present.any():
                raise_missing_modality(modality, first.flags)
            self._inputs[modality] = self._new_inputs(modality)
            self._inputs[modality].fit(first)
        self._layers = self._build(seed)
        rates = self._rates(clips, loaded)
        self._learn(rates.first(learned), seed)
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
            seed=stream_key(seed, STREAMS[modality]),
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


NEURONS_LABELLED_ON_TEST = (
    "Neurons are labelled on the test clips, with their true classes, and then vote for them."
)


class SpikingRecognizer(LayeredRecognizer):
    """Three phases: learn without labels, observe frozen and read out, predict.

    Every view of a clip has a read-out of its own. A clip is answered from all modalities together,
    else from the one that it has.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, section IV-C; Diehl & Cook 2015, section 2.6.
    Differs from the paper: neurons are labelled on training clips only, whatever the split.
    """

    protocol_leaks: ClassVar[tuple[str, ...]] = (NEURONS_LABELLED_ON_TEST,)
    can_refit = True

    def __init__(self, settings: Any, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self._read_outs: dict[str, ReadOut] = {}

    def _fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int,
        run_folder: Path | None,
    ) -> dict[str, Any]:
        """Learn without labels, observe, and fit the read-outs; `validation` chooses strengths.

        Codings and layers learn from `train` alone. With the setting ``refit`` the read-outs learn
        from the labels of validation clips too, once strengths are chosen. Pictures of spikes and
        weights go to ``images`` in `run_folder`.
        """
        self._read_outs = {}
        shown = [*train, *(clip for clip in validation if clip.emotion in self._classes)]
        rates = self._learn_from(shown, len(train), seed)
        labels = known([clip.emotion for clip in shown], self._classes)
        views = self._views(rates)
        for name, view in views.items():
            in_train, of_view = view.rows < len(train), labels[view.rows]
            if set(of_view[in_train]) != set(range(len(self._classes))):
                continue  # it could never answer with a class that it has not seen
            read_out = ReadOut(self.settings.read_out, self._seen_by(name).positions, self._prior)
            parts = [(view.counts[part], of_view[part]) for part in (in_train, ~in_train)]
            read_out.fit(parts[0], parts[1], refit=self.settings.refit)
            self._read_outs[name] = read_out
        if not self._read_outs:
            raise MissingModalityError(
                f"No modality has a training clip of each class ({', '.join(self._classes)}), so "
                "nothing can tell them apart. Use a recogniser of another modality, or more clips."
            )
        if run_folder is not None:
            from aver.models.snn_cross_modal.plots import write_layer_images

            write_layer_images(self._layers, self._fired(rates), run_folder / "images")
        return {
            **self._facts(),
            "views without a read-out": [view for view in views if view not in self._read_outs],
            **self._record(),
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
        """The protocol ``neurons-labelled-on-test``: what some public scripts do. LEAKS.

        Layers learn as in `fit`; then neurons get their labels from the true classes of the test
        clips themselves, and vote for these clips. Nothing is written.
        """
        self._read_outs = {}  # those below never leave this call: they know the test labels
        self._learn_from(train, len(train), seed)
        clips, loaded = self._load(test)
        labels = known([clip.emotion for clip in test], self._classes)
        views = self._views(clips)
        voting = replace(self.settings.read_out, kind=self.settings.read_out.vote)
        read_outs = {}
        for name, view in views.items():
            read_out = ReadOut(voting, self._seen_by(name).positions, self._prior)
            labelled = labels[view.rows] >= 0
            read_out.label(view.counts[labelled], labels[view.rows][labelled])
            read_outs[name] = read_out
        facts = {
            **self._facts(),
            **self._record(),
            "labels_used": {"neuron labels": ["test"], "class shares": ["train"]},
        }
        return facts, predict_views(test, loaded, views, read_outs, self._classes)

    def _predict(self, clips: Sequence[Clip]) -> Prediction:
        """Phase 3."""
        rates, loaded = self._load(clips)
        return predict_views(clips, loaded, self._views(rates), self._read_outs, self._classes)

    def _facts(self) -> dict[str, Any]:
        return {
            "parameters": sum(layer.parameters for layer in self._layers.values()),
            "neurons": {name: layer.neurons for name, layer in self._layers.items()},
            "strengths chosen on validation": {
                name: read_out.C
                for name, read_out in self._read_outs.items()
                if read_out.C is not None
            },
        }

    def _record(self) -> dict[str, dict[str, list[str]]]:
        """What was fitted on which part, and whose labels it used; see `aver.audit.audit_run`."""
        learned = ["train", "validation"] if self.settings.refit else ["train"]
        names = {"logistic": "strength and temperature", "selective-vote": "temperature"}
        chosen = {names[k]: ["validation"] for k in names if k == self.settings.read_out.kind}
        return {
            "fitted_on": {"rate coding": ["train"], "synapses, without labels": ["train"]},
            "labels_used": {"weights": learned, **chosen},
        }

    def _state(self) -> dict[str, Any]:
        return {"seed": self._seed, "views": list(self._read_outs)}

    def _weights(self) -> dict[str, np.ndarray]:
        return joined_arrays(
            {
                **{f"inputs/{name}": inputs.arrays() for name, inputs in self._inputs.items()},
                **{f"layers/{name}": layer.arrays() for name, layer in self._layers.items()},
                **{f"read-outs/{name}": one.arrays() for name, one in self._read_outs.items()},
            }
        )

    def _restore(self, weights: dict[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self._seed = facts["seed"]
        for modality in self.features:
            self._inputs[modality] = self._new_inputs(modality)
            self._inputs[modality].restore(**taken_arrays(weights, f"inputs/{modality}"))
        self._layers = self._build(self._seed)
        for name, layer in self._layers.items():
            layer.restore(taken_arrays(weights, f"layers/{name}"))
        for view in facts["views"]:
            layer = self._seen_by(view)
            read_out = ReadOut(self.settings.read_out, layer.positions, self._prior)
            read_out.restore(taken_arrays(weights, f"read-outs/{view}"), layer.neurons)
            self._read_outs[view] = read_out


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
    """``"audio"`` or ``"video"``."""

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
        return {VIDEO: self.settings.video, AUDIO: self.settings.audio}

    def _learn_alone(self, modality: str, clips: ClipRates, seed: int) -> None:
        taken = clips.take(modality, clips.rows(modality))
        self._layers[modality].learn({INPUT: taken}, seed)
