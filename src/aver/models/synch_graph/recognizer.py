"""Synch-Graph of Mansouri-Benssassi & Ye 2020: neural synchrony as a graph for each clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import Recognizer, check_validation
from aver.models.layers.rate_coding import check_modalities
from aver.models.snn_cross_modal.read_out import known
from aver.models.synch_graph.front_end import FrontEnd, Observed
from aver.models.synch_graph.read_out import Readout, SpikingClips, make_readout
from aver.models.synch_graph.settings import SynchGraphSettings, refuse_leaking_edges


def fit_record(
    settings: SynchGraphSettings, *, labels_of_test: bool
) -> dict[str, dict[str, list[str]]]:
    """For the model card; see `aver.audit.audit_run`.

    Parameters
    ----------
    settings : SynchGraphSettings
    labels_of_test : bool
        Whether label edges joined test clips.
    """
    used = {"weights": ["train"], "class shares": ["train"]}
    if settings.readout == "counts":
        if settings.counts.kind in ("logistic", "selective-vote"):
            used["strength and temperature"] = ["validation"]
    elif settings.training.keep == "best":
        used["epoch"] = ["validation"]
    if labels_of_test:
        used["label edges"] = ["train", "validation", "test"]
    elif settings.readout == "graph" and settings.graph.label_edges == "train":
        used["label edges"] = ["train"]
    fitted = {"scales of the rates": ["train"], "spiking network": ["train"]}
    return {"fitted_on": fitted, "labels_used": used}


class SynchGraph(Recognizer):
    """Lets picture and sound stir each other, and reads who fired together with whom.

    Parameters
    ----------
    settings : SynchGraphSettings
    store : FeatureSource

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020, "Synch-Graph: Multisensory Emotion Recognition Through
    Neural Synchrony via Graph Convolutional Networks".
    Differs from the paper: a clip is answered from its own graph. The printed method joins the
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
        check_modalities(self.name, self.features)
        self._front_end = FrontEnd(settings, self.features, store)
        self._readout: Readout
        self._seed = 0

    def take_features_from(self, source: FeatureSource) -> None:
        """Use another source of features from now on."""
        super().take_features_from(source)
        self._front_end.store = source

    @cached_property
    def features(self) -> Mapping[str, Feature]:
        """What each modality shows the network."""
        inputs = self.settings.inputs
        return {modality: inputs[modality].make_feature() for modality in self.settings.modalities}

    def _fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int,
        run_folder: Path | None,
    ) -> dict[str, Any]:
        """Let the spiking network learn from `train`, then the read-out from its spikes.

        Raises
        ------
        SettingsError
            If ``label_edges`` reaches beyond the training clips, before anything is learnt.
        """
        if self.settings.readout == "graph":
            refuse_leaking_edges(self.settings.graph)
        observed = self._learn_spikes(train, validation, seed)
        readout = make_readout(self.settings, self._positions, len(self._classes))
        readout.learn(
            self._spiking_clips(observed[0], train),
            self._spiking_clips(observed[1], validation),
            seed=seed,
            run_folder=run_folder,
        )
        self._readout = readout
        return {**readout.facts, **fit_record(self.settings, labels_of_test=False)}

    def _fit_predict_leaking(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        test: Sequence[Clip],
        *,
        seed: int,
        run_folder: Path | None,
    ) -> tuple[dict[str, Any], Prediction]:
        """The printed method, whatever ``label_edges`` says: it sees the labels of `test`. LEAKS.

        Without a graph there is nothing to leak through: the other read-outs are fitted as ever.
        """
        if self.settings.readout != "graph":
            facts = self._fit(train, validation, seed=seed, run_folder=run_folder)
            return facts, self._predict([clip.without_labels() for clip in test])
        from aver.models.synch_graph.read_out import GraphReadout

        seen = self._learn_spikes(train, validation, seed)
        tested = self._front_end.observe(test)
        readout = GraphReadout(self.settings, self._positions, len(self._classes))
        probabilities = readout.learn_leaking(
            self._spiking_clips(seen[0], train),
            self._spiking_clips(seen[1], validation),
            self._spiking_clips(tested, test),
            seed=seed,
            run_folder=run_folder,
        )
        facts = {**readout.facts, **fit_record(self.settings, labels_of_test=True)}
        return facts, tested.prediction(self._classes, self._prior, probabilities, {})

    def _predict(self, clips: Sequence[Clip]) -> Prediction:
        """Predict clips, each from its own graph.

        The answer of a modality alone is that of a network to which only it is shown.
        """
        readout = self._readout
        observed = self._front_end.observe(clips)
        alone = {}
        for modality, present in observed.present.items():
            several = len(self.features) > 1
            seen = self._front_end.observe(clips, (modality,)) if several else observed
            predictions = readout.probabilities(seen.clip_ids, seen.spikes)
            predictions[~present | seen.silent] = np.nan
            alone[modality] = predictions
        probabilities = readout.probabilities(observed.clip_ids, observed.spikes)
        return observed.prediction(self._classes, self._prior, probabilities, alone)

    def _state(self) -> dict[str, Any]:
        return {"seed": self._seed}

    def _weights(self) -> dict[str, np.ndarray]:
        learned = {f"readout/{name}": v for name, v in self._readout.arrays().items()}
        return learned | self._front_end.arrays()

    def _restore(self, weights: dict[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self._seed = int(facts["seed"])
        self._front_end.restore(weights, self._seed)
        self._readout = make_readout(self.settings, self._positions, len(self._classes))
        self._readout.restore({n[8:]: v for n, v in weights.items() if n[:8] == "readout/"})
        for name in self._weights():
            del weights[name]

    def observe(self, clips: Sequence[Clip]) -> Observed:
        """Spikes of clips in the trained network, for graphs and pictures."""
        self._check_trained()
        return self._front_end.observe(clips)

    @property
    def _positions(self) -> dict[str, int]:
        assert self._front_end.network is not None
        return self._front_end.network.positions

    def _learn_spikes(
        self, train: Sequence[Clip], validation: Sequence[Clip], seed: int
    ) -> tuple[Observed, Observed]:
        check_validation([clip for clip in validation if clip.emotion in self._classes])
        self._seed = seed
        self._front_end.learn(train, seed)
        return self._front_end.observe(train), self._front_end.observe(validation)

    def _spiking_clips(self, observed: Observed, clips: Sequence[Clip]) -> SpikingClips:
        """Spikes with class numbers; -1 for a class that training has not seen."""
        labels = known([clip.emotion for clip in clips], self._classes)
        return SpikingClips(observed.clip_ids, observed.spikes, labels)
