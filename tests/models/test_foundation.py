"""Recognizers over pretrained encoders: training, checkpoints without the encoders, leaks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from aver.corpora import open_corpus
from aver.corpora.clip import Clip
from aver.errors import CheckpointError, FeatureError
from aver.evaluation.pretrained_leaks import describe_weights, pretrained_leaks
from aver.features.joined_functionals import JoinedFunctionals
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.models.base.recognizer import Recognizer, load_recognizer
from aver.networks.pretrained import find_weights
from aver.splits import Fold, Split
from aver.synthesis import SynthesisSettings, synthesize

pytest.importorskip("transformers", reason="transformers is not installed: make test-extras")
pytest.importorskip("onnx", reason="onnx is not installed: make test-extras")

from tiny_encoders import save_audio_encoder, save_color_network, save_image_encoder

pytestmark = pytest.mark.extras


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_audio_encoder(folder / "speech")
    save_image_encoder(folder / "faces")
    save_color_network(folder / "colors.onnx", size_px=16)
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = SynthesisSettings(
        speakers=4,
        emotions=("happy", "sad"),
        sentences=1,
        duration_s=(1.0, 1.2),
        fps=10,
        size_px=96,
    )
    return synthesize(tmp_path_factory.mktemp("synthetic") / "corpus", settings)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return FeatureStore(tmp_path_factory.mktemp("features"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("AVER_MODELS", raising=False)


def overrides(models: Path) -> dict[str, object]:
    crops = {"size_px": 32, "rate_hz": 4.0}
    return {
        "branches.video.feature_settings.encoder.name": str(models / "faces"),
        "branches.video.feature_settings.crops": crops,
        "branches.audio.feature_settings.encoder.name": str(models / "speech"),
        "branches.face_expressions.feature_settings.weights": str(models / "colors.onnx"),
        "branches.face_expressions.feature_settings.output": "first",
        "branches.face_expressions.feature_settings.crops": crops,
        "training.epochs": 1,
    }


def trained(
    models: Path, corpus: Path, store: FeatureStore, modalities: tuple[str, ...]
) -> tuple[Recognizer, list[Clip]]:
    kind, settings = load_preset(
        "mrpn-foundation", {**overrides(models), "modalities": list(modalities)}
    )
    train, validation, test = parts(corpus)
    return kind(settings, store).fit(train, validation, seed=0), test


def parts(corpus: Path) -> tuple[list[Clip], list[Clip], list[Clip]]:
    """Clips of two speakers, of a third one, and of a fourth one."""
    clips = list(open_corpus(corpus).clips)
    first, second, *others = sorted({clip.speaker for clip in clips if clip.speaker})
    groups = ({first, second}, {others[0]}, {others[1]})
    train, validation, test = (
        [clip for clip in clips if clip.speaker in speakers] for speakers in groups
    )
    return train, validation, test


@pytest.mark.parametrize(
    "modalities", [("video", "audio"), ("face_expressions", "audio"), ("audio",)]
)
def test_mrpn_trains_and_its_checkpoint_predicts_the_same(
    modalities: tuple[str, ...], models: Path, corpus: Path, store: FeatureStore, tmp_path: Path
) -> None:
    recognizer, test = trained(models, corpus, store, modalities)
    before = recognizer.predict(test)
    present = [before.coverage[modality] > 0 for modality in modalities]
    assert all(some.any() for some in present)
    np.testing.assert_array_equal(
        np.isfinite(before.probabilities).all(axis=1), np.any(present, axis=0)
    )
    recognizer.save(tmp_path / "checkpoint")
    after = load_recognizer(tmp_path / "checkpoint", store).predict(test)
    np.testing.assert_array_equal(after.probabilities, before.probabilities)


def test_logistic_regression_reads_their_means(
    models: Path, corpus: Path, store: FeatureStore, tmp_path: Path
) -> None:
    crops = {"size_px": 32, "rate_hz": 4.0}
    changes = {
        "feature_settings.video.encoder.name": str(models / "faces"),
        "feature_settings.video.crops": crops,
        "feature_settings.audio.encoder.name": str(models / "speech"),
    }
    kind, settings = load_preset("statistics-foundation", changes)
    train, validation, test = parts(corpus)
    recognizer = kind(settings, store).fit(train, validation)
    before = recognizer.predict(test).probabilities
    recognizer.save(tmp_path / "checkpoint")
    after = load_recognizer(tmp_path / "checkpoint", store).predict(test).probabilities
    np.testing.assert_array_equal(after, before)
    kind, settings = load_preset(
        "statistics-foundation", {**changes, "feature_settings.audio.pooling": "frames"}
    )
    with pytest.raises(FeatureError, match="one vector per clip is needed"):
        kind(settings, store).fit(train, validation)


def test_encoders_are_joined_with_functionals(
    models: Path, corpus: Path, store: FeatureStore, tmp_path: Path
) -> None:
    shutil.copytree(models / "speech", tmp_path / "speech")
    joined, moved = (
        JoinedFunctionals(
            ("audio-functionals", "transformers-audio"),
            {"transformers-audio": {"encoder": {"name": str(place)}, "pooling": "mean"}},
        )
        for place in (models / "speech", tmp_path / "speech")
    )
    assert joined.pretrained_weights == (str(models / "speech"),)
    assert joined.key == moved.key
    clip = next(c for c in open_corpus(corpus).clips if store.get(c, joined).arrays)
    vectors = [store.get(clip, basis).arrays["statistics"] for basis in joined.bases]
    np.testing.assert_array_equal(
        store.get(clip, moved).arrays["statistics"], np.concatenate(vectors)
    )
    save_audio_encoder(tmp_path / "speech", seed=1)
    assert store.content_key(clip, joined) != store.content_key(clip, moved)


def test_a_checkpoint_names_its_encoders_and_does_not_contain_them(
    models: Path, corpus: Path, store: FeatureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    shutil.copytree(models, own)
    recognizer, test = trained(own, corpus, store, ("face_expressions", "audio"))
    expected = recognizer.predict(test).probabilities
    folder = tmp_path / "checkpoint"
    recognizer.save(folder)
    written = (folder / "recognizer.json").read_text()
    assert str(tmp_path) not in written
    settings = json.loads(written)["facts"]["settings"]["branches"]
    encoder = settings["audio"]["feature_settings"]["encoder"]
    assert (encoder["name"], len(encoder["sha256"])) == ("speech", 64)
    # The encoder of a branch that is not used was not looked for.
    assert settings["video"]["feature_settings"]["encoder"]["name"] == "faces"
    # An ONNX network is small, so it is copied; encoders are not.
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert names == {"weights.safetensors", "recognizer.json", "card.json", "colors.onnx"}

    # Another machine: no cache, the encoder in the folder of models.
    monkeypatch.setenv("AVER_CACHE", str(tmp_path / "other cache"))
    shutil.move(own, tmp_path / "elsewhere")
    again = load_recognizer(folder, FeatureStore(tmp_path / "features"))
    with pytest.raises(CheckpointError, match=r"'speech' .*not on this machine.*AVER_MODELS"):
        again.predict(test)
    monkeypatch.setenv("AVER_MODELS", str(tmp_path / "elsewhere"))
    np.testing.assert_allclose(again.predict(test).probabilities, expected, atol=1e-6)
    save_audio_encoder(tmp_path / "elsewhere" / "speech", seed=1)
    with pytest.raises(CheckpointError, match="not the one that the recognizer was trained on"):
        again.predict(test)


def test_cards_and_leaks_know_the_encoder(
    models: Path, corpus: Path, store: FeatureStore, tmp_path: Path
) -> None:
    shutil.copytree(models / "speech", tmp_path / "speech")
    kind, settings = load_preset(
        "mrpn-foundation", {**overrides(tmp_path), "modalities": ["audio"]}
    )
    weights = kind(settings, store).pretrained_weights
    assert weights == (str(tmp_path / "speech"),)
    assert find_weights(weights[0]) == tmp_path / "speech" / "model.safetensors"
    (described,) = describe_weights(weights)
    assert described["trained_on"] is None

    # A card beside the weights tells what the encoder was trained on.
    opened = open_corpus(corpus)
    ids = [[clip.clip_id for clip in opened.clips if clip.speaker == s] for s in ("s01", "s02")]
    split = Split("by hand", opened.name, 0, (Fold(tuple(ids[0]), (), tuple(ids[1])),))
    assert pretrained_leaks(weights, opened, split) == ()
    (tmp_path / "speech" / "card.json").write_text(json.dumps({"trained_on": [opened.label]}))
    assert describe_weights(weights)[0]["trained_on"] == [opened.label]
    (leak,) = pretrained_leaks(weights, opened, split)
    assert "test speakers may be among them" in leak


def test_unusable_encoders_stop_the_extraction_at_once(
    models: Path, corpus: Path, tmp_path: Path
) -> None:
    """One line, not one per clip."""
    clips = list(open_corpus(corpus).clips)
    kind, settings = load_preset(
        "mrpn-foundation", {**overrides(tmp_path / "nowhere"), "modalities": ["audio"]}
    )
    features = list(kind(settings, FeatureStore(tmp_path)).features.values())
    with pytest.raises(CheckpointError, match="There is no encoder at"):
        FeatureStore(tmp_path).prepare(clips, features)
    damaged = tmp_path / "models" / "speech"
    shutil.copytree(models / "speech", damaged)
    (damaged / "model.safetensors").write_bytes(b"\0" * 100)
    kind, settings = load_preset(
        "mrpn-foundation", {**overrides(tmp_path / "models"), "modalities": ["audio"]}
    )
    features = list(kind(settings, FeatureStore(tmp_path)).features.values())
    with pytest.raises(CheckpointError, match="cannot be loaded by transformers"):
        FeatureStore(tmp_path).prepare(clips, features)
