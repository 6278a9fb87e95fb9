"""The Diehl & Cook network learns scikit-learn's digits; with permuted labels it cannot."""

import numpy as np
import pytest
from scipy import stats

from aver.spiking import Network, Population, Simulation


@pytest.fixture(scope="module")
def counts_and_labels():
    """Spike counts of training and test images after learning, and their labels."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    images = digits.images[order] / 16.0 * 63.75 * 4
    # Scaled up to 16 x 16, so that enough inputs take part.
    images = images.repeat(2, axis=1).repeat(2, axis=2)
    labels = digits.target[order]
    network = Network(Simulation(), seed=1)
    network.add_source("pixels", (16, 16))
    network.add_population("layer", Population(features=200))
    network.connect("pixels", "layer")
    network.run({"pixels": images[:1200]})
    counts = network.run({"pixels": images}, learn=False).counts["layer"]
    return counts, labels


def vote(counts, labels, train):
    """Label each neuron by the class that drove it most in training; mean vote of the rest."""
    classes = np.arange(10)
    driven = np.array([counts[:train][labels[:train] == c].mean(axis=0) for c in classes])
    named = driven.argmax(axis=0)
    votes = np.stack(
        [counts[train:][:, named == c].sum(axis=1) / max((named == c).sum(), 1) for c in classes]
    )
    return (votes.argmax(axis=0) == labels[train:]).mean()


def test_at_least_80_percent(counts_and_labels):
    counts, labels = counts_and_labels
    accuracy = vote(counts, labels, 1200)
    print(f"accuracy {accuracy:.3f} on {len(labels) - 1200} test images")
    assert accuracy >= 0.8


def test_permuted_training_labels_give_chance(counts_and_labels):
    counts, labels = counts_and_labels
    rng = np.random.default_rng(1)
    permuted = np.concatenate([rng.permutation(labels[:1200]), labels[1200:]])
    accuracy = vote(counts, permuted, 1200)
    low, high = stats.binom.interval(0.999, len(labels) - 1200, 0.1)
    assert low <= accuracy * (len(labels) - 1200) <= high
