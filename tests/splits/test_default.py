"""The split that is taken where nobody names one."""

from __future__ import annotations

import pytest

from aver.splits.rule import default_split


@pytest.mark.parametrize(("speakers", "folds"), [(10, 5), (9, 9), (4, 4)])
def test_folds_by_number_of_speakers(corpus_of, speakers_of, speakers, folds):
    corpus = corpus_of({f"s{number}": ("female", "male")[number % 2] for number in range(speakers)})

    split = default_split(corpus)

    assert len(split.folds) == folds
    assert split.leaks == ()
    assert {name for fold in speakers_of(split, corpus) for name in fold["test"]} == set(
        corpus.speakers
    )
