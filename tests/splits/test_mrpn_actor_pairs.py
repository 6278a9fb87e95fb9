"""The MRPN paper's folds of two actors."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aver.corpora import open_corpus
from aver.errors import SplitError
from aver.splits import make_split

RULE = "mrpn-actor-pairs"


def test_pairs_of_the_paper(corpus_of, speakers_of):
    sexes = {f"{actor:02d}": ("female", "male")[actor % 2] for actor in range(1, 25)}
    corpus = corpus_of(sexes)

    split = make_split(corpus, RULE, validation="test")

    # Table 1 of the paper: A1,2 A3,4 ... A23,24
    pairs = [{f"{odd:02d}", f"{odd + 1:02d}"} for odd in range(1, 24, 2)]
    folds = speakers_of(split, corpus)
    assert [fold["test"] for fold in folds] == pairs
    assert [fold["validation"] for fold in folds] == pairs
    assert all(len(fold["train"]) == 22 for fold in folds)
    assert split.leaks[0].startswith("validation-is-test:")


def test_clean_variant_validates_on_the_next_pair(data_root, speakers_of):
    corpus = open_corpus(data_root / "ravdess")

    split = make_split(corpus, RULE)

    folds = speakers_of(split, corpus)
    assert len(folds) == 10
    assert folds[0]["test"] == {"01", "02"}
    assert folds[0]["validation"] == {"03", "04"}
    assert folds[9]["validation"] == {"01", "02"}
    assert not any(fold["train"] & (fold["validation"] | fold["test"]) for fold in folds)
    assert split.leaks == ()


@given(sexes=st.lists(st.sampled_from(["female", "male", None]), min_size=6, max_size=30))
def test_any_speakers(corpus_of, speakers_of, sexes):
    corpus = corpus_of({f"s{number:02d}": sex for number, sex in enumerate(sexes)})

    folds = speakers_of(make_split(corpus, RULE), corpus)

    tested = Counter(speaker for fold in folds for speaker in fold["test"])
    assert tested == dict.fromkeys(corpus.speakers, 1)
    assert len(folds) == len(sexes) // 2
    assert {len(fold["test"]) for fold in folds} <= {2, 3}
    mixed = sum(
        {sexes[int(speaker[1:])] for speaker in fold["test"]} >= {"female", "male"}
        for fold in folds
    )
    assert mixed >= min(sexes.count("female"), sexes.count("male"))


def test_too_few_pairs(corpus_of):
    corpus = corpus_of(dict.fromkeys("abcd"))

    with pytest.raises(SplitError, match="2 pairs"):
        make_split(corpus, RULE)
    assert len(make_split(corpus, RULE, validation="test").folds) == 2
