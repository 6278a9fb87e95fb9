"""Laws that every registered recognizer keeps.

A model takes part by being registered and by an entry in `tiny.TINY`: settings with which it
trains within seconds on planted features.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from planted_source import PlantedSource, planted_clips
from scipy.stats import binomtest
from tiny import tiny

from aver.audit.audit_run import FitRecord, find_in_record
from aver.errors import SettingsError
from aver.models.base.recognizer import models

CLASSES = 4
CLIPS = planted_clips(speakers=14, takes=8)  # 448 clips, balanced over classes and speakers
SPEAKERS = sorted({clip.speaker for clip in CLIPS})
FOLDS = 2


def subsets(clips, fold):
    """Train, validation and test clips, speaker-independent: half of the speakers are tested."""
    test = SPEAKERS[fold::FOLDS]
    validation = [speaker for speaker in SPEAKERS if speaker not in test][:2]
    chosen = {"train": [], "validation": [], "test": []}
    for clip in clips:
        subset = "test" if clip.speaker in test else "train"
        chosen["validation" if clip.speaker in validation else subset].append(clip)
    return chosen["train"], chosen["validation"], chosen["test"]


def unlabelled(clips):
    return [clip.without_labels() for clip in clips]


def count_correct(recognizer, clips):
    labels = recognizer.predict(unlabelled(clips)).labels
    return sum(label == clip.emotion for label, clip in zip(labels, clips, strict=True))


def is_chance(correct, count):
    interval = binomtest(correct, count, 1 / CLASSES).proportion_ci(0.999, method="exact")
    return interval.low <= 1 / CLASSES <= interval.high


class LeakedLabels(PlantedSource):
    """Features that contain the clip's class, as if they were made with the labels."""

    def __init__(self):
        super().__init__(strength=3.0)


@pytest.fixture(params=models.names())
def kind(request):
    return models.get(request.param)


@pytest.fixture(scope="module")
def trained():
    """One recognizer of each kind, trained on informative features when it is first needed."""
    recognizers = {}

    def get(kind):
        if kind.name not in recognizers:
            train, validation, _ = subsets(CLIPS, 0)
            recognizers[kind.name] = tiny(kind, PlantedSource(2.0)).fit(train, validation, seed=1)
        return recognizers[kind.name]

    return get


def informative(kind):
    """Whether the kind reads features at all; the majority class does not."""
    return bool(tiny(kind, PlantedSource()).features)


def test_noise_gives_chance(kind):
    correct = count = 0
    for fold in range(FOLDS):
        train, validation, test = subsets(CLIPS, fold)
        recognizer = tiny(kind, PlantedSource(strength=0.0)).fit(train, validation, seed=fold)
        correct, count = correct + count_correct(recognizer, test), count + len(test)
    assert count >= 400
    assert is_chance(correct, count), f"{correct} of {count} correct on noise"


def test_leaked_labels_give_more_than_chance(kind):
    if not informative(kind):
        pytest.skip(f"{kind.name} reads no features, so nothing can leak through them.")
    correct = count = 0
    for fold in range(FOLDS):
        train, validation, test = subsets(CLIPS, fold)
        recognizer = tiny(kind, LeakedLabels()).fit(train, validation, seed=fold)
        correct, count = correct + count_correct(recognizer, test), count + len(test)
    assert not is_chance(correct, count)


def test_same_seed_same_predictions_for_one_and_two_threads(kind, trained):
    train, validation, test = subsets(CLIPS, 0)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        again = tiny(kind, PlantedSource(2.0)).fit(train, validation, seed=1)
        predictions = again.predict_proba(unlabelled(test))
        torch.set_num_threads(1)
        np.testing.assert_array_equal(trained(kind).predict_proba(unlabelled(test)), predictions)
    finally:
        torch.set_num_threads(before)


def test_save_load_predict_again(kind, trained, tmp_path):
    recognizer, (_, _, test) = trained(kind), subsets(CLIPS, 0)
    recognizer.save(tmp_path / "run")
    loaded = kind.load(tmp_path / "run", recognizer.store)
    expected, found = recognizer.predict(unlabelled(test)), loaded.predict(unlabelled(test))
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    assert loaded.classes == recognizer.classes
    for name in ("weights.safetensors", "recognizer.json", "card.json"):
        assert (tmp_path / "run" / name).is_file()


class Nothing(PlantedSource):
    def get(self, clip, feature):
        self.without = feature.modality
        return super().get(clip, feature)


