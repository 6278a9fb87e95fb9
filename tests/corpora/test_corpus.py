"""`Corpus`: sorted clips, looked up by id, made smaller."""

from __future__ import annotations

import pytest

from aver.corpora import Clip, open_corpus
from aver.errors import CorpusError, SettingsError, SplitError


@pytest.fixture
def corpus(plant):
    return open_corpus(plant(["03-01-04-01-01-01-02.wav", "03-01-03-01-01-01-01.wav"]))


def test_select_keeps_the_order_asked_for(corpus):
    ids = ["01-04-01-01-01-02", "01-03-01-01-01-01"]

    assert [clip.clip_id for clip in corpus.select(ids)] == ids
    assert [clip.clip_id for clip in corpus] == ids[::-1]
    with pytest.raises(SplitError, match="'nobody'"):
        corpus.select(["nobody"])


def test_classes_in_canonical_order_and_speakers(corpus):
    assert corpus.classes == ("happy", "sad")
    assert corpus.speakers == ("01", "02")


def test_where(corpus):
    assert len(corpus.where(lambda clip: clip.sex == "male", "men")) == 1
    with pytest.raises(CorpusError, match="no speaker of nine"):
        corpus.where(lambda clip: False, "no speaker of nine")


def test_settings_of_the_wrong_kind(plant):
    root = plant(["03-01-04-01-01-01-02.wav"])

    with pytest.raises(SettingsError, match="needs text for 'channel', not 3"):
        open_corpus(root, channel=3)
    with pytest.raises(SettingsError, match="no corpus named 'ravdes'"):
        open_corpus(root, "ravdes")


def test_a_clip_without_labels_keeps_only_what_a_recognizer_may_see():
    clip = Clip(
        "a", "s", "sad", intensity="strong", sentence="1", votes={"face": {"sad": 1.0}}, take="2"
    )

    bare = clip.without_labels()

    assert (bare.emotion, bare.intensity, bare.sentence, bare.votes) == (None, None, None, {})
    assert (bare.clip_id, bare.speaker, bare.performance) == ("a", "s", "a")
