"""A voice network learns who speaks, and is tested on speakers that it never heard."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from aver.cli.main import main
from aver.corpora import Corpus, open_corpus
from aver.corpora.clip import Clip
from aver.errors import CheckpointError, LabelError, MediaError, SettingsError, SplitError
from aver.features.feature import Feature, FeatureRecord
from aver.features.spectrogram_segments import SpectrogramSegments
from aver.features.store import FeatureStore
from aver.models.data.clip_frames import load_clip_frames
from aver.pretraining.run import read_settings
from aver.pretraining.voice import LabelledVoices, VoiceResult, pretrain_voice, whole_clips
from aver.pretraining.voice_data import (
    VoiceSettings,
    VoiceShelf,
    check_pairs,
    divide_voices,
    split_voices,
)
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
                audio = 0.1 * noise / noise.std() * swell
                soundfile.write(folder / f"s{speaker}_{emotion}_{take}.wav", audio / 4, RATE_HZ)
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
    told = (elsewhere["corpus"], elsewhere["unseen_speakers"], elsewhere["clips"])
    assert told == ("others", 3, 9)
    assert 0 <= elsewhere["equal_error_rate"] <= 1
    speakers = result.card["speakers"]
    assert not set(speakers["test"]) & {*speakers["train"], *speakers["validation"]}
    assert json.loads((result.folder / "card.json").read_text())["taught"] == "speaker"


def test_the_weights_start_a_branch_of_mrpn(result: VoiceResult) -> None:
    from aver.models.base.presets import load_preset, start_from
    from aver.models.layers.encoder import Branch

    found = start_from("mrpn-compact", {}, {"audio": str(result.folder)})
    _, settings = load_preset("mrpn-compact", found)
    branch = Branch(settings.branches["audio"], (1, 32, 50), 0.0)
    branch.load_pretrained(str(result.folder))
    assert settings.branches["audio"].feature_settings["band_count"] == 32


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


def _listed(folder: Path, names: list[str]) -> Corpus:
    """Noise of a second for each ``speaker/take``, as VoxCeleb lies: no emotions."""
    rng = np.random.default_rng(5)
    for name in names:
        path = folder / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * rng.standard_normal(RATE_HZ), RATE_HZ)
    return open_corpus(folder, "speaker-folders")


SHORT = ["width=4", "training.epochs=1", "training.patience=1", "training.batch_size=4",
         "feature_settings={bands: mel, band_count: 16, column_count: 25}"]  # fmt: skip


def test_from_the_shell_in_the_layout_of_voxceleb_with_a_torn_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _listed(tmp_path / "vox", [f"id{s}/film{t % 2}/{t}" for s in range(6) for t in range(3)])
    (tmp_path / "vox" / "id0" / "film0" / "torn.wav").write_bytes(b"RIFF, but no sound")
    words = ["pretrain", "voice", "--corpus", str(tmp_path / "vox"), "--reader", "speaker-folders",
             "--set", *SHORT, "--workers", "1", "--cache", str(tmp_path / "cache")]  # fmt: skip
    assert main([*words, "--out", str(tmp_path / "run"), "--strict"]) == 2
    shown = capsys.readouterr()
    assert "id0/film0/torn" in shown.err
    assert not (tmp_path / "run" / "card.json").exists()
    assert main([*words, "--out", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr()
    assert "id0/film0/torn" in shown.err
    assert "equal error rate" in shown.out
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    assert list(card["unusable_clips"]) == ["id0/film0/torn"]


@pytest.mark.parametrize("speakers", [4, 7, 9, 10, 23])
def test_two_speakers_or_more_are_kept_to_be_verified(speakers: int, tmp_path: Path) -> None:
    corpus = _listed(tmp_path, [f"id{s}/{t}" for s in range(speakers) for t in range(2)])
    fold = split_voices(corpus).folds[0]
    assert len({c.speaker for c in corpus.select(list(fold.test))}) >= 2
    assert fold.train
    assert fold.validation


def test_three_speakers_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(SplitError, match="at least 4"):
        split_voices(_listed(tmp_path, [f"id{s}/{t}" for s in range(3) for t in range(2)]))


def test_a_speaker_with_one_clip_is_taught_and_chooses_nothing(tmp_path: Path) -> None:
    names = [f"id{s}/{t}" for s in range(6) for t in range(3)] + ["once/0"]
    corpus = _listed(tmp_path, names)
    split = make_split(corpus, "speaker-kfold", folds=3)
    parts = divide_voices(corpus.clips, split, replace(SETTINGS, target="speaker"), seed=0)
    taught, choosing = ({c.speaker for c in parts[p]} for p in ("train", "validation"))
    assert choosing <= taught
    if "once" not in {c.speaker for c in parts["test"]}:
        assert "once" in taught - choosing
    lonely = [c for c in corpus.clips if c.clip_id.endswith("/0")]
    with pytest.raises(SettingsError, match="choose the epoch by"):
        divide_voices(lonely, split, replace(SETTINGS, target="speaker"), seed=0)


def test_what_cannot_be_verified_or_taught_is_named_before_training(tmp_path: Path) -> None:
    corpus = _listed(tmp_path, [f"id{s}/{t}" for s in range(6) for t in range(2)])
    split = make_split(corpus, "speaker-kfold", folds=3)
    settings = replace(SETTINGS, target="speaker")
    fold = split.folds[0]
    tested = set(fold.test)
    once = [c for c in corpus if c.clip_id not in tested or c.clip_id.endswith("/0")]
    with pytest.raises(SettingsError, match="kept for the test, 2 speakers with 2 clips"):
        divide_voices(once, split, settings, seed=0)
    taught = corpus.by_id[fold.train[0]].speaker
    alone = [c for c in corpus if c.clip_id in tested or c.speaker == taught]
    with pytest.raises(SettingsError, match=f"of one speaker, {taught}"):
        divide_voices(alone, split, settings, seed=0)
    with pytest.raises(SettingsError, match="Of another corpus, 1 speakers with 2 clips"):
        check_pairs(corpus.clips[:2], "another corpus")
    check_pairs(corpus.clips[:3], "another corpus")


def test_a_corpus_in_which_nothing_is_to_be_heard_is_named(tmp_path: Path) -> None:
    corpus = _listed(tmp_path / "vox", [f"id{s}/{t}" for s in range(4) for t in range(2)])
    for clip in corpus:
        soundfile.write(str(clip.audio), np.zeros(RATE_HZ), RATE_HZ)
    with pytest.raises(MediaError, match=r"In none of 8 readable clips .*id0/0 for one"):
        pretrain_voice(corpus, split_voices(corpus), replace(SETTINGS, target="speaker"),
                       out=tmp_path / "run", store=FeatureStore(tmp_path / "cache"))  # fmt: skip


def test_the_taught_audio_tracks_cannot_verify_under_another_name(tmp_path: Path) -> None:
    corpus = _listed(tmp_path / "vox", [f"id{s}/{t}" for s in range(4) for t in range(2)])
    others = _listed(tmp_path / "others", [f"of{s}/{t}" for s in range(2) for t in range(2)])
    with pytest.raises(SettingsError, match="shares 4 sounds with"):  # the same draws of noise
        pretrain_voice(corpus, split_voices(corpus), SETTINGS, out=tmp_path / "run",
                       verify=others, store=FeatureStore(tmp_path / "cache"))  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_what_says_no_emotion_or_speaker_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    corpus = _listed(tmp_path / "vox", [f"id{s}/{t}" for s in range(4) for t in range(2)])
    split = make_split(corpus, "leave-one-speaker-out")
    with pytest.raises(LabelError, match="has no emotion"):
        pretrain_voice(corpus, split, replace(SETTINGS, target="emotion"), out=tmp_path / "run")
    nobody = replace(corpus, clips=tuple(replace(c, speaker=None) for c in corpus))
    with pytest.raises(LabelError, match="has no speaker"):
        pretrain_voice(corpus, split, SETTINGS, out=tmp_path / "run", verify=nobody,
                       store=FeatureStore(tmp_path / "cache"))  # fmt: skip


def test_a_shelf_that_is_full_reads_the_rest_each_time(tmp_path: Path) -> None:
    corpus = _listed(tmp_path / "vox", ["a/0", "a/1", "b/0", "b/1"])
    feature = SpectrogramSegments(bands="mel", band_count=16, column_count=25)
    store = FeatureStore(tmp_path / "cache")
    asked: list[str] = []

    class Counted:
        def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
            asked.append(clip.clip_id)
            return store.get(clip, feature)

    wanted = load_clip_frames(corpus.clips, feature, store).frames
    size_bytes = wanted[0].element_size() * wanted[0].nelement()
    shelf = VoiceShelf(corpus.clips, feature, Counted(), kept_bytes=2 * size_bytes)
    for _ in range(2):
        for found, one in zip(shelf[:], wanted, strict=True):
            torch.testing.assert_close(found, one, rtol=0, atol=0)
    assert asked == ["a/0", "a/1", "b/0", "b/1", "b/0", "b/1"]


def test_long_recordings_are_not_taken_at_once() -> None:
    lengths = (200, 100, 30, 700, 5)
    clips = [torch.full((length, 1, 2, 2), float(n)) for n, length in enumerate(lengths)]
    batches = list(whole_clips(LabelledVoices(clips, torch.arange(5))))
    assert [batch.lengths for batch in batches] == [(200,), (100, 30), (700,), (5,)]
    assert torch.cat([batch.labels for batch in batches]).tolist() == [0, 1, 2, 3, 4]
    rows = torch.cat([batch.segments[:, 0, 0, 0] for batch in batches])
    assert rows.tolist() == [float(n) for n, length in enumerate(lengths) for _ in range(length)]
