"""The baselines on planted functionals: choice of C, fusion, missing modalities, checkpoints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted_statistics import CLASSES, PlantedStatistics
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from aver.corpora.clip import Clip
from aver.errors import (
    CheckpointError,
    FeatureError,
    LabelError,
    MissingModalityError,
    SettingsError,
)
from aver.features.egemaps import EGeMAPS
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.models.baselines.functionals import (
    Statistics,
    StatisticsLogistic,
    StatisticsSettings,
    StatisticsSvm,
    SvmSettings,
    _read_vector,
)
from aver.settings import settings_from_mapping, settings_to_mapping
from tone_corpus import write_tone_corpus

KINDS = [StatisticsLogistic, StatisticsSvm]


def trained(
    kind: type[Statistics], source: PlantedStatistics, **settings: object
) -> tuple[Statistics, list[Clip]]:
    recognizer = kind(kind.settings_type(**settings), source)
    recognizer.fit(source.clips(60, "train"), source.clips(30, "validation"))
    return recognizer, source.clips(90, "test")


def accuracy(recognizer: Statistics, clips: list[Clip]) -> float:
    labels = recognizer.predict([clip.without_labels() for clip in clips]).labels
    return float(
        np.mean([label == clip.emotion for label, clip in zip(labels, clips, strict=True)])
    )


@pytest.mark.parametrize("kind", KINDS)
def test_two_modalities_are_better_than_one(kind: type[Statistics]) -> None:
    source = PlantedStatistics(spread=2.0)
    clips = source.clips(600, "many")
    both, audio, video = (
        kind(kind.settings_type(modalities=modalities, Cs=(0.03, 1.0)), source).fit(
            source.clips(150, "train"), source.clips(60, "validation")
        )
        for modalities in (("video", "audio"), ("audio",), ("video",))
    )
    alone = [accuracy(audio, clips), accuracy(video, clips)]
    assert min(alone) > 0.45
    assert accuracy(both, clips) > max(alone)


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_modality_predicts_with_its_own_classifier(kind: type[Statistics]) -> None:
    recognizer, clips = trained(kind, PlantedStatistics(), modalities=("audio",))
    prediction = recognizer.predict(clips)
    assert np.array_equal(prediction.probabilities, prediction.by_modality["audio"])
    assert np.allclose(prediction.probabilities.sum(axis=1), 1)


def test_scaler_and_weights_use_training_clips_only() -> None:
    source = PlantedStatistics(spread=1.0)
    recognizer, clips = trained(
        StatisticsLogistic, source, modalities=("audio",), Cs=(0.3,), refit=False,
        scaling="standard",
    )  # fmt: skip
    feature = recognizer.features["audio"]
    train = source.clips(60, "train")
    inputs = np.stack([source.get(clip, feature).arrays["statistics"] for clip in train])
    labels = [CLASSES.index(str(clip.emotion)) for clip in train]
    scaler = StandardScaler().fit(inputs.astype(float))
    model = LogisticRegression(C=0.3, max_iter=5000, class_weight="balanced")
    model.fit(scaler.transform(inputs.astype(float)), labels)
    others = np.stack([source.get(clip, feature).arrays["statistics"] for clip in clips])
    theirs = model.decision_function(scaler.transform(others.astype(float)))
    ours = np.log(recognizer.predict_proba(clips))  # up to the temperature and a shift per clip
    ratio = (ours - ours.mean(axis=1, keepdims=True)) / (
        theirs - theirs.mean(axis=1, keepdims=True)
    )
    assert ratio.std() < 1e-4 * ratio.mean()


def test_a_complete_clip_is_predicted_by_the_joint_classifier() -> None:
    source = PlantedStatistics(spread=1.0)
    recognizer, clips = trained(StatisticsLogistic, source, Cs=(0.3,), scaling="standard")
    seen = [*source.clips(60, "train"), *source.clips(30, "validation")]
    inputs, others = (
        np.stack(
            [
                np.concatenate(
                    [source.get(clip, f).arrays["statistics"] for f in recognizer.features.values()]
                )
                for clip in part
            ]
        ).astype(float)
        for part in (seen, clips)
    )
    labels = [CLASSES.index(str(clip.emotion)) for clip in seen]
    scaler = StandardScaler().fit(inputs)
    model = LogisticRegression(C=0.3, max_iter=5000, class_weight="balanced")
    model.fit(scaler.transform(inputs), labels)
    theirs = model.decision_function(scaler.transform(others))
    ours = np.log(recognizer.predict_proba(clips))
    ratio = (ours - ours.mean(axis=1, keepdims=True)) / (
        theirs - theirs.mean(axis=1, keepdims=True)
    )
    assert ratio.std() < 1e-4 * ratio.mean()


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_that_lacks_a_modality_is_predicted_by_the_other_and_flagged(
    kind: type[Statistics],
) -> None:
    source = PlantedStatistics()
    recognizer, clips = trained(kind, source)
    complete = recognizer.predict(clips)
    source.lacking = {
        clips[0].clip_id: ("video",),
        clips[1].clip_id: ("audio",),
        clips[2].clip_id: ("video", "audio"),
    }
    prediction = recognizer.predict(clips)
    assert np.array_equal(prediction.probabilities[0], complete.by_modality["audio"][0])
    assert np.array_equal(prediction.probabilities[1], complete.by_modality["video"][1])
    assert np.isnan(prediction.probabilities[2]).all()
    assert np.array_equal(prediction.probabilities[3:], complete.probabilities[3:])
    assert prediction.flags[:4] == (
        ("no video",),
        ("no audio",),
        ("no video", "no audio", "no usable modality"),
        (),
    )
    assert np.isnan(prediction.by_modality["video"][0]).all()
    assert prediction.coverage["video"][:4].tolist() == [0, 0.5, 0, 0.5]


def test_one_missing_modality_of_three() -> None:
    source = PlantedStatistics()
    recognizer, clips = trained(
        StatisticsLogistic, source, modalities=("video", "audio", "action_units")
    )
    complete = recognizer.predict(clips[:1])
    source.lacking = {clips[0].clip_id: ("action_units",)}
    left = recognizer.predict(clips[:1])
    expected = (complete.by_modality["video"] + complete.by_modality["audio"]) / 2
    assert np.allclose(left.probabilities, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_trains_on_clips_that_lack_a_modality(kind: type[Statistics]) -> None:
    source = PlantedStatistics()
    source.lacking = {f"train{i:03d}": ("video",) for i in range(0, 60, 5)}
    source.lacking |= {f"train{i:03d}": ("audio",) for i in range(1, 60, 5)}
    source.lacking |= {f"validation{i:03d}": ("audio", "video") for i in range(10)}
    recognizer, clips = trained(kind, source)
    assert accuracy(recognizer, clips) > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded_predictions_are_equal(kind: type[Statistics], tmp_path: Path) -> None:
    source = PlantedStatistics()
    recognizer, clips = trained(kind, source, modalities=("audio", "video"))
    recognizer.save(tmp_path / "run")
    again = kind.load(tmp_path / "run", source)
    assert np.array_equal(again.predict_proba(clips), recognizer.predict_proba(clips))
    assert again.settings == recognizer.settings
    assert again.features == recognizer.features
    assert again.card == json.loads(json.dumps(recognizer.card))
    assert again.card["speakers"]["validation"] == ["validation-0", "validation-1"]
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "weights.safetensors",
        "recognizer.json",
        "card.json",
    }


def test_checkpoints_of_other_models_are_refused(tmp_path: Path) -> None:
    source = PlantedStatistics()
    both, _ = trained(StatisticsLogistic, source)
    audio, _ = trained(StatisticsLogistic, source, modalities=("audio",))
    both.save(tmp_path / "both")
    audio.save(tmp_path / "audio")
    with pytest.raises(CheckpointError, match="statistics-logistic"):
        StatisticsSvm.load(tmp_path / "both", source)
    weights = tmp_path / "both" / "weights.safetensors"
    weights.write_bytes((tmp_path / "audio" / "weights.safetensors").read_bytes())
    with pytest.raises(CheckpointError, match="changed or mixed"):
        StatisticsLogistic.load(tmp_path / "both", source)


def test_functionals_of_another_length_are_refused() -> None:
    source = PlantedStatistics()
    recognizer, clips = trained(StatisticsLogistic, source)
    source.inputs = 5
    with pytest.raises(FeatureError, match="5 values"):
        recognizer.predict(clips)


def test_invalid_training_data_is_refused() -> None:
    source = PlantedStatistics()
    clips = source.clips(12)
    recognizer = StatisticsLogistic(StatisticsSettings(), source)
    with pytest.raises(LabelError, match="at least two"):
        recognizer.fit(clips[::3], [])
    source.lacking = {clip.clip_id: ("video",) for clip in clips}
    with pytest.raises(MissingModalityError, match=r"'video' \(no video\)"):
        recognizer.fit(clips, [])
    with pytest.raises(SettingsError, match="not been trained"):
        StatisticsSvm(SvmSettings(), source).predict(clips)


def test_validation_with_an_unknown_class_or_none_at_all() -> None:
    source = PlantedStatistics()
    train = source.clips(40, classes=CLASSES[:2])
    strange = source.clips(10, "v")
    recognizer = StatisticsLogistic(StatisticsSettings(), source).fit(train, strange)
    assert recognizer.classes == ("neutral", "happy")
    recognizer.fit(train, [])
    assert recognizer.card["C chosen on validation"]["audio"] == 0.03


@pytest.mark.parametrize(
    "settings",
    [{"modalities": ()}, {"modalities": ("audio", "audio")}, {"modalities": ("smell",)}]
    + [{"Cs": ()}, {"Cs": (0.0,)}, {"feature_settings": {"smell": {}}}]
    + [{"feature_names": {"audio": "face-functionals"}}, {"scaling": "loud"}],
)
def test_invalid_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        StatisticsSettings(**settings)  # type: ignore[arg-type]


def test_feature_settings_reach_the_feature() -> None:
    settings = StatisticsSettings(
        modalities=("audio",), feature_settings={"audio": {"window_s": 2.0}}
    )
    recognizer = StatisticsLogistic(settings, PlantedStatistics())
    assert recognizer.features["audio"].settings()["window_s"] == 2.0


def test_another_feature_takes_the_place_of_the_functionals() -> None:
    settings = StatisticsSettings(
        modalities=("audio",),
        feature_names={"audio": "joined-functionals"},
        feature_settings={"audio": {"features": ("mfcc-functionals", "audio-functionals")}},
    )
    recognizer = StatisticsLogistic(settings, PlantedStatistics())
    assert recognizer.features["audio"].layouts == {
        "mfcc": 1,
        "mfcc-functionals": 1,
        "audio-functionals": 3,
        "joined-functionals": 1,
    }


def test_checkpoints_trained_on_other_values_of_a_feature_are_refused(tmp_path: Path) -> None:
    """As those of version 0.2, which do not name the layout of the audio functionals."""
    source = PlantedStatistics()
    recognizer, _ = trained(StatisticsLogistic, source)
    recognizer.save(tmp_path)
    content = json.loads((tmp_path / "recognizer.json").read_text())
    assert content["facts"].pop("feature_layouts")["audio-functionals"] == 3
    (tmp_path / "recognizer.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="layout 1 of the feature 'audio-functionals'"):
        StatisticsLogistic.load(tmp_path, source)


def test_the_setting_feature_names_what_is_read() -> None:
    kind, settings = load_preset("statistics-svm", {"feature": "egemaps"})
    assert {m: f.name for m, f in kind(settings, PlantedStatistics()).features.items()} == {
        "audio": "egemaps"
    }
    both = SvmSettings(feature=("face-functionals", "egemaps"))
    assert both.modalities == ("video", "audio")
    assert replace(both, modalities=("video",)).modalities == ("video",)
    assert settings_from_mapping(SvmSettings, settings_to_mapping(both)) == both
    assert SvmSettings(feature=("action-unit-functionals",)).modalities == ("action_units",)
    with pytest.raises(SettingsError, match="two features of audio, 'egemaps' and 'audio-func"):
        SvmSettings(feature=("egemaps", "audio-functionals"))


@pytest.mark.parametrize("arrays", [{"level": np.ones(3)}, {"statistics": np.ones(3), "x": ""}])
def test_any_vector_is_read(arrays: dict[str, np.ndarray]) -> None:
    assert _read_vector(Clip("a", "s", None), EGeMAPS(), arrays) is not None


@pytest.mark.parametrize(
    "arrays", [{}, {"units": np.ones((3, 2))}, {"one": np.ones(3), "two": np.ones(3)}]
)
def test_what_is_not_one_vector_is_refused(arrays: dict[str, np.ndarray]) -> None:
    with pytest.raises(FeatureError, match="one vector per clip is needed"):
        _read_vector(Clip("a", "s", None), EGeMAPS(), arrays)


def test_egemaps_with_a_support_vector_machine(tmp_path: Path) -> None:
    """The field's standard baseline tells three pitches apart, of speakers it does not know."""
    pytest.importorskip("opensmile")
    corpus = write_tone_corpus(tmp_path / "tones", speakers=4, takes=2)
    kind, settings = load_preset("statistics-svm", {"feature": "egemaps"})
    by_speaker = [[c for c in corpus if c.speaker == f"s{number}"] for number in range(4)]
    recognizer = kind(settings, FeatureStore(tmp_path / "cache"))
    recognizer.fit(by_speaker[0] + by_speaker[1], by_speaker[2])
    assert recognizer.features["audio"].name == "egemaps"
    assert accuracy(recognizer, by_speaker[3]) > 0.8