def test_a_missing_modality_is_predicted_and_flagged(kind, trained, tmp_path):
    recognizer, (_, _, test) = trained(kind), subsets(CLIPS, 0)
    if len(recognizer.features) < 2:
        pytest.skip(f"{kind.name} has fewer than two modalities.")
    recognizer.save(tmp_path)
    for modality in recognizer.features:
        loaded = kind.load(tmp_path, recognizer.store)
        loaded = loaded.with_features_from(PlantedSource(2.0, without=modality))
        prediction = loaded.predict(unlabelled(test))
        assert np.isfinite(prediction.probabilities).all()
        assert all(f"no {modality}" in flags for flags in prediction.flags)
        assert np.isnan(prediction.by_modality[modality]).all()
        correct = sum(
            label == clip.emotion for label, clip in zip(prediction.labels, test, strict=True)
        )
        better = binomtest(correct, len(test), 1 / CLASSES, alternative="greater").pvalue < 1e-3
        assert better, f"without {modality}: {correct} of {len(test)} correct"


def test_a_clip_with_nothing_has_no_label_and_counts_as_the_prior_in_evaluations(
    kind, trained, tmp_path
):
    recognizer, (_, _, test) = trained(kind), subsets(CLIPS, 0)
    if not informative(kind):
        pytest.skip(f"{kind.name} reads no features, so none can be missing.")
    recognizer.save(tmp_path)
    loaded = kind.load(tmp_path, Nothing())
    prediction = loaded.predict(unlabelled(test[:3]))
    assert np.isnan(prediction.probabilities).all()
    assert prediction.labels == ("", "", "")
    assert all("no usable modality" in flags for flags in prediction.flags)
    evaluated = loaded.predict_all(unlabelled(test[:3]))
    np.testing.assert_allclose(evaluated.probabilities, 1 / CLASSES, atol=1e-6)
    assert evaluated.flags == prediction.flags


def test_the_card_holds_the_facts(kind, trained):
    recognizer, (train, validation, _) = trained(kind), subsets(CLIPS, 0)
    card = json.loads(json.dumps(recognizer.card))
    assert card["classes"] == list(recognizer.classes)
    assert card["speakers"]["train"] == sorted({clip.speaker for clip in train})
    assert card["speakers"]["validation"] == sorted({clip.speaker for clip in validation})
    assert card["model"] == kind.name
    assert "settings" in card
    for modality, feature in recognizer.features.items():
        assert card["features"][modality] == {
            "name": feature.name,
            "settings": feature.settings(),
        }


def test_the_card_says_what_was_fitted_on_what_and_whose_labels_were_used(kind, trained):
    card = json.loads(json.dumps(trained(kind).card))
    record = FitRecord.of_card(card, kind.name)
    assert record is not None
    assert record.labels_used
    assert list(find_in_record(record, 1, {})) == []


def test_predictions_are_in_order_and_sum_to_one(kind, trained):
    recognizer, (_, _, test) = trained(kind), subsets(CLIPS, 0)
    prediction = recognizer.predict(unlabelled(test))
    assert prediction.clip_ids == tuple(clip.clip_id for clip in test)
    assert prediction.classes == recognizer.classes
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1, rtol=1e-5)
    backwards = recognizer.predict(unlabelled(test[::-1]))
    np.testing.assert_allclose(
        backwards.probabilities[::-1], prediction.probabilities, rtol=1e-4, atol=1e-5
    )


def test_registered_models_say_where_they_come_from(kind):
    assert kind.source
    assert isinstance(tiny(kind, PlantedSource()).settings, kind.settings_type)


def test_declarations_hold(kind, trained):
    recognizer, (_, _, test) = trained(kind), subsets(CLIPS, 0)
    assert recognizer.modalities == tuple(recognizer.features)
    assert recognizer.targets[0] == "emotion"
    assert recognizer.pretrained_weights == ()
    prediction = recognizer.predict(unlabelled(test[:3]))
    assert bool(prediction.embeddings) == recognizer.gives_embeddings
    plain = kind(kind.without_refit(recognizer.settings), recognizer.store)
    assert not plain.refits
    if recognizer.supports_offset:
        assert recognizer.with_offset(0.5).predict(unlabelled(test[:3])).clip_ids
    else:
        with pytest.raises(SettingsError, match=kind.name):
            recognizer.with_offset(0.5)


def test_only_systems_that_declare_leaks_have_a_leaking_protocol(kind):
    if kind.protocol_leaks:
        pytest.skip(f"{kind.name} has one; see the tests of the system.")
    train, validation, test = subsets(CLIPS, 0)
    with pytest.raises(SettingsError, match="no leaking protocol"):
        tiny(kind, PlantedSource()).fit_predict_leaking(train, validation, test)
