"""`SpikingRecognizer`: learn, observe, predict; what all recognisers of spiking layers share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import AverError, CheckpointError, MissingModalityError, SettingsError
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from aver.models.parts.card_facts import card_facts
from aver.models.parts.label_shares import label_shares
from aver.models.prediction import Prediction
from aver.models.recognizer import Recognizer
from aver.models.spiking_parts.clip_rates import ClipRates, View
from aver.models.spiking_parts.layer_inputs import (
    LayerClips,
    LayerInputs,
    feature_shape,
    load_layer_clips,
)
from aver.models.spiking_parts.layer_settings import LayerSettings
from aver.models.spiking_parts.read_out import ReadOut, known
from aver.models.spiking_parts.spiking_layer import INPUT, POPULATION, Link, SpikingLayer
from aver.settings import settings_from_mapping
from aver.spiking.spikes import Spikes
from aver.spiking.streams import stream_key

BOTH = "both"
"""The view of a clip that all modalities together give."""

NEURONS_LABELLED_ON_TEST = (
    "Neurons are labelled on the test clips, with their true classes, and then vote for them."
)


class SpikingRecognizer(Recognizer):
    """Three phases: learn without labels, observe frozen and read out, predict.

    A subclass says which layers there are, how they learn, and which views of a clip they give:
    one for each modality and, where there are several, `BOTH`. Every view has a read-out of its
    own. A clip is answered from all modalities together, else from the one that it has.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, section IV-C; Diehl & Cook 2015, section 2.6.
    Differs from the paper: neurons are labelled on training clips only, whatever the split.
    """

    protocol_leaks: ClassVar[tuple[str, ...]] = (NEURONS_LABELLED_ON_TEST,)

    def __init__(self, settings: Any, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self._classes: tuple[str, ...] = ()
        self._prior = np.zeros(0)
        self._seed = 0
        self._inputs: dict[str, LayerInputs] = {}
        self._layers: dict[str, SpikingLayer] = {}
        self._read_outs: dict[str, ReadOut] = {}
        self._card: dict[str, Any] = {}

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

    @property
    def classes(self) -> tuple[str, ...]:
        """Emotions seen in training."""
        return self._classes

    def fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int = 0,
        run_folder: Path | None = None,
    ) -> Self:
        """Learn without labels, observe, and fit the read-outs; `validation` chooses strengths.

        With the setting ``refit`` the layers see validation clips too, without labels, and the
        read-outs learn from their labels once strengths are chosen. Pictures of spikes and weights
        go to ``pictures`` in `run_folder`.
        """
        self._classes, self._prior = label_shares(train)
        self._read_outs = {}
        validated = [clip for clip in validation if clip.emotion in self._classes]
        learnt = [*train, *validated] if self.settings.refit else list(train)
        rates = self._learn_from(learnt, train, seed)
        parts = self._label_parts(train, validated, rates)
        for view, (of_train, of_validation) in parts.items():
            if set(of_train[1]) != set(range(len(self._classes))):
                continue  # it could never answer with a class that it has not seen
            read_out = ReadOut(self.settings.read_out, self._seen_by(view).positions, self._prior)
            read_out.fit(of_train, of_validation, refit=self.settings.refit)
            self._read_outs[view] = read_out
        if not self._read_outs:
            raise MissingModalityError(
                f"No modality has a training clip of each class ({', '.join(self._classes)}), so "
                "nothing can tell them apart. Use a recogniser of another modality, or more clips."
            )
        self._card = {
            **card_facts(self, train, validation, seed),
            **self._facts(),
            "views without a read-out": [view for view in parts if view not in self._read_outs],
            **self._record(),
        }
        if run_folder is not None:
            from aver.models.spiking_parts.layer_pictures import write_layer_pictures

            write_layer_pictures(self._layers, self._fired(rates), run_folder / "pictures")
        return self

    def fit_predict_leaking(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        test: Sequence[Clip],
        *,
        seed: int = 0,
        run_folder: Path | None = None,
    ) -> Prediction:
        """The protocol ``neurons-labelled-on-test``: what some public scripts do. LEAKS.

        Layers learn as in `fit`; then neurons get their labels from the true classes of the test
        clips themselves, and vote for these clips. Nothing is written.
        """
        self._classes, self._prior = label_shares(train)
        self._read_outs = {}  # those below never leave this call: they know the test labels
        learnt = [*train, *validation] if self.settings.refit else list(train)
        self._learn_from(learnt, train, seed)
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
        self._card = {
            **card_facts(self, train, validation, seed),
            **self._facts(),
            **self._record(),
            "labels_used": {"neuron labels": ["test"], "class shares": ["train"]},
        }
        return self._answer(test, loaded, views, read_outs)

    def predict(self, clips: Sequence[Clip]) -> Prediction:
        """Phase 3: answer for clips."""
        self._check_trained()
        rates, loaded = self._load(clips)
        return self._answer(clips, loaded, self._views(rates), self._read_outs)

    def _learn_from(self, learnt: Sequence[Clip], train: Sequence[Clip], seed: int) -> ClipRates:
        """Fit the codings, build the layers and let them learn; returns the rates of all clips."""
        self._seed = seed
        loaded = self._loaded(learnt)
        for modality, clips in loaded.items():
            if not clips.present[: len(train)].any():
                reasons = sorted({flag for flags in clips.flags for flag in flags})
                raise MissingModalityError(
                    f"None of the {len(train)} training clips has the modality {modality!r} "
                    f"({', '.join(reasons)}). Use a recogniser that does without it."
                )
            self._inputs[modality] = self._new_inputs(modality)
            self._inputs[modality].fit(clips)
        self._layers = self._build(seed)
        rates = self._rates(learnt, loaded)
        self._learn(rates, seed)
        return rates

    def _label_parts(
        self, train: Sequence[Clip], validated: Sequence[Clip], rates: ClipRates
    ) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
        """Counts and labels of training and validation clips, by view."""
        both = [*train, *validated]
        if len(rates.names) < len(both):
            rates = self._load(both)[0]
        labels = known([clip.emotion for clip in both], self._classes)
        parts = {}
        for name, view in self._views(rates).items():
            in_train = view.rows < len(train)
            parts[name] = [(view.counts[m], labels[view.rows][m]) for m in (in_train, ~in_train)]
        return parts

    def _check_trained(self) -> None:
        if not self._read_outs:
            raise SettingsError(
                "This recogniser has not been trained: call fit, or load one. A recogniser whose "
                "neurons were labelled on test clips cannot be used again."
            )

    def _answer(
        self,
        clips: Sequence[Clip],
        loaded: Mapping[str, LayerClips],
        views: Mapping[str, View],
        read_outs: Mapping[str, ReadOut],
    ) -> Prediction:
        answers = {name: np.full((len(clips), len(self._classes)), np.nan) for name in views}
        for name, view in views.items():
            if name in read_outs and len(view.rows):
                answers[name][view.rows] = read_outs[name].probabilities(view.counts)
        fused = np.full((len(clips), len(self._classes)), np.nan)
        for name in (BOTH, *self.features):
            if name in answers:
                fused = np.where(np.isnan(fused), answers[name], fused)
        empty = np.isnan(fused).any(axis=1)
        fused[empty] = self._prior
        flags = []
        for place, nothing in enumerate(empty):
            said = dict.fromkeys(flag for one in loaded.values() for flag in one.flags[place])
            flags.append((*said, "no usable modality") if nothing else tuple(said))
        return Prediction(
            clip_ids=tuple(clip.clip_id for clip in clips),
            classes=self._classes,
            probabilities=fused,
            by_modality={name: answers[name] for name in self.features},
            coverage={name: one.coverage for name, one in loaded.items()},
            flags=tuple(flags),
        )

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
            window=_in_inputs(layer.window, inputs),
            stride=_in_inputs(layer.stride, inputs),
            links=links,
            lag_ms=lag_ms,
            seed=stream_key(seed, modality),
        )

    def _input_sum(self, modality: str) -> float:
        """What the weights of the input onto one neuron add up to."""
        layer, inputs = self.layer_settings[modality], self._inputs[modality]
        rows, columns = (
            extent or length
            for extent, length in zip(
                _in_inputs(layer.window, inputs), inputs.input_shape, strict=True
            )
        )
        return layer.dynamics.sum_per_input * rows * columns

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

    def _facts(self) -> dict[str, Any]:
        return {
            "parameters": sum(layer.parameters for layer in self._layers.values()),
            "neurons": {name: layer.neurons for name, layer in self._layers.items()},
            "strengths chosen on validation": {
                name: read_out.strength
                for name, read_out in self._read_outs.items()
                if read_out.strength is not None
            },
        }

    def _record(self) -> dict[str, dict[str, list[str]]]:
        """What was fitted on which part, and whose labels it used; see `aver.audit.fit_record`."""
        learnt = ["train", "validation"] if self.settings.refit else ["train"]
        chosen = {"strength and temperature": ["validation"]}
        logistic = self.settings.read_out.kind == "logistic"
        return {
            "fitted_on": {"rate coding": learnt, "synapses, without labels": learnt},
            "labels_used": {"weights": learnt, **(chosen if logistic else {})},
        }

    def save(self, folder: Path) -> None:
        """Write the checkpoint; refused after `fit_predict_leaking`."""
        self._check_trained()
        parts: dict[str, Mapping[str, np.ndarray]] = {
            **{f"inputs/{name}": inputs.arrays() for name, inputs in self._inputs.items()},
            **{f"layers/{name}": layer.arrays() for name, layer in self._layers.items()},
            **{f"read-outs/{name}": one.arrays() for name, one in self._read_outs.items()},
        }
        weights = {
            f"{part}:{key}": array
            for part, arrays in parts.items()
            for key, array in arrays.items()
        }
        facts = {
            "settings": asdict(self.settings),
            "features": {name: feature.settings() for name, feature in self.features.items()},
            "classes": list(self._classes),
            "seed": self._seed,
            "views": list(self._read_outs),
        }
        weights["prior"] = self._prior
        write_checkpoint(folder, Checkpoint(self.name, weights, facts, self.card))

    @classmethod
    def load(cls, folder: Path, store: FeatureSource) -> Self:
        """Read what `save` wrote."""
        checkpoint = read_checkpoint(folder, cls.name)
        settings = settings_from_mapping(cls.settings_type, checkpoint.facts["settings"])
        recognizer = cls(settings, store)
        recognizer._classes = tuple(checkpoint.facts["classes"])
        recognizer._card = dict(checkpoint.card)
        try:
            recognizer._restore(dict(checkpoint.weights), checkpoint.facts)
        except (AverError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"The weights at {folder} do not fit a {cls.name} checkpoint ({error}); it was "
                "changed or mixed with another one."
            ) from None
        return recognizer

    def _restore(self, weights: dict[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self._prior = weights.pop("prior")
        self._seed = facts["seed"]

        def taken(part: str) -> dict[str, np.ndarray]:
            names = [name for name in weights if name.startswith(f"{part}:")]
            return {name.removeprefix(f"{part}:"): weights.pop(name) for name in names}

        for modality in self.features:
            self._inputs[modality] = self._new_inputs(modality)
            self._inputs[modality].restore(**taken(f"inputs/{modality}"))
        self._layers = self._build(self._seed)
        for name, layer in self._layers.items():
            layer.restore(taken(f"layers/{name}"))
        for view in facts["views"]:
            read_out = ReadOut(self.settings.read_out, self._seen_by(view).positions, self._prior)
            read_out.restore(taken(f"read-outs/{view}"))
            self._read_outs[view] = read_out
        if weights:
            raise ValueError(f"{min(weights)} is foreign")

    @property
    def card(self) -> dict[str, Any]:
        """Facts for the model card."""
        return dict(self._card)


def _in_inputs(extent: tuple[int, ...], inputs: LayerInputs) -> tuple[int, int]:
    """Rows and columns of a feature in rows and columns of inputs."""
    return extent[0] * inputs.coding.inputs_per_row, extent[1]
