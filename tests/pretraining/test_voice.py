"""A voice network learns who speaks, and is tested on speakers that it never heard."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aver.corpora import Corpus, open_corpus
from aver.errors import CheckpointError, SettingsError
from aver.features.store import FeatureStore
from aver.pretraining.read_settings import read_settings
from aver.pretraining.voice import VoiceResult, pretrain_voice
from aver.pretraining.voice_settings import VoiceSettings
from aver.splits import make_split
from tone_corpus import write_tone_corpus

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Eight speakers, told apart by how fast their noise swells; its colour is drawn per clip.

    Colour is what a network sees first, so that one that has learnt nothing tells nobody apart.
    """
    folder = tmp_path_factory.mktemp("voices")
    rng = np.random.default_rng(0)
    time_s = np.arange(int(1.2 * RATE_HZ)) / RATE_HZ
    frequency_hz = np.fft.rfftfreq(len(time_s), 1 / RATE_HZ)
    for speaker in range(8):
        for emotion in ("happy", "sad"):
            for take in range(4):
                waves = np.fft.rfft(rng.standard_normal(len(time_s)))
                gains = np.interp(frequency_hz, np.linspace(0, 8000, 9), rng.uniform(-1, 1, 9))
                noise = np.fft.irfft(waves * 10**gains, len(time_s))
                swell_hz = 3 * 1.3**speaker
                swell = 1 + 0.9 * np.sin(2 * np.pi * swell_hz * time_s + rng.uniform(0, 6))
                sound = 0.1 * noise / noise.std() * swell
                soundfile.write(folder / f"s{speaker}_{emotion}_{take}.wav", sound / 4, RATE_HZ)
    return open_corpus(folder, "manifest", pattern="{speaker}_{emotion}_{take}.wav")


SETTINGS = read_settings(
    VoiceSettings,
    "voice",
    "compact",
    {"width": 8, "training.epochs": 12, "training.batch_size": 8, "training.learning_rate": 4e-3,
     "feature_settings": {"bands": "mel", "band_count": 32, "column_count": 50}},
)  # fmt: skip


@pytest.fixture(scope="module")
def result(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> VoiceResult:
    folder = tmp_path_factory.mktemp("run")
    split = make_split(corpus, "speaker-kfold", folds=4)
    store = FeatureStore(folder / "cache")
    others = write_tone_corpus(folder / "others", speakers=3, takes=1)
    return pretrain_voice(corpus, split, SETTINGS, out=folder / "run", verify=others, store=store)


def test_unseen_speakers_are_told_apart(result: VoiceResult) -> None:
    assert result.card["metrics"]["unseen_speakers"] == 2
    assert result.card["metrics"]["equal_error_rate"] < 0.2  # chance 0.5
    assert result.card["metrics"]["equal_error_rate_untrained"] > 0.3
    elsewhere = result.card["metrics"]["elsewhere"]
    assert (elsewhere["corpus"], elsewhere["speakers"], elsewhere["clips"]) == ("others", 3, 9)
    assert 0 <= elsewhere["equal_error_rate"] <= 1
    speakers = result.card["speakers"]
    assert not set(speakers["test"]) & {*speakers["train"], *speakers["validation"]}
    assert json.loads((result.folder / "card.json").read_text())["taught"] == "speaker"


def test_the_weights_start_a_branch_of_mrpn(result: VoiceResult) -> None:
    from aver.models.initialise import start_from
    from aver.models.parts.branch import Branch
    from aver.models.presets import load_preset

    found = start_from("mrpn-compact", {}, {"audio": str(result.folder)})
    _, settings = load_preset("mrpn-compact", found)
    branch = Branch(settings.branches["sound"], (1, 32, 50), 0.0)
    branch.load_pretrained(str(result.folder))
    assert settings.branches["sound"].feature_settings["band_count"] == 32


def test_a_split_with_known_speakers_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    split = make_split(corpus, "random")
    with pytest.raises(SettingsError, match="speakers in training and in test"):
        pretrain_voice(corpus, split, SETTINGS, out=tmp_path, store=FeatureStore(tmp_path / "c"))


def test_a_finished_run_is_kept_and_an_unfinished_one_keeps_its_settings(
    corpus: Corpus, tmp_path: Path
) -> None:
    split = make_split(corpus, "speaker-kfold", folds=4)
    store = FeatureStore(tmp_path / "cache")
    short = replace(SETTINGS, training=replace(SETTINGS.training, epochs=1, patience=1))
    first = pretrain_voice(corpus, split, short, out=tmp_path / "run", store=store)
    written_ns = (tmp_path / "run" / "weights.safetensors").stat().st_mtime_ns
    again = pretrain_voice(corpus, split, short, out=tmp_path / "run", store=store)
    assert again.card == json.loads(json.dumps(first.card))
    assert (tmp_path / "run" / "weights.safetensors").stat().st_mtime_ns == written_ns
    (tmp_path / "run" / "card.json").unlink()  # as if it had been stopped before its end
    with pytest.raises(CheckpointError, match="other seed"):
        pretrain_voice(corpus, split, short, out=tmp_path / "run", store=store, seed=1)


def test_emotions_can_be_taught_too(corpus: Corpus, tmp_path: Path) -> None:
    split = make_split(corpus, "speaker-kfold", folds=4)
    training = replace(SETTINGS.training, epochs=1, patience=1)
    settings = replace(SETTINGS, target="emotion", training=training)
    found = pretrain_voice(
        corpus, split, settings, out=tmp_path / "run", store=FeatureStore(tmp_path / "cache")
    )
    assert found.card["classes"] == ["happy", "sad"]
    assert found.card["metrics"]["clips"] == 16
    assert found.card["metrics"]["low"] <= found.card["metrics"]["accuracy"]
