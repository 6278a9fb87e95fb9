"""`VoteReadout`, `CountsReadout`: answers from spike counts, without a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from aver.models.parts.fit_scores import fit_chosen, fit_logistic
from aver.models.parts.score_classifier import ScoreClassifier
from aver.models.spiking_parts.neuron_labels import NeuronLabels, label_neurons
from aver.models.synchrony.clip_spikes import ClipSpikes
from aver.models.synchrony.readout import Readout, SpikingClips
from aver.models.synchrony.spike_counts import spike_counts


class CountReadout(Readout):
    """What both have in common: spikes of each neuron, numbered through both modalities."""

    def _counts(self, spikes: Sequence[ClipSpikes]) -> np.ndarray:
        return spike_counts(spikes, self.positions, self.settings.spiking.maps)


class VoteReadout(CountReadout):
    """The neurons' vote; see `Readout` for parameters."""

    neurons: NeuronLabels

    def learn(
        self,
        train: SpikingClips,
        validation: SpikingClips,
        *,
        seed: int,
        run_folder: Path | None = None,
    ) -> None:
        """Label the neurons by `train`; nothing is chosen."""
        self.neurons = label_neurons(self._counts(train.spikes), train.labels, self.classes)

    def probabilities(self, clip_ids: Sequence[str], spikes: Sequence[ClipSpikes]) -> np.ndarray:
        """Shares of the mean rates; all classes alike where nobody speaks."""
        counts = self._counts(spikes)
        rates = self.neurons.scores(counts, 1, "vote")
        total = rates.sum(axis=1, keepdims=True)
        return np.where(total > 0, rates / np.where(total > 0, total, 1), 1 / self.classes)

    def arrays(self) -> dict[str, np.ndarray]:
        """Labels of the neurons."""
        return {"label": self.neurons.label}

    def restore(self, arrays: Mapping[str, np.ndarray], folder: Path) -> None:
        """Take up what `arrays` gave."""
        self.neurons = NeuronLabels(arrays["label"], self.classes)

    @property
    def facts(self) -> dict[str, object]:
        """Neurons with a label."""
        return {"labelled neurons": int((self.neurons.label >= 0).sum())}


class CountsReadout(CountReadout):
    """Multinomial logistic regression of the spike counts; see `Readout` for parameters."""

    classifier: ScoreClassifier
    strength: float | None = None

    def learn(
        self,
        train: SpikingClips,
        validation: SpikingClips,
        *,
        seed: int,
        run_folder: Path | None = None,
    ) -> None:
        """Fit on `train`; `validation` chooses the penalty."""
        self.classifier, self.strength = fit_chosen(
            fit_logistic,
            self.settings.strengths,
            (self._counts(train.spikes), train.labels),
            (self._counts(validation.spikes), validation.labels),
            self.classes,
        )

    def probabilities(self, clip_ids: Sequence[str], spikes: Sequence[ClipSpikes]) -> np.ndarray:
        """Softmax of the scores."""
        return self.classifier.probabilities(self._counts(spikes))

    def arrays(self) -> dict[str, np.ndarray]:
        """The classifier."""
        return self.classifier.arrays()

    def restore(self, arrays: Mapping[str, np.ndarray], folder: Path) -> None:
        """Take up what `arrays` gave."""
        self.classifier = ScoreClassifier.from_arrays(arrays)

    @property
    def facts(self) -> dict[str, object]:
        """The penalty that the validation clips chose."""
        return {"strength chosen on validation": self.strength}
