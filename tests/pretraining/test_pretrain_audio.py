"""Pretraining on speech: a network learns speakers and is tested on unseen ones."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from audio_corpus import write_speakers

from aver.cli.main import main
from aver.corpora import Corpus, open_corpus
from aver.errors import LabelError, MediaError, SettingsError
from aver.features.store import FeatureStore
from aver.pretraining.audio import LabeledSegments, pretrain_audio, whole_clips
from aver.pretraining.audio_data import split_speakers
from aver.pretraining.settings import AudioSettings, read_settings
from aver.splits import make_split
from tone_corpus import write_tone_corpus

RATE_HZ = 16_000


@dataclass(frozen=True)
class Trained:
    folder: Path
    card: dict[str, Any]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Eight speakers who differ in how fast their noise swells; its spectrum is drawn per clip.

    An untrained network reacts to the spectrum first, so that it cannot tell the speakers apart.
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
                audio = 0.1 * noise / noise.std() * swell
                soundfile.write(folder / f"s{speaker}_{emotion}_{take}.wav", audio / 4, RATE_HZ)
    return open_corpus(folder, "manifest", pattern="{speaker}_{emotion}_{take}.wav")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return FeatureStore(tmp_path_factory.mktemp("cache"))


SETTINGS = read_settings(
    AudioSettings,
    "audio",
    "compact",
    {"width": 8, "training.epochs": 12, "training.batch_size": 8, "training.learning_rate": 4e-3,
     "feature_settings": {"bands": "mel", "band_count": 32, "column_count": 50,
                          "needs_speech": False}},
)  # fmt: skip


@pytest.fixture(scope="module")
def result(
    corpus: Corpus, store: FeatureStore, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    folder = tmp_path_factory.mktemp("run")
    split = make_split(corpus, "speaker-kfold", folds=4)
    others = write_tone_corpus(folder / "others", speakers=3, takes=1)
    card = pretrain_audio(corpus, split, SETTINGS, out=folder / "run", verify=others, store=store)
    return Trained(folder / "run", card)


def test_unseen_speakers_are_verified(result: Trained) -> None:
    assert result.card["metrics"]["unseen_speakers"] == 2
    assert result.card["metrics"]["equal_error_rate"] < 0.2  # chance 0.5
    assert result.card["metrics"]["equal_error_rate_untrained"] > 0.3
    other = result.card["metrics"]["other_corpus"]
    assert (other["corpus"], other["unseen_speakers"], other["clips"]) == ("others", 3, 9)
    assert 0 <= other["equal_error_rate"] <= 1
    speakers = result.card["speakers"]
    assert not set(speakers["test"]) & {*speakers["train"], *speakers["validation"]}
    assert json.loads((result.folder / "card.json").read_text())["target"] == "speaker"


def test_the_weights_start_a_branch_of_mrpn(result: Trained) -> None:
    from aver.models.base.presets import load_preset, start_from
    from aver.models.mrpn.network import Branch

    found = start_from("mrpn-compact", {}, {"audio": str(result.folder)})
    _, settings = load_preset("mrpn-compact", found)
    branch = Branch(settings.branches["audio"], (1, 32, 50), 0.0)
    branch.load_pretrained(str(result.folder))
    assert settings.branches["audio"].feature_settings["band_count"] == 32


def test_a_split_with_shared_speakers_is_refused(
    corpus: Corpus, store: FeatureStore, tmp_path: Path
) -> None:
    split = make_split(corpus, "random")
    with pytest.raises(SettingsError, match="same speakers in training and test"):
        pretrain_audio(corpus, split, SETTINGS, out=tmp_path, store=store)


def test_a_finished_run_is_not_repeated_and_an_unfinished_one_keeps_its_settings(
    corpus: Corpus, store: FeatureStore, tmp_path: Path
) -> None:
    split = make_split(corpus, "speaker-kfold", folds=4)
    short = replace(SETTINGS, training=replace(SETTINGS.training, epochs=1, patience=1))
    first = pretrain_audio(corpus, split, short, out=tmp_path / "run", store=store)
    written_ns = (tmp_path / "run" / "weights.safetensors").stat().st_mtime_ns
    again = pretrain_audio(corpus, split, short, out=tmp_path / "run", store=store)
    assert again == json.loads(json.dumps(first))
    assert (tmp_path / "run" / "weights.safetensors").stat().st_mtime_ns == written_ns
    (tmp_path / "run" / "card.json").unlink()  # as if it had been stopped before its end
    with pytest.raises(SettingsError, match="other seed"):
        pretrain_audio(corpus, split, short, out=tmp_path / "run", store=store, seed=1)


def test_emotions_can_be_the_labels(corpus: Corpus, store: FeatureStore, tmp_path: Path) -> None:
    split = make_split(corpus, "speaker-kfold", folds=4)
    training = replace(SETTINGS.training, epochs=1, patience=1)
    settings = replace(SETTINGS, target="emotion", training=training)
    card = pretrain_audio(corpus, split, settings, out=tmp_path / "run", store=store)
    assert card["classes"] == ["happy", "sad"]
    assert card["metrics"]["clips"] == 16
    assert card["metrics"]["low"] <= card["metrics"]["accuracy"]


SHORT = ["width=4", "training.epochs=1", "training.patience=1", "training.batch_size=4",
         "feature_settings={bands: mel, band_count: 16, column_count: 25, "
         "needs_speech: false}"]  # fmt: skip


def test_the_command_reads_the_layout_of_voxceleb_and_lists_an_unreadable_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_speakers(
        tmp_path / "vox", [f"id{s}/video{t % 2}/{t}" for s in range(4) for t in range(3)]
    )
    (tmp_path / "vox" / "id0" / "video0" / "broken.wav").write_bytes(b"RIFF, but no audio")
    words = ["pretrain", "audio", "--corpus", str(tmp_path / "vox"), "--reader", "speaker-folders",
             "--set", *SHORT, "--workers", "1", "--cache", str(tmp_path / "cache")]  # fmt: skip
    assert main([*words, "--out", str(tmp_path / "run"), "--strict"]) == 2
    shown = capsys.readouterr()
    assert "id0/video0/broken" in shown.err
    assert not (tmp_path / "run" / "card.json").exists()
    assert main([*words, "--out", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr()
    assert "id0/video0/broken" in shown.err
    assert "equal error rate" in shown.out
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    assert list(card["unusable_clips"]) == ["id0/video0/broken"]


def test_a_silent_corpus_is_an_error(tmp_path: Path) -> None:
    corpus = write_speakers(tmp_path / "vox", [f"id{s}/{t}" for s in range(4) for t in range(2)])
    for clip in corpus:
        soundfile.write(str(clip.audio), np.zeros(RATE_HZ), RATE_HZ)
    with pytest.raises(MediaError, match=r"None of 8 readable clips .*example id0/0"):
        pretrain_audio(corpus, split_speakers(corpus), replace(SETTINGS, target="speaker"),
                       out=tmp_path / "run", store=FeatureStore(tmp_path / "cache"))  # fmt: skip


def test_the_training_audio_cannot_be_verified_under_another_name(tmp_path: Path) -> None:
    corpus = write_speakers(tmp_path / "vox", [f"id{s}/{t}" for s in range(4) for t in range(2)])
    others = write_speakers(tmp_path / "others", [f"of{s}/{t}" for s in range(2) for t in range(2)])
    with pytest.raises(SettingsError, match="4 clips of the test corpus others have files"):
        pretrain_audio(corpus, split_speakers(corpus), SETTINGS, out=tmp_path / "run",
                       verify=others, store=FeatureStore(tmp_path / "cache"))  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_missing_labels_are_named_before_anything_is_read(tmp_path: Path) -> None:
    corpus = write_speakers(tmp_path / "vox", [f"id{s}/{t}" for s in range(4) for t in range(2)])
    split = make_split(corpus, "leave-one-speaker-out")
    with pytest.raises(LabelError, match="has no emotion"):
        pretrain_audio(corpus, split, replace(SETTINGS, target="emotion"), out=tmp_path / "run")
    nobody = replace(corpus, clips=tuple(replace(c, speaker=None) for c in corpus))
    with pytest.raises(LabelError, match="has no speaker"):
        pretrain_audio(corpus, split, SETTINGS, out=tmp_path / "run", verify=nobody,
                       store=FeatureStore(tmp_path / "cache"))  # fmt: skip


def test_batches_of_whole_clips_are_bounded() -> None:
    lengths = (200, 100, 30, 700, 5)
    clips = [torch.full((length, 1, 2, 2), float(n)) for n, length in enumerate(lengths)]
    batches = list(whole_clips(LabeledSegments(clips, torch.arange(5))))
    assert [batch.lengths for batch in batches] == [(200,), (100, 30), (700,), (5,)]
    assert torch.cat([batch.labels for batch in batches]).tolist() == [0, 1, 2, 3, 4]
    rows = torch.cat([batch.segments[:, 0, 0, 0] for batch in batches])
    assert rows.tolist() == [float(n) for n, length in enumerate(lengths) for _ in range(length)]
