"""`SpikingRecognizer`: learn, observe, predict; what all recognisers of spiking layers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import AverError, CheckpointError, MissingModalityError, SettingsError
from aver.features.store import FeatureSource
from aver.models.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from aver.models.parts.card_facts import card_facts
from aver.models.parts.label_shares import label_shares
from aver.models.prediction import Prediction
from aver.models.spiking_parts.array_parts import joined_arrays, taken_arrays
from aver.models.spiking_parts.layered_recognizer import LayeredRecognizer
from aver.models.spiking_parts.read_out import ReadOut, known
from aver.models.spiking_parts.spiking_answers import answer_views
from aver.settings import settings_from_mapping

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

    def __init__(self, settings: Any, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self._classes: tuple[str, ...] = ()
        self._prior = np.zeros(0)
        self._read_outs: dict[str, ReadOut] = {}
        self._card: dict[str, Any] = {}

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

        Codings and layers learn from `train` alone. With the setting ``refit`` the read-outs learn
        from the labels of validation clips too, once strengths are chosen. Pictures of spikes and
        weights go to ``pictures`` in `run_folder`.
        """
        self._classes, self._prior = label_shares(train)
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
        self._card = {
            **card_facts(self, train, validation, seed),
            **self._facts(),
            "views without a read-out": [view for view in views if view not in self._read_outs],
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
        self._card = {
            **card_facts(self, train, validation, seed),
            **self._facts(),
            **self._record(),
            "labels_used": {"neuron labels": ["test"], "class shares": ["train"]},
        }
        return answer_views(test, loaded, views, read_outs, self._classes, self._prior)

    def predict(self, clips: Sequence[Clip]) -> Prediction:
        """Phase 3: answer for clips."""
        self._check_trained()
        rates, loaded = self._load(clips)
        views = self._views(rates)
        return answer_views(clips, loaded, views, self._read_outs, self._classes, self._prior)

    def _check_trained(self) -> None:
        if not self._read_outs:
            raise SettingsError(
                "This recogniser has not been trained: call fit, or load one. A recogniser whose "
                "neurons were labelled on test clips cannot be used again."
            )

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
        names = {"logistic": "strength and temperature", "selective-vote": "temperature"}
        chosen = {names[k]: ["validation"] for k in names if k == self.settings.read_out.kind}
        return {
            "fitted_on": {"rate coding": ["train"], "synapses, without labels": ["train"]},
            "labels_used": {"weights": learnt, **chosen},
        }

    def save(self, folder: Path) -> None:
        """Write the checkpoint; refused after `fit_predict_leaking`."""
        self._check_trained()
        weights = joined_arrays(
            {
                **{f"inputs/{name}": inputs.arrays() for name, inputs in self._inputs.items()},
                **{f"layers/{name}": layer.arrays() for name, layer in self._layers.items()},
                **{f"read-outs/{name}": one.arrays() for name, one in self._read_outs.items()},
            }
        )
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
        if weights:
            raise ValueError(f"{min(weights)} is foreign")

    @property
    def card(self) -> dict[str, Any]:
        """Facts for the model card."""
        return dict(self._card)
