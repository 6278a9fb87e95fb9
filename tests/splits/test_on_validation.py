"""Splits whose validation clips are answered: nothing of the test clips, no clip twice."""

from __future__ import annotations

from collections import Counter

import pytest

from aver.errors import SplitError
from aver.splits import check_split, make_split
from aver.splits.rule import on_validation

SEXES = {f"s{number}": ("female", "male")[number % 2] for number in range(10)}


def test_validation_speakers_are_predicted_and_test_speakers_are_nowhere(corpus_of, speakers_of):
    corpus = corpus_of(SEXES)
    split = make_split(corpus, "speaker-kfold", folds=5)
    found = on_validation(split)
    check_split(found, corpus)
    for before, after in zip(speakers_of(split, corpus), speakers_of(found, corpus), strict=True):
        assert after["train"] == before["train"]
        assert after["validation"] == set()
        assert after["test"] == before["validation"]
        assert not set().union(*after.values()) & before["test"]
    assert found.rule != split.rule
    assert found.hash != split.hash
    assert not found.leaks


@pytest.mark.parametrize("rule", ["speaker-kfold", "leave-one-speaker-out"])
def test_no_clip_is_predicted_twice(corpus_of, rule):
    """Two speakers validate each fold of leave-one-speaker-out, each of them in two folds."""
    split = on_validation(make_split(corpus_of(SEXES), rule))
    predicted = Counter(clip_id for fold in split.folds for clip_id in fold.test)
    assert set(predicted.values()) == {1}
    assert len(predicted) > 20  # of 40


def test_without_validation_clips_of_its_own_a_split_has_none_to_prediction(corpus_of):
    corpus = corpus_of(SEXES)
    for rule, settings in (
        ("speaker-kfold", {"validation": "test"}),
        ("random", {"shares": "80/20"}),
    ):
        with pytest.raises(SplitError, match="validation=nested"):
            on_validation(make_split(corpus, rule, **settings))
