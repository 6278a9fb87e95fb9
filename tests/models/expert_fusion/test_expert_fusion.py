"""The product of experts: its equations, its choice on held-out clips, and unpaired training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted_source import PlantedSource, planted_clips

from aver.errors import LabelError, SettingsError
from aver.features.feature import FeatureRecord
from aver.models.expert_fusion.fusion_rule import Evidence, FusionRule, choose_rule
from aver.models.expert_fusion.recognizer import ExpertFusion
from aver.models.expert_fusion.settings import ExpertFusionSettings, ExpertSettings

SETTINGS = ExpertFusionSettings(
    experts={
        "video": ExpertSettings(feature="face-functionals"),
        "audio": ExpertSettings(feature="audio-functionals", classifier="svm"),
    }
)
CLIPS = planted_clips(speakers=20, takes=8)


def by_speakers(first: int, last: int) -> list:
    chosen = sorted({clip.speaker for clip in CLIPS})[first:last]
    return [clip for clip in CLIPS if clip.speaker in chosen]


def evidence(probabilities, coverage=1.0, distance=0.5) -> Evidence:
    rows = np.atleast_2d(np.asarray(probabilities, dtype=float))
    return Evidence(rows, np.full(len(rows), coverage), np.full(len(rows), distance))


def test_equal_experts_multiply() -> None:
    rule = FusionRule({"video": 1.0, "audio": 1.0})
    one, other = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.5, 0.3])
    fused = rule.fuse({"video": evidence(one), "audio": evidence(other)})
    np.testing.assert_allclose(fused[0], one * other / (one * other).sum())


def test_an_exponent_is_an_inverse_temperature() -> None:
    scores = np.array([2.0, -1.0, 0.5])
    softmax = np.exp(scores) / np.exp(scores).sum()
    cooled = np.exp(scores / 4) / np.exp(scores / 4).sum()
    rule = FusionRule({"audio": 0.25})
    np.testing.assert_allclose(rule.alone("audio", evidence(softmax))[0], cooled)


@pytest.mark.parametrize(
    ("coverage", "distance", "expected"),
    [(1.0, 0.5, 1.0), (0.5, 1.0, 1.0), (0.25, 0.5, 0.5), (1.0, 2.0, 0.25), (0.25, 2.0, 0.125)],
)
def test_little_coverage_and_great_distance_take_weight(coverage, distance, expected) -> None:
    rule = FusionRule({"audio": 1.0}, full_coverage=0.5, distance_power=2.0)
    found = rule.weights("audio", evidence([0.5, 0.5], coverage, distance))
    assert found[0] == pytest.approx(expected)


def test_a_modality_of_unknown_distance_keeps_its_weight() -> None:
    rule = FusionRule({"audio": 0.7}, distance_power=2.0)
    assert rule.weights("audio", evidence([0.5, 0.5], distance=np.nan))[0] == 0.7


def test_far_from_everything_the_prediction_is_the_uniform_prior() -> None:
    rule = FusionRule({"video": 1.0, "audio": 1.0}, distance_power=2.0)
    far = evidence([0.98, 0.01, 0.01], distance=1e3)
    np.testing.assert_allclose(rule.fuse({"video": far, "audio": far}), 1 / 3, atol=1e-4)


def test_a_missing_modality_changes_nothing() -> None:
    rule = FusionRule({"video": 0.7, "audio": 1.3})
    seen, silent = evidence([0.7, 0.2, 0.1]), evidence([np.nan] * 3, 0.0, np.nan)
    fused = rule.fuse({"video": seen, "audio": silent})
    assert np.array_equal(fused, rule.alone("video", seen))
    assert np.isnan(rule.fuse({"video": silent, "audio": silent})).all()
    assert np.isnan(rule.alone("audio", silent)).all()


def test_an_expert_that_knows_nothing_gets_the_smallest_weight() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    right = np.where(rng.random(600) < 0.7, labels, rng.integers(0, 3, 600))
    good = np.full((600, 3), 0.1)
    good[np.arange(600), right] = 0.8
    noise = rng.dirichlet([0.3] * 3, 600)
    rule = choose_rule({"video": evidence(good), "audio": evidence(noise)}, labels)
    assert rule.exponents["audio"] == 0.1
    assert rule.exponents["video"] > 0.4


class OneModalityEach(PlantedSource):
    """Clips whose id says ``face`` have no audio, all others no video."""

    def get(self, clip, feature):
        lacks = "audio" if "face" in clip.clip_id else "video"
        if feature.modality == lacks and "both" not in clip.clip_id:
            return FeatureRecord.absent(f"no {lacks}")
        return super().get(replace(clip, clip_id=clip.clip_id.rpartition("+")[0]), feature)


def renamed(clips, kind):
    return [replace(clip, clip_id=f"{clip.clip_id}+{kind}") for clip in clips]


def test_clips_that_share_no_modality_train_a_recognizer_for_clips_with_both() -> None:
    train, held = by_speakers(0, 6), by_speakers(6, 10)
    source = OneModalityEach(1.0)
    recognizer = ExpertFusion(SETTINGS, source).fit(
        [*renamed(train, "face"), *renamed(train, "voice")],
        [*renamed(held, "face"), *renamed(held, "voice")],
    )
    assert recognizer.card["fusion"]["clips"] == 0
    chosen = recognizer.choose_fusion(renamed(held, "both"))
    assert chosen["clips"] == len(held)
    test = renamed(by_speakers(10, 20), "both")
    prediction = recognizer.predict([clip.without_labels() for clip in test])
    truth = np.array([recognizer.classes.index(clip.emotion) for clip in test])
    fused = (prediction.probabilities.argmax(axis=1) == truth).mean()
    alone = [(p.argmax(axis=1) == truth).mean() for p in prediction.by_modality.values()]
    assert fused > max(alone) + 0.03
    with pytest.raises(LabelError, match="needs at least 20"):
        recognizer.choose_fusion(renamed(held[:10], "both"))


def test_a_checkpoint_predicts_the_same(tmp_path) -> None:
    source = PlantedSource(1.0)
    recognizer = ExpertFusion(SETTINGS, source).fit(by_speakers(0, 6), by_speakers(6, 8))
    recognizer.save(tmp_path)
    test = [clip.without_labels() for clip in by_speakers(8, 10)]
    one, other = recognizer.predict(test), ExpertFusion.load(tmp_path, source).predict(test)
    assert np.array_equal(one.probabilities, other.probabilities)
    assert np.array_equal(one.distance["audio"], other.distance["audio"])


def test_an_expert_needs_every_emotion() -> None:
    train = [
        clip for clip in renamed(by_speakers(0, 6), "face") if clip.emotion != CLIPS[0].emotion
    ]
    voices = renamed(by_speakers(0, 6), "voice")
    with pytest.raises(LabelError, match="No training clip with video"):
        ExpertFusion(SETTINGS, OneModalityEach(1.0)).fit([*train, *voices], voices[:20])


def test_settings_name_modalities_that_have_an_expert() -> None:
    with pytest.raises(SettingsError, match="no expert for the modality 'smell'"):
        replace(SETTINGS, modalities=("smell",))
