"""Synch-Graph of Mansouri-Benssassi & Ye 2020: neural synchrony as a graph for each clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import Recognizer, check_validation
from aver.models.data.clip_features import coverage_of, flags_of
from aver.models.layers.rate_coding import ClipValues, RateInputs
from aver.models.layers.read_out import class_indices
from aver.models.synch_graph.graph import ClipSpikes
from aver.models.synch_graph.network import RecurrentNetwork
from aver.models.synch_graph.read_out import CountReadOut, GraphReadOut, SpikingClips
from aver.models.synch_graph.settings import SynchGraphSettings, refuse_leaking_edges


@dataclass(frozen=True, eq=False)
class Observed:
    """Spikes of clips in the trained network.

    Parameters
    ----------
    clip_ids : tuple of str
    spikes : tuple of ClipSpikes
    loaded : mapping of str to ClipValues
        By modality, what was shown.
    """

    clip_ids: tuple[str, ...]
    spikes: tuple[ClipSpikes, ...]
    loaded: Mapping[str, ClipValues]

    @property
    def silent(self) -> np.ndarray:
        """Which clips have no spikes: bool (clips,)."""
        return np.array([len(one) == 0 for one in self.spikes], dtype=bool)

    @property
    def missing(self) -> np.ndarray:
        """Which clips lack every modality: bool (clips,)."""
        return ~np.any([one.present for one in self.loaded.values()], axis=0)


class SynchGraph(Recognizer):
    """Video and audio excite each other in a spiking network; a graph tells who fired together.

    Parameters
    ----------
    settings : SynchGraphSettings
    store : FeatureSource

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020, "Synch-Graph: Multisensory Emotion Recognition Through
    Neural Synchrony via Graph Convolutional Networks".
    Differs from the paper: a clip is predicted from its own graph. The printed method joins the
    neurons of all clips of one class, test clips included; that is `fit_predict_leaking`.
    """

    name = "synch-graph"
    source = "Mansouri-Benssassi & Ye 2020"
    settings_type = SynchGraphSettings
    settings: SynchGraphSettings
    protocol_leaks = (
        "Neurons of clips with the same label are joined, test clips included: the graph holds the "
        "predictions.",
    )

    def __init__(self, settings: SynchGraphSettings, store: FeatureSource) -> None:
        super().__init__(settings, store)
        inputs = {modality: settings.inputs[modality] for modality in settings.modalities}
        self._inputs = RateInputs(self.name, inputs)
        self._network: RecurrentNetwork
        self._read_out: GraphReadOut | CountReadOut
        self._seed = 0

    @property
    def features(self) -> Mapping[str, Feature]:
        """Modality to the feature that it shows the network."""
        return self._inputs.features

    def _fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int,
        run_folder: Path | None,
    ) -> dict[str, Any]:
        """Train the spiking network on `train`, then the read-out on its spikes.

        Raises
        ------
        SettingsError
            If ``label_edges`` reaches beyond the training clips, before anything is trained.
        """
        if self.settings.read_out == "graph":
            refuse_leaking_edges(self.settings.graph)
        self._learn(train, validation, seed)
        self._read_out = self._new_read_out()
        self._read_out.fit(
            self._spiking_clips(train),
            self._spiking_clips(validation),
            seed=seed,
            run_folder=run_folder,
        )
        return {**self._read_out.facts, **self._subsets_used()}

    def _fit_predict_leaking(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        test: Sequence[Clip],
        *,
        seed: int,
        run_folder: Path | None,
    ) -> tuple[dict[str, Any], Prediction]:
        """The printed method, whatever ``label_edges`` is: it uses the labels of `test`. LEAKS.

        Read-outs of spike counts have no label edges, so that nothing leaks: they are fitted as
        in `fit`.
        """
        if self.settings.read_out != "graph":
            facts = self._fit(train, validation, seed=seed, run_folder=run_folder)
            return facts, self._predict([clip.without_labels() for clip in test])
        self._learn(train, validation, seed)
        subsets = [self._spiking_clips(clips) for clips in (train, validation)]
        observed = self._observe(test)
        subsets.append(self._spiking_clips(test, observed))
        read_out = GraphReadOut(self.settings, self._network.positions, len(self._classes))
        probabilities = read_out.fit_predict_leaking(*subsets, seed=seed, run_folder=run_folder)
        facts = {**read_out.facts, **self._subsets_used(labels_of_test=True)}
        return facts, self._prediction(observed, probabilities, {})

    def _predict(self, clips: Sequence[Clip]) -> Prediction:
        """Predict clips, each from its own graph.

        The prediction by one modality is that of the network if only this modality is shown.
        """
        observed = self._observe(clips)
        by_modality = {}
        for modality, shown in observed.loaded.items():
            alone = self._observe(clips, (modality,)) if len(self.features) > 1 else observed
            probabilities = self._read_out.probabilities(alone.clip_ids, alone.spikes)
            probabilities[~shown.present | alone.silent] = np.nan
            by_modality[modality] = probabilities
        probabilities = self._read_out.probabilities(observed.clip_ids, observed.spikes)
        return self._prediction(observed, probabilities, by_modality)

    def _prediction(
        self,
        observed: Observed,
        probabilities: np.ndarray,
        by_modality: Mapping[str, np.ndarray],
    ) -> Prediction:
        """The prediction with its flags; the prior for clips without spikes."""
        silent, missing = observed.silent, observed.missing
        without_spikes = np.where(missing[:, None], np.nan, self._prior)
        return Prediction(
            clip_ids=observed.clip_ids,
            classes=self._classes,
            probabilities=np.where(silent[:, None], without_spikes, probabilities),
            by_modality=by_modality,
            coverage=coverage_of(observed.loaded),
            flags=tuple(
                (*flags, "no spikes") if clip_silent and not clip_missing else flags
                for flags, clip_silent, clip_missing in zip(
                    flags_of(observed.loaded), silent, missing, strict=True
                )
            ),
        )

    def observe(self, clips: Sequence[Clip]) -> Observed:
        """Spikes of clips in the trained network, for graphs and plots."""
        self._check_trained()
        return self._observe(clips)

    def _observe(self, clips: Sequence[Clip], modalities: Sequence[str] | None = None) -> Observed:
        """Show clips to the frozen network; as if they had only these modalities, if given."""
        loaded = self._inputs.load(clips, self.store)
        loaded = {name: one for name, one in loaded.items() if name in (modalities or loaded)}
        rates = self._inputs.rates(clips, loaded)
        return Observed(rates.clip_ids, tuple(self._network.observe(rates)), loaded)

    def _learn(self, train: Sequence[Clip], validation: Sequence[Clip], seed: int) -> None:
        """Fit the codings to training clips and train the spiking network on them."""
        check_validation([clip for clip in validation if clip.emotion in self._classes])
        loaded = self._inputs.load(train, self.store)
        self._inputs.fit(loaded)
        self._seed, self._network = seed, self._new_network(seed)
        self._network.learn(self._inputs.rates(train, loaded))

    def _spiking_clips(
        self, clips: Sequence[Clip], observed: Observed | None = None
    ) -> SpikingClips:
        """Spikes and class indices of clips."""
        observed = observed or self._observe(clips)
        labels = class_indices([clip.emotion for clip in clips], self._classes)
        return SpikingClips(observed.clip_ids, observed.spikes, labels)

    def _new_network(self, seed: int) -> RecurrentNetwork:
        shapes = self._inputs.shapes
        windows = {
            name: self.settings.inputs[name].windows(shape) for name, shape in shapes.items()
        }
        return RecurrentNetwork(self.settings.spiking, shapes, windows, seed)

    def _new_read_out(self) -> GraphReadOut | CountReadOut:
        kind = GraphReadOut if self.settings.read_out == "graph" else CountReadOut
        return kind(self.settings, self._network.positions, len(self._classes))

    def _subsets_used(self, *, labels_of_test: bool = False) -> dict[str, dict[str, list[str]]]:
        """Which subsets were used for what, for the model card; see `aver.audit.audit_run`."""
        settings, labels = self.settings, {"weights": ["train"], "class shares": ["train"]}
        if settings.read_out == "counts":
            if settings.counts.chosen_on_validation:
                labels["C and temperature"] = ["validation"]
        elif settings.training.keep == "best":
            labels["epoch"] = ["validation"]
        if labels_of_test:
            labels["label edges"] = ["train", "validation", "test"]
        elif settings.read_out == "graph" and settings.graph.label_edges == "train":
            labels["label edges"] = ["train"]
        fitted = {"scales of the rates": ["train"], "spiking network": ["train"]}
        return {"fitted_on": fitted, "labels_used": labels}

    def _state(self) -> dict[str, Any]:
        return {"seed": self._seed}

    def _weights(self) -> dict[str, np.ndarray]:
        scales = {
            f"{name}/{modality}": array
            for modality, inputs in self._inputs.inputs.items()
            for name, array in inputs.arrays().items()
        }
        spiking = {f"spiking/{name}": v for name, v in self._network.layers.arrays().items()}
        return scales | spiking | {f"read_out/{n}": v for n, v in self._read_out.arrays().items()}

    def _restore(self, weights: dict[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        def taken(group: str) -> dict[str, np.ndarray]:
            names = [name for name in weights if name.startswith(f"{group}/")]
            return {name.removeprefix(f"{group}/"): weights.pop(name) for name in names}

        for modality, inputs in self._inputs.inputs.items():
            inputs.restore(weights.pop(f"zero/{modality}"), weights.pop(f"unit/{modality}"))
        self._seed = int(facts["seed"])
        self._network = self._new_network(self._seed)
        self._network.layers.restore(taken("spiking"))
        self._read_out = self._new_read_out()
        self._read_out.restore(taken("read_out"))
