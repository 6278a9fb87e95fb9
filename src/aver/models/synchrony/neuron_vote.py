"""`NeuronVote`: answers from spike counts alone, as Diehl & Cook give them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aver.models.synchrony.clip_spikes import MODALITIES, ClipSpikes


def spike_counts(spikes: Sequence[ClipSpikes], positions: dict[str, int], maps: int) -> np.ndarray:
    """Spikes of every neuron, `[shape=(clips, neurons)]`; neurons of the video first."""
    present = [name for name in MODALITIES if name in positions]
    first = dict(
        zip(present, np.cumsum([0, *(positions[name] * maps for name in present)]), strict=False)
    )
    begins = np.array([first.get(name, 0) for name in MODALITIES])
    neurons = sum(positions[name] * maps for name in present)
    counts = np.zeros((len(spikes), neurons))
    for row, one in zip(counts, spikes, strict=True):
        np.add.at(row, begins[one.modality] + one.position * maps + one.feature_map, 1)
    return counts


@dataclass(frozen=True, eq=False)
class NeuronVote:
    """Every neuron speaks for the class that drove it most, and a clip is what most speak for.

    Parameters
    ----------
    label : np.ndarray [shape=(neurons,), dtype=int]
        Class of each neuron, -1 for one that never fired in training.

    Notes
    -----
    Source: Diehl & Cook 2015, section 2.6: mean rate of the neurons of each class.
    """

    label: np.ndarray

    @classmethod
    def learn(cls, counts: np.ndarray, labels: np.ndarray, classes: int) -> NeuronVote:
        """Give every neuron the class whose training clips made it fire most on average."""
        means = np.stack([counts[labels == k].mean(axis=0) for k in range(classes)])
        return cls(np.where(means.any(axis=0), means.argmax(axis=0), -1))

    def probabilities(self, counts: np.ndarray, classes: int, prior: np.ndarray) -> np.ndarray:
        """Shares of the mean rates, `[shape=(clips, classes)]`; the prior where nobody fires."""
        rates = np.stack(
            [
                counts[:, self.label == k].mean(axis=1)
                if (self.label == k).any()
                else np.zeros(len(counts))
                for k in range(classes)
            ],
            axis=1,
        )
        total = rates.sum(axis=1, keepdims=True)
        return np.where(total > 0, rates / np.where(total > 0, total, 1), prior)
