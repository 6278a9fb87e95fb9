"""`spike_counts`: how often each neuron of both modalities fired in each clip."""

from __future__ import annotations

from collections.abc import Sequence

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
