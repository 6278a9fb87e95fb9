"""Random shares, and the official subsets of a corpus."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aver.corpora import Clip, Corpus, open_corpus
from aver.errors import SettingsError, SplitError
from aver.splits import make_split


@given(
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=6),
    seed=st.integers(0, 1000),
    shares=st.sampled_from(["60/20/20", "80/20"]),
)
def test_random_shares_are_stratified(sizes, seed, shares):
    emotions = ("neutral", "calm", "happy", "sad", "angry", "fearful")
    clips = [
        Clip(f"{emotion}-{number:02d}", f"s{number % 3}", emotion)
        for emotion, size in zip(emotions, sizes, strict=False)
        for number in range(size)
    ]
    corpus = Corpus("test", Path("nowhere"), tuple(sorted(clips, key=lambda clip: clip.clip_id)))
    percents = [int(share) for share in shares.split("/")]
    if len(percents) == 2:
        percents.insert(1, 0)
    try:
        split = make_split(corpus, "random", shares=shares, seed=seed)
    except SplitError:
        assert len(corpus) < 10
        return

    (fold,) = split.folds
    assert sorted(fold.train + fold.validation + fold.test) == sorted(corpus.by_id)
    for ids, percent in zip(fold.subsets().values(), percents, strict=True):
        assert abs(len(ids) - len(corpus) * percent / 100) < 1.5
        counts = Counter(corpus.by_id[clip_id].emotion for clip_id in ids)
        for emotion, size in zip(emotions, sizes, strict=False):
            assert abs(counts[emotion] - size * percent / 100) < 2
    assert any(leak.startswith("shared-speakers:") for leak in split.leaks)


def test_random_shares_on_ravdess(data_root):
    corpus = open_corpus(data_root / "ravdess")

    (fold,) = make_split(corpus, "random", shares="80/20", seed=3).folds

    assert (len(fold.train), len(fold.validation), len(fold.test)) == (960, 0, 240)
    assert Counter(corpus.by_id[clip_id].emotion for clip_id in fold.test)["neutral"] == 16


def test_performances_stay_together_unless_clips_are_drawn(corpus_of):
    corpus = corpus_of({"a": "male", "b": "female"}, takes=20)
    doubled = [
        replace(clip, clip_id=f"{clip.clip_id}.{copy}", performance=clip.clip_id)
        for clip in corpus
        for copy in ("mp4", "wav")
    ]
    corpus = replace(corpus, clips=tuple(sorted(doubled, key=lambda clip: clip.clip_id)))

    together = make_split(corpus, "random")
    apart = make_split(corpus, "random", by="clip")

    def shared(split):
        (fold,) = split.folds
        performances = [
            {clip.performance for clip in corpus.select(ids)} for ids in fold.subsets().values()
        ]
        return performances[0] & performances[2]

    assert not shared(together)
    assert [leak.split(":")[0] for leak in together.leaks] == ["shared-speakers"]
    assert shared(apart)
    assert [leak.split(":")[0] for leak in apart.leaks] == [
        "shared-speakers",
        "shared-performances",
    ]


def test_validation_on_test_declares_its_leak(corpus_of):
    corpus = corpus_of({"a": None, "b": None}, takes=20)

    split = make_split(corpus, "random", shares="80/20", validation="test")

    assert split.folds[0].validation == split.folds[0].test
    assert any(leak.startswith("validation-is-test:") for leak in split.leaks)


def test_unknown_speakers_are_declared():
    clips = tuple(Clip(f"{number:02d}", None, ("happy", "sad")[number % 2]) for number in range(20))

    split = make_split(Corpus("test", Path("nowhere"), clips), "random")

    assert split.leaks[0].startswith("unknown-speakers:")


def test_a_clip_more_does_not_shuffle_the_others(corpus_of):
    few, more = corpus_of({"a": None}, takes=50), corpus_of({"a": None}, takes=51)

    test_of_few, test_of_more = (
        set(make_split(corpus, "random", seed=2).folds[0].test) for corpus in (few, more)
    )

    assert len(test_of_few ^ test_of_more) <= 4


def test_too_few_clips_and_faulty_settings(corpus_of):
    corpus = corpus_of({"a": None}, takes=1)

    with pytest.raises(SplitError, match="2 clips, too few"):
        make_split(corpus, "random")
    for settings in ({"shares": "50/50"}, {"by": "coin"}, {"validation": "test"}, {"seed": "x"}):
        with pytest.raises(SettingsError):
            make_split(corpus, "random", **settings)


def test_official_subsets_of_fer2013(data_root):
    corpus = open_corpus(data_root / "fer2013.tar", "fer2013")

    split = make_split(corpus, "official")

    (fold,) = split.folds
    assert (len(fold.train), len(fold.validation), len(fold.test)) == (28709, 3589, 3589)
    assert all("/PrivateTest_" in clip_id for clip_id in fold.test)
    assert split.leaks[0].startswith("unknown-speakers:")


def test_official_refuses_a_speaker_in_two_subsets():
    clips = (
        Clip("1", "anna", "sad", subset="train"),
        Clip("2", "anna", "happy", subset="test"),
        Clip("3", "ben", "happy"),
    )

    with pytest.raises(SplitError, match="'anna' is in train and in test"):
        make_split(Corpus("test", Path("nowhere"), clips), "official")


def test_official_needs_subsets(corpus_of):
    with pytest.raises(SplitError, match="no clip in an official train subset"):
        make_split(corpus_of({"a": None}), "official")
