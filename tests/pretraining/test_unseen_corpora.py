"""Tests on another corpus: checks that nothing of it was trained on."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import tiny

from aver.errors import LabelError, MediaError, SettingsError
from aver.features.store import FeatureStore
from aver.models.baselines.functionals import StatisticsLogistic
from aver.pretraining.cross_corpus import (
    check_audio_apart,
    check_predictable,
    check_unseen,
    predict_clips_of,
)
from tone_corpus import write_tone_corpus


def test_a_corpus_of_the_training_is_refused(tmp_path: Path) -> None:
    corpus = write_tone_corpus(tmp_path / "tones", speakers=2, takes=1)
    check_unseen(corpus, ("fer2013", "another folder"))
    with pytest.raises(SettingsError, match="not trained on"):
        check_unseen(corpus, ("fer2013", corpus.label))


def test_clips_without_an_emotion_or_a_speaker_to_adapt_to_are_named(tmp_path: Path) -> None:
    corpus = write_tone_corpus(tmp_path / "tones", speakers=2, takes=1)
    check_predictable(corpus, "speaker")
    nobody = replace(corpus, clips=tuple(replace(clip, speaker=None) for clip in corpus))
    check_predictable(nobody, "")
    with pytest.raises(LabelError, match="no speaker to adapt to"):
        check_predictable(nobody, "speaker")
    mute = replace(corpus, clips=(*corpus.clips[:-1], replace(corpus.clips[-1], emotion=None)))
    with pytest.raises(LabelError, match=f"{corpus.clips[-1].clip_id} of .* has no emotion"):
        check_predictable(mute, "")


def test_the_same_audio_under_another_name_is_found(tmp_path: Path) -> None:
    corpus = write_tone_corpus(tmp_path / "tones", speakers=2, takes=1)
    store = FeatureStore(tmp_path / "cache")
    others = write_tone_corpus(tmp_path / "others", speakers=3, takes=1, seed=1)
    check_audio_apart(corpus, others, store)
    place = tmp_path / "elsewhere.wav"
    shutil.copy(str(corpus.clips[0].audio), place)
    known = replace(others.clips[0], audio=place)
    gone = replace(others.clips[1], audio=tmp_path / "gone.wav")
    again = replace(others, clips=(known, gone, *others.clips[2:]))
    words = f"1 clips of the test corpus others have files .* corpus tones.*{known.clip_id}"
    with pytest.raises(SettingsError, match=words):
        check_audio_apart(corpus, again, store)


def test_a_corpus_without_a_readable_clip_is_an_error(tmp_path: Path) -> None:
    corpus = write_tone_corpus(tmp_path / "tones", speakers=1, takes=1)
    for clip in corpus:
        Path(str(clip.audio)).write_bytes(b"RIFF")
    store = FeatureStore(tmp_path / "cache")
    recognizer = tiny(StatisticsLogistic, store)
    with pytest.raises(MediaError, match="None of the 3 test clips of tones can be used"):
        predict_clips_of(recognizer, corpus, store, trained="nothing")
