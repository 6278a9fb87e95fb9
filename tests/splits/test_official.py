"""The subsets that a corpus's authors made."""

from __future__ import annotations

from pathlib import Path

import pytest

from aver.corpora import Clip, Corpus, open_corpus
from aver.errors import SplitError
from aver.splits import make_split


def test_fer2013(data_root):
    corpus = open_corpus(data_root / "fer2013.tar", "fer2013")

    split = make_split(corpus, "official")

    (fold,) = split.folds
    assert (len(fold.train), len(fold.validation), len(fold.test)) == (28709, 3589, 3589)
    assert all("/PrivateTest_" in clip_id for clip_id in fold.test)
    assert split.leaks[0].startswith("unknown-speakers:")


def test_speakers_that_are_on_both_sides_are_refused():
    clips = (
        Clip("1", "anna", "sad", subset="train"),
        Clip("2", "anna", "happy", subset="test"),
        Clip("3", "ben", "happy"),
    )

    with pytest.raises(SplitError, match="'anna' is in train and in test"):
        make_split(Corpus("test", Path("nowhere"), clips), "official")


def test_no_parts(corpus_of):
    with pytest.raises(SplitError, match="no clip in an official train subset"):
        make_split(corpus_of({"a": None}), "official")
