"""Subsets by speaker and the memory limit of segments in pretraining on speech."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from audio_corpus import write_speakers

from aver.corpora.clip import Clip
from aver.errors import SettingsError, SplitError
from aver.features.feature import Feature, FeatureRecord
from aver.features.spectrogram_segments import SpectrogramSegments
from aver.features.store import FeatureStore
from aver.models.data.batches import read_frames
from aver.models.data.clip_features import load_feature
from aver.pretraining.audio_data import ClipSegments, check_pairs, divide_clips, split_speakers
from aver.pretraining.settings import AudioSettings
from aver.splits import make_split

SETTINGS = AudioSettings()


@pytest.mark.parametrize("speakers", [4, 7, 9, 10, 23])
def test_at_least_two_speakers_are_tested(speakers: int, tmp_path: Path) -> None:
    corpus = write_speakers(tmp_path, [f"id{s}/{t}" for s in range(speakers) for t in range(2)])
    fold = split_speakers(corpus).folds[0]
    assert len({c.speaker for c in corpus.select(list(fold.test))}) >= 2
    assert fold.train
    assert fold.validation


def test_three_speakers_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(SplitError, match="at least 4"):
        split_speakers(write_speakers(tmp_path, [f"id{s}/{t}" for s in range(3) for t in range(2)]))


def test_a_speaker_with_one_clip_is_trained_on_and_does_not_validate(tmp_path: Path) -> None:
    names = [f"id{s}/{t}" for s in range(6) for t in range(3)] + ["once/0"]
    corpus = write_speakers(tmp_path, names)
    split = make_split(corpus, "speaker-kfold", folds=3)
    subsets = divide_clips(corpus.clips, split, SETTINGS, seed=0)
    trained, validating = ({c.speaker for c in subsets[s]} for s in ("train", "validation"))
    assert validating <= trained
    if "once" not in {c.speaker for c in subsets["test"]}:
        assert "once" in trained - validating
    lonely = [c for c in corpus.clips if c.clip_id.endswith("/0")]
    with pytest.raises(SettingsError, match="left to select the epoch with"):
        divide_clips(lonely, split, SETTINGS, seed=0)


def test_too_few_clips_to_verify_or_to_train_are_named(tmp_path: Path) -> None:
    corpus = write_speakers(tmp_path, [f"id{s}/{t}" for s in range(6) for t in range(2)])
    split = make_split(corpus, "speaker-kfold", folds=3)
    settings = SETTINGS
    fold = split.folds[0]
    tested = set(fold.test)
    once = [c for c in corpus if c.clip_id not in tested or c.clip_id.endswith("/0")]
    with pytest.raises(SettingsError, match="Of the test speakers, 2 speakers with 2 clips"):
        divide_clips(once, split, settings, seed=0)
    trained = corpus.by_id[fold.train[0]].speaker
    alone = [c for c in corpus if c.clip_id in tested or c.speaker == trained]
    with pytest.raises(SettingsError, match=f"the same speaker, {trained}"):
        divide_clips(alone, split, settings, seed=0)
    with pytest.raises(SettingsError, match="Of another corpus, 1 speakers with 2 clips"):
        check_pairs(corpus.clips[:2], "another corpus")
    check_pairs(corpus.clips[:3], "another corpus")


def test_segments_beyond_the_memory_limit_are_read_each_time(tmp_path: Path) -> None:
    corpus = write_speakers(tmp_path / "vox", ["a/0", "a/1", "b/0", "b/1"])
    feature = SpectrogramSegments(bands="mel", band_count=16, column_count=25, needs_speech=False)
    store = FeatureStore(tmp_path / "cache")
    read: list[str] = []

    class Counted:
        def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
            read.append(clip.clip_id)
            return store.get(clip, feature)

    wanted = load_feature(corpus.clips, feature, store, read_frames).values
    size_bytes = wanted[0].element_size() * wanted[0].nelement()
    segments = ClipSegments(corpus.clips, feature, Counted(), memory_bytes=2 * size_bytes)
    for _ in range(2):
        for found, one in zip(segments[:], wanted, strict=True):
            torch.testing.assert_close(found, one, rtol=0, atol=0)
    assert read == ["a/0", "a/1", "b/0", "b/1", "b/0", "b/1"]
