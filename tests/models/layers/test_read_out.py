"""Labels of neurons, votes and regressions on spike counts, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from aver.errors import SettingsError
from aver.models.layers.read_out import (
    NeuronLabels,
    ReadOut,
    ReadOutSettings,
    SelectiveVote,
    label_neurons,
)
from aver.models.layers.score_classifier import best_temperature

COUNTS = np.array(
    # two positions of three neurons
    [
        [5, 0, 1, 4, 0, 0],
        [6, 0, 0, 3, 1, 0],
        [0, 4, 1, 0, 5, 0],
        [1, 2, 0, 0, 7, 0],
    ]
)
LABELS = np.array([0, 0, 1, 1])


def test_neurons_are_labeled_with_the_class_that_evokes_most_spikes() -> None:
    labeled = label_neurons(COUNTS, LABELS, 2)
    assert labeled.label.tolist() == [0, 1, 0, 0, 1, -1]  # equal means: the first class


def test_three_votes_by_hand() -> None:
    labeled = NeuronLabels(np.array([0, 1, 0, 0, 1, -1]), 2)
    clip = np.array([[2, 6, 1, 0, 3, 9]])
    assert labeled.scores(clip, 2, "vote").tolist() == [[1.0, 4.5]]
    assert labeled.scores(clip, 2, "winner").tolist() == [[0.0, 1.0]]  # the other has no label
    many = NeuronLabels(np.repeat([0, 1], 10), 2)
    spikes = np.arange(20)[np.newaxis]
    assert many.scores(spikes, 1, "active-tenth").tolist() == [[0.0, 0.2]]


def test_a_selective_vote_by_hand() -> None:
    counts = np.array([[1, 0, 9], [1, 4, 4], [9, 4, 9], [9, 16, 4]])
    labels = np.array([0, 0, 1, 1])
    vote = SelectiveVote.fit(counts, labels, 2, sharpness=1.0)
    # Roots: neuron 0 has 1, 1, 3, 3; neuron 1 has 0, 2, 2, 4; neuron 2 tells nothing apart.
    assert vote.label.tolist() == [1, 1, 0]
    assert vote.mean.tolist() == [2.0, 2.0, 2.5]
    expected = np.array([1.0, 1 / np.sqrt(2)])  # mean standard scores of class 1
    assert np.allclose(vote.weight[:2], expected / expected.sum())
    assert vote.weight[2] == 0  # weightless: class 0 has no voice, which is its base one
    new = np.array([[4, 0, 100]])
    voice = (vote.weight[:2] * [0.0, -2 / np.sqrt(2)]).sum()
    standard = (np.sqrt(counts[:, :2]) - vote.mean[:2]) / vote.std[:2] @ vote.weight[:2]
    assert np.allclose(vote.scores(new), [[0.0, voice / standard.std()]])
    assert vote.scores(counts).argmax(axis=1).tolist() == labels.tolist()


def test_a_selective_vote_finds_classes_that_a_plain_vote_misses() -> None:
    """Neurons fire in every clip and a little more for their class, which mean counts hide."""
    rng = np.random.default_rng(1)
    labels = np.arange(400) % 4
    base = np.repeat([400, 40, 90, 10], 5)
    own = np.arange(20) // 5 == labels[:, np.newaxis]
    counts = rng.poisson(base * (1 + 1.5 * own / np.sqrt(base)))
    train, new = (counts[:200], labels[:200]), (counts[200:], labels[200:])
    right = {}
    for kind in ("vote", "selective-vote"):
        read_out = ReadOut(ReadOutSettings(kind), 1, np.full(4, 0.25))
        read_out.fit(train, new, refit=False)
        predictions = read_out.probabilities(new[0])
        assert np.allclose(predictions.sum(axis=1), 1)
        right[kind] = (predictions.argmax(axis=1) == new[1]).mean()
    assert right["vote"] < 0.3
    assert right["selective-vote"] > 0.8


def test_a_silent_clip_gets_the_prior() -> None:
    prior = np.array([0.3, 0.7])
    for kind in ("vote", "winner", "active-tenth"):
        read_out = ReadOut(ReadOutSettings(kind), 2, prior)
        read_out.fit((COUNTS, LABELS), (COUNTS[:0], LABELS[:0]), refit=False)
        predictions = read_out.probabilities(np.vstack([COUNTS[0], np.zeros(6, int)]))
        assert predictions[1].tolist() == prior.tolist()
        assert predictions[0, 0] > 0.8


def test_refit_labels_neurons_by_validation_clips_too() -> None:
    alone, joined = (ReadOut(ReadOutSettings("vote"), 2, np.full(2, 0.5)) for _ in range(2))
    later = (np.tile([0, 0, 0, 0, 0, 3], (2, 1)), np.array([1, 1]))
    alone.fit((COUNTS, LABELS), later, refit=False)
    joined.fit((COUNTS, LABELS), later, refit=True)
    assert alone.labels.label[5] == -1
    assert joined.labels.label[5] == 1


@pytest.mark.parametrize("kind", ["logistic", "selective-vote"])
def test_without_refit_nothing_is_fitted_to_validation_clips(kind) -> None:
    """If the validation clips are the test clips, fitting to them would leak their labels."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    counts = rng.poisson(9 + 4 * (np.arange(12) % 3 == labels[:, np.newaxis]))
    train, held_out = (counts[:30], labels[:30]), (counts[30:], labels[30:])
    alone, joined = (ReadOut(ReadOutSettings(kind), 1, np.full(3, 1 / 3)) for _ in range(2))
    alone.fit(train, held_out, refit=False)
    joined.fit(train, held_out, refit=True)
    for read_out, of in ((alone, train[0]), (joined, counts)):
        found = read_out.classifier or read_out.selective
        assert np.allclose(found.mean, np.sqrt(of).mean(axis=0))
    # The temperature is fitted to clips to which nothing else was fitted, refit or not.
    first = alone.classifier or alone.selective
    scores = first.scores(np.sqrt(held_out[0]) if kind == "logistic" else held_out[0])
    best = best_temperature(scores, held_out[1])
    assert first.temperature == pytest.approx(best)
    assert (joined.classifier or joined.selective).temperature == pytest.approx(best)


@pytest.mark.parametrize(
    ("values", "name"),
    [({"Cs": ()}, "Cs"), ({"Cs": (0.1, float("nan"))}, "Cs"), ({"sharpness": -1.0}, "sharpness")],
)
def test_settings_out_of_range(values, name) -> None:
    with pytest.raises(SettingsError, match=name):
        ReadOutSettings(**values)
