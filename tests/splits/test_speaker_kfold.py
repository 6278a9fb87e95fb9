"""Speaker-disjoint folds, for any number of speakers of any sexes."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aver.corpora import open_corpus
from aver.errors import LabelError, SettingsError, SplitError
from aver.splits import make_split

_SEXES = st.lists(st.sampled_from(["female", "male", None]), min_size=3, max_size=30)


@given(sexes=_SEXES, seed=st.integers(0, 1000), data=st.data())
def test_laws(corpus_of, speakers_of, sexes, seed, data):
    corpus = corpus_of({f"s{number}": sex for number, sex in enumerate(sexes)})
    count = data.draw(st.integers(3, len(sexes)))

    split = make_split(corpus, folds=count, seed=seed)

    folds = speakers_of(split, corpus)
    assert len(folds) == count
    for fold in folds:
        assert fold["train"]
        assert fold["validation"]
        assert fold["test"]
        assert not fold["train"] & fold["validation"]
        assert not fold["train"] & fold["test"]
        assert not fold["validation"] & fold["test"]
        assert set().union(*fold.values()) == set(corpus.speakers)
    tested = Counter(speaker for fold in folds for speaker in fold["test"])
    assert tested == dict.fromkeys(corpus.speakers, 1)
    sizes = [len(fold["test"]) for fold in folds]
    assert max(sizes) - min(sizes) <= 1
    for sex in set(sexes):
        of_sex = {f"s{number}" for number, other in enumerate(sexes) if other == sex}
        counts = [len(fold["test"] & of_sex) for fold in folds]
        assert max(counts) - min(counts) <= 1
    for fold in split.folds:
        assert sorted(fold.train + fold.validation + fold.test) == sorted(corpus.by_id)
    assert split.leaks == ()


def test_real_corpus(data_root, speakers_of):
    corpus = open_corpus(data_root / "ravdess")

    split = make_split(corpus, "speaker-kfold", folds=5)

    assert [(len(f.train), len(f.validation), len(f.test)) for f in split.folds] == [
        (720, 240, 240)
    ] * 5
    for fold in speakers_of(split, corpus):
        assert sum(int(speaker) % 2 for speaker in fold["test"]) == 2  # two men of four


def test_seed_decides(corpus_of):
    corpus = corpus_of({f"s{number}": "female" for number in range(12)})

    assert make_split(corpus, seed=1) == make_split(corpus, seed=1)
    assert make_split(corpus, seed=1).hash != make_split(corpus, seed=2).hash


def test_validation_on_test_says_that_it_leaks(corpus_of):
    corpus = corpus_of({f"s{number}": "male" for number in range(10)})

    split = make_split(corpus, folds=10, validation="test")

    assert all(fold.validation == fold.test for fold in split.folds)
    assert split.leaks[0].startswith("validation-is-test:")


def test_too_few_speakers(corpus_of):
    corpus = corpus_of({"a": "male", "b": "female", "c": "male"})

    with pytest.raises(SplitError, match="3 speakers, fewer than the 5 folds"):
        make_split(corpus, folds=5)


def test_one_speaker_only(corpus_of):
    with pytest.raises(SplitError, match="one speaker only, 'a'"):
        make_split(corpus_of({"a": "male"}))


def test_one_class_only(corpus_of):
    corpus = corpus_of({f"s{number}": "male" for number in range(6)}, emotions=("calm",))

    with pytest.raises(LabelError, match="'calm'"):
        make_split(corpus)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"folds": 2}, "at least 3"),
        ({"folds": 1, "validation": "test"}, "at least 2"),
        ({"validation": "none"}, "nested"),
        ({"fold": 5}, "no setting 'fold'"),
    ],
)
def test_faulty_settings(corpus_of, settings, words):
    with pytest.raises(SettingsError, match=words):
        make_split(corpus_of({"a": "male", "b": "female"}), "speaker-kfold", **settings)
