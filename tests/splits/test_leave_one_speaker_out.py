"""Every speaker tests alone, and validation rotates."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aver.errors import SettingsError, SplitError
from aver.splits import make_split

RULE = "leave-one-speaker-out"
_SEXES = st.lists(st.sampled_from(["female", "male", None]), min_size=4, max_size=24)


@given(sexes=_SEXES, seed=st.integers(0, 1000), wanted=st.integers(0, 2))
def test_laws(corpus_of, speakers_of, sexes, seed, wanted):
    corpus = corpus_of({f"s{number}": sex for number, sex in enumerate(sexes)})

    split = make_split(corpus, RULE, validation_speakers=wanted, seed=seed)

    folds = speakers_of(split, corpus)
    assert [fold["test"] for fold in folds] == [{speaker} for speaker in corpus.speakers]
    for fold in folds:
        assert len(fold["validation"]) == (wanted or (2 if len(sexes) >= 6 else 1))
        assert not fold["validation"] & fold["test"]
        assert fold["train"] == set(corpus.speakers) - fold["validation"] - fold["test"]
        assert fold["train"]


def test_balanced_sexes_validate_in_pairs_and_in_turn(corpus_of, speakers_of):
    sexes = {f"s{number}": ("female", "male")[number % 2] for number in range(8)}
    corpus = corpus_of(sexes)

    folds = speakers_of(make_split(corpus, RULE), corpus)

    for fold in folds:
        assert sorted(sexes[speaker] for speaker in fold["validation"]) == ["female", "male"]
    turns = Counter(speaker for fold in folds for speaker in fold["validation"])
    assert set(turns) == set(sexes)
    assert max(turns.values()) <= 4


def test_a_single_validation_speaker_alternates_between_the_sexes(corpus_of, speakers_of):
    sexes = {f"s{number}": ("female", "male")[number < 4] for number in range(8)}
    corpus = corpus_of(sexes)

    folds = speakers_of(make_split(corpus, RULE, validation_speakers=1), corpus)

    validating = [sexes[speaker] for fold in folds for speaker in fold["validation"]]
    assert Counter(validating) == {"female": 4, "male": 4}


def test_validation_on_test_says_that_it_leaks(corpus_of):
    split = make_split(corpus_of({"a": None, "b": None}), RULE, validation="test")

    assert all(fold.validation == fold.test for fold in split.folds)
    assert split.leaks[0].startswith("validation-is-test:")


def test_nobody_left_to_train(corpus_of):
    with pytest.raises(SplitError, match="none is left for training"):
        make_split(corpus_of({"a": None, "b": None}), RULE)
    with pytest.raises(SettingsError, match="-1"):
        make_split(corpus_of({"a": None, "b": None}), RULE, validation_speakers=-1)
