"""A voice network learns who speaks, and is tested on speakers that it never heard."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aver.corpora import Corpus, open_corpus
from aver.errors import SettingsError
from aver.features.store import FeatureStore
from aver.pretraining.read_settings import read_settings
from aver.pretraining.voice import VoiceResult, pretrain_voice
from aver.pretraining.voice_settings import VoiceSettings
from aver.splits import make_split

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Eight speakers, told apart by the band in which their noise lies."""
    folder = tmp_path_factory.mktemp("voices")
    rng = np.random.default_rng(0)
    time_s = np.arange(int(1.2 * RATE_HZ)) / RATE_HZ
    for speaker in range(8):
        for emotion in ("happy", "sad"):
            for take in range(4):
                pitch_hz = 300 * 1.35**speaker * rng.uniform(0.98, 1.02)
                sound = np.sin(2 * np.pi * pitch_hz * time_s)
                sound = 0.1 * sound + 0.01 * rng.standard_normal(len(time_s))
                soundfile.write(folder / f"s{speaker}_{emotion}_{take}.wav", sound, RATE_HZ)
    return open_corpus(folder, "manifest", pattern="{speaker}_{emotion}_{take}.wav")


SETTINGS = read_settings(
    VoiceSettings,
    "voice",
    "compact",
    {"width": 4, "training.epochs": 8, "training.batch_size": 8,
     "feature_settings": {"bands": "mel", "band_count": 32, "column_count": 10}},
)  # fmt: skip


@pytest.fixture(scope="module")
def result(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> VoiceResult:
    folder = tmp_path_factory.mktemp("run")
    split = make_split(corpus, "speaker-kfold", folds=4)
    store = FeatureStore(folder / "cache")
    return pretrain_voice(corpus, split, SETTINGS, out=folder / "run", store=store)


def test_unseen_speakers_are_told_apart(result: VoiceResult) -> None:
    assert result.card["metrics"]["unseen_speakers"] == 2
    assert result.card["metrics"]["equal_error_rate"] < 0.2  # chance 0.5
    speakers = result.card["speakers"]
    assert not set(speakers["test"]) & {*speakers["train"], *speakers["validation"]}
    assert json.loads((result.folder / "card.json").read_text())["taught"] == "speaker"


def test_the_weights_start_a_branch_of_mrpn(result: VoiceResult) -> None:
    from aver.models.initialise import start_from
    from aver.models.parts.branch import Branch
    from aver.models.presets import load_preset

    found = start_from("mrpn-compact", {}, {"audio": str(result.folder)})
    _, settings = load_preset("mrpn-compact", found)
    branch = Branch(settings.branches["sound"], (1, 32, 10), 0.0)
    branch.load_pretrained(str(result.folder))
    assert settings.branches["sound"].feature_settings["band_count"] == 32


def test_a_split_with_known_speakers_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    split = make_split(corpus, "random")
    with pytest.raises(SettingsError, match="speakers in training and in test"):
        pretrain_voice(corpus, split, SETTINGS, out=tmp_path, store=FeatureStore(tmp_path / "c"))
