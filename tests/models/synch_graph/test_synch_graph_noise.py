"""Noise is predicted at chance by a graph for each clip, and perfectly with labels as edges.

Spikes are drawn independently of the class, with three seeds. The leaking graph is trained faster
than the paper prints: no dropout, rate 0.05, 16 hidden units, a window of 20 ms.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from aver.models.synch_graph.graph import ClipSpikes
from aver.models.synch_graph.read_out import GraphReadOut, SpikingClips
from aver.models.synch_graph.settings import GraphSettings, SynchGraphSettings
from aver.spiking import Spikes
from aver.training.settings import TrainingSettings

CLASSES, CLIPS, MAPS = 6, 720, 20
POSITIONS = {"video": 4, "audio": 4}
SETTINGS = SynchGraphSettings(
    graph=GraphSettings(hidden=16, window_ms=20.0),
    training=TrainingSettings(epochs=25, learning_rate=2e-2, schedule="cosine", patience=25),
)


def noise(seed):
    """Balanced clips with 20 spikes of random neurons at random times in each modality."""
    rng = np.random.default_rng(seed)
    spikes = [
        ClipSpikes.of(
            {
                name: Spikes(rng.uniform(0, 350, 20), rng.integers(0, positions * MAPS, 20))
                for name, positions in POSITIONS.items()
            },
            MAPS,
        )
        for _ in range(CLIPS)
    ]
    labels = rng.permutation(np.arange(CLIPS) % CLASSES)
    return [
        SpikingClips([str(k) for k in rows], [spikes[k] for k in rows], labels[rows])
        for rows in np.split(np.arange(CLIPS), [216, 300])  # 420 clips are tested
    ]


def right_in_inductive_use(seed, label_edges):
    train, validation, test = noise(seed)
    graph = replace(SETTINGS.graph, label_edges=label_edges)
    learned = GraphReadOut(replace(SETTINGS, graph=graph), POSITIONS, CLASSES)
    learned.fit(train, validation, seed=seed)
    predictions = learned.probabilities(test.clip_ids, test.spikes).argmax(axis=1)
    return int((predictions == test.labels).sum()), len(test.labels)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("label_edges", ["none", "train"])
def test_without_test_labels_noise_is_predicted_at_chance(label_edges, seed):
    right, count = right_in_inductive_use(seed, label_edges)
    low, high = binomtest(right, count, 1 / CLASSES).proportion_ci(0.999, method="exact")
    assert count >= 400
    assert low <= 1 / CLASSES <= high, f"{right} of {count} right, although the features are noise"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_edges_by_label_predict_noise_because_they_leak(seed):
    subsets = [
        SpikingClips(one.clip_ids[::3], one.spikes[::3], one.labels[::3]) for one in noise(seed)
    ]
    training = replace(SETTINGS.training, epochs=130, learning_rate=0.05, patience=130)
    learned = GraphReadOut(
        replace(SETTINGS, graph=replace(SETTINGS.graph, dropout=0.0), training=training),
        POSITIONS,
        CLASSES,
    )
    predictions = learned.fit_predict_leaking(*subsets, seed=seed).argmax(axis=1)
    assert (predictions == subsets[2].labels).mean() > 0.95
