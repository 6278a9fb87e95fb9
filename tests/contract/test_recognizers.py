"""The laws of SPEC section 5, over every registered recogniser.

A model takes part by being registered and by offering ``tiny(store)``: a recogniser small enough
to train within seconds on planted features.
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
from aver.models.base.recognizer import models

CLASSES = 4
CLIPS = planted_clips(speakers=14, takes=8)  # 448 clips, balanced over classes and speakers
SPEAKERS = sorted({clip.speaker for clip in CLIPS})
FOLDS = 2


def parts(clips, fold):
    """Speakers apart: half are tested, two validate, the rest train."""
    test = SPEAKERS[fold::FOLDS]
    validation = [speaker for speaker in SPEAKERS if speaker not in test][:2]
    sides = {"train": [], "validation": [], "test": []}
    for clip in clips:
        side = "test" if clip.speaker in test else "train"
        sides["validation" if clip.speaker in validation else side].append(clip)
    return sides["train"], sides["validation"], sides["test"]


def unlabelled(clips):
    return [clip.without_labels() for clip in clips]


def count_right(recognizer, clips):
    labels = recognizer.predict(unlabelled(clips)).labels
    return sum(label == clip.emotion for label, clip in zip(labels, clips, strict=True))


def is_chance(right, count):
    interval = binomtest(right, count, 1 / CLASSES).proportion_ci(0.999, method="exact")
    return interval.low <= 1 / CLASSES <= interval.high


class LeakedLabels(PlantedSource):
    """Noise that gives the clip's class away, as a feature made with the labels would."""

    def __init__(self):
        super().__init__(strength=3.0)


@pytest.fixture(params=models.names())
def kind(request):
    return models.get(request.param)


@pytest.fixture(scope="module")
def trained():
    """One recogniser of each kind that learnt informative features, trained when first wanted."""
    known = {}

    def get(kind):
        if kind.name not in known:
            train, validation, _ = parts(CLIPS, 0)
            known[kind.name] = tiny(kind, PlantedSource(2.0)).fit(train, validation, seed=1)
        return known[kind.name]

    return get


def informative(kind):
    """Whether the kind looks at features at all; the majority class does not."""
    return bool(tiny(kind, PlantedSource()).features)


def test_noise_in_chance_out(kind):
    right = count = 0
    for fold in range(FOLDS):
        train, validation, test = parts(CLIPS, fold)
        recognizer = tiny(kind, PlantedSource(strength=0.0)).fit(train, validation, seed=fold)
        right, count = right + count_right(recognizer, test), count + len(test)
    assert count >= 400
    assert is_chance(right, count), f"{right} of {count} right where there is nothing to know"


def test_the_test_of_chance_can_fail(kind):
    if not informative(kind):
        pytest.skip(f"{kind.name} looks at no features, so nothing can leak through them.")
    right = count = 0
    for fold in range(FOLDS):
        train, validation, test = parts(CLIPS, fold)
        recognizer = tiny(kind, LeakedLabels()).fit(train, validation, seed=fold)
        right, count = right + count_right(recognizer, test), count + len(test)
    assert not is_chance(right, count)


def test_same_seed_same_predictions_for_one_and_two_threads(kind, trained):
    train, validation, test = parts(CLIPS, 0)
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
    recognizer, (_, _, test) = trained(kind), parts(CLIPS, 0)
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
    recognizer, (_, _, test) = trained(kind), parts(CLIPS, 0)
    if len(recognizer.features) < 2:
        pytest.skip(f"{kind.name} has fewer than two modalities.")
    recognizer.save(tmp_path)
    for modality in recognizer.features:
        loaded = kind.load(tmp_path, recognizer.store)
        loaded.take_features_from(PlantedSource(2.0, without=modality))  # every part of it does
        prediction = loaded.predict(unlabelled(test))
        assert np.isfinite(prediction.probabilities).all()
        assert all(f"no {modality}" in flags for flags in prediction.flags)
        assert np.isnan(prediction.by_modality[modality]).all()
        right = sum(
            label == clip.emotion for label, clip in zip(prediction.labels, test, strict=True)
        )
        better = binomtest(right, len(test), 1 / CLASSES, alternative="greater").pvalue < 1e-3
        assert better, f"without {modality}: {right} of {len(test)} right"


def test_a_clip_with_nothing_is_predicted_by_the_prior(kind, trained, tmp_path):
    recognizer, (_, _, test) = trained(kind), parts(CLIPS, 0)
    if not informative(kind):
        pytest.skip(f"{kind.name} looks at no features, so none can be missing.")
    recognizer.save(tmp_path)
    prediction = kind.load(tmp_path, Nothing()).predict(unlabelled(test[:3]))
    np.testing.assert_allclose(prediction.probabilities, 1 / CLASSES, atol=1e-6)
    assert all("no usable modality" in flags for flags in prediction.flags)


def test_the_card_holds_the_facts(kind, trained):
    recognizer, (train, validation, _) = trained(kind), parts(CLIPS, 0)
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
    recognizer, (_, _, test) = trained(kind), parts(CLIPS, 0)
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
