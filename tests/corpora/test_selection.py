"""Selections of a corpus."""

from __future__ import annotations

import pytest

from aver.corpora import open_corpus
from aver.corpora.corpus import Selection
from aver.errors import CorpusError, LabelError

SIX = ("happy", "sad", "angry", "fearful", "disgust", "surprised")


def test_six_classes_of_papers_1_and_2(data_root):
    corpus = open_corpus(data_root / "ravdess")

    smaller = Selection(emotions=SIX).apply(corpus)

    assert smaller.classes == SIX
    assert len(smaller) == 20 * 48


def test_speakers_channel_and_words(plant):
    names = [
        f"03-{channel}-{emotion}-01-01-01-{actor}.wav"
        for channel in ("01", "02")
        for emotion in ("03", "04")
        for actor in ("01", "02")
    ]
    corpus = open_corpus(plant(names), channel="both")

    chosen = Selection(emotions=("happiness",), speakers=("02",), channel="song").apply(corpus)

    assert [clip.clip_id for clip in chosen] == ["02-03-01-01-01-02"]
    assert Selection().apply(corpus) == corpus


def test_what_is_not_there(plant):
    corpus = open_corpus(plant(["03-01-03-01-01-01-01.wav"]))

    with pytest.raises(LabelError, match="no clip that is 'calm'"):
        Selection(emotions=("calm",)).apply(corpus)
    with pytest.raises(LabelError, match="bored"):
        Selection(emotions=("bored",)).apply(corpus)
    with pytest.raises(CorpusError, match="no speaker '9'"):
        Selection(speakers=("9",)).apply(corpus)
    with pytest.raises(CorpusError, match="song"):
        Selection(channel="song").apply(corpus)
