"""Rules for joined corpora: no speaker is shared, and test corpora neither train nor validate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aver.corpora import combine, open_corpus
from aver.corpora.combine import part_of
from aver.errors import SettingsError, SplitError
from aver.splits import make_split
from aver.splits.rule import default_split

RULES = {
    "cross-corpus": {"test": "c"},
    "leave-one-corpus-out": {},
    "train-on-one-corpus": {"within_folds": 3},
}


@pytest.fixture(scope="session")
def joined_of(corpus_of):
    """A function that joins corpora a, b, c with so many speakers each, of both sexes."""

    def make(*counts, emotions=("happy", "sad")):
        return combine(
            {
                name: replace(
                    corpus_of(
                        {f"s{number}": ("female", "male")[number % 2] for number in range(count)},
                        emotions,
                    ),
                    root=Path("nowhere") / name,
                )
                for name, count in zip("abcd", counts, strict=False)
            }
        )

    return make


def parts_of(split):
    """Names of the corpora in each subset of each fold."""
    return [
        {subset: {part_of(name) for name in ids} for subset, ids in fold.subsets().items()}
        for fold in split.folds
    ]


@given(
    counts=st.lists(st.integers(3, 12), min_size=3, max_size=3),
    seed=st.integers(0, 100),
    rule=st.sampled_from(sorted(RULES)),
)
def test_speakers_are_disjoint_and_validation_is_never_of_a_test_corpus(
    joined_of, speakers_of, counts, seed, rule
):
    corpus = joined_of(*counts)
    split = make_split(corpus, rule, seed=seed, **RULES[rule])
    assert split.leaks == ()
    for speakers, parts in zip(speakers_of(split, corpus), parts_of(split), strict=True):
        assert not speakers["train"] & speakers["validation"]
        assert not (speakers["train"] | speakers["validation"]) & speakers["test"]
        assert parts["validation"] == parts["train"]
        within = parts["train"] == parts["test"]
        assert within or not parts["train"] & parts["test"]
        assert rule == "train-on-one-corpus" or not within
    assert make_split(corpus, rule, seed=seed, **RULES[rule]).hash == split.hash


@pytest.mark.parametrize(("speakers", "expected"), [(2, 1), (4, 1), (8, 2), (24, 5), (91, 18)])
def test_a_fifth_of_the_speakers_of_each_training_corpus_validates(
    joined_of, speakers_of, speakers, expected
):
    corpus = joined_of(speakers, 10, 3)
    (fold,) = speakers_of(make_split(corpus, "cross-corpus", test="c"), corpus)
    validating = [name for name in fold["validation"] if part_of(name) == "a"]
    assert len(validating) == expected
    assert len([name for name in fold["validation"] if part_of(name) == "b"]) == 2
    women = {clip.speaker for clip in corpus if clip.sex == "female"}
    assert abs(2 * len(women & set(validating)) - len(validating)) <= 1


def test_every_clip_of_the_test_corpora_is_tested_and_all_others_are_used(joined_of):
    corpus = joined_of(4, 5, 6, 3)
    fold = make_split(corpus, "cross-corpus", train="a,b", test="c,d").folds[0]
    named = {part_of(name) for name in fold.train + fold.validation}
    assert named == {"a", "b"}
    assert set(fold.test) == {c.clip_id for c in corpus if part_of(c.clip_id) in "cd"}
    assert sorted(fold.train + fold.validation + fold.test) == sorted(corpus.by_id)
    only = make_split(corpus, "cross-corpus", train="a", test="d").folds[0]
    assert {part_of(name) for name in only.train + only.validation + only.test} == {"a", "d"}


def test_what_one_side_does_not_name_is_the_other_side(joined_of):
    corpus = joined_of(3, 3, 3)
    by_test = make_split(corpus, "cross-corpus", test="b")
    by_train = make_split(corpus, "cross-corpus", train="a,c")
    assert by_test.hash == by_train.hash
    assert by_test.rule == "cross-corpus(train=, test=b, validation_share=0.2)"
    assert by_train.rule == "cross-corpus(train=a+c, test=, validation_share=0.2)"


def test_leaving_one_out_tests_every_corpus_once_with_the_same_validation_speakers(
    joined_of, speakers_of
):
    corpus = joined_of(8, 10, 6)
    split = make_split(corpus, "leave-one-corpus-out")
    assert [parts["test"] for parts in parts_of(split)] == [{"a"}, {"b"}, {"c"}]
    assert [parts["train"] for parts in parts_of(split)] == [{"b", "c"}, {"a", "c"}, {"a", "b"}]
    of_c = [
        {speaker for speaker in fold["validation"] if part_of(speaker) == "c"}
        for fold in speakers_of(split, corpus)[:2]
    ]
    assert of_c[0] == of_c[1]
    assert default_split(corpus).hash == split.hash


def test_the_matrix_has_a_fold_per_corpus_and_the_diagonal_its_own(joined_of):
    corpus = joined_of(4, 3, 5)
    crossed = parts_of(make_split(corpus, "train-on-one-corpus"))
    assert [(parts["train"], parts["test"]) for parts in crossed] == [
        ({"a"}, {"b", "c"}),
        ({"b"}, {"a", "c"}),
        ({"c"}, {"a", "b"}),
    ]
    split = make_split(corpus, "train-on-one-corpus", within_folds=3)
    within = [
        fold
        for fold, parts in zip(split.folds, parts_of(split), strict=True)
        if parts["train"] == parts["test"]
    ]
    assert len(within) == 9
    tested = [name for fold in within for name in fold.test]
    assert sorted(tested) == sorted(corpus.by_id)


def test_a_single_speaker_trains_but_does_not_validate_and_can_be_tested(joined_of, speakers_of):
    corpus = joined_of(1, 4, 3)
    (fold,) = speakers_of(make_split(corpus, "cross-corpus", test="c"), corpus)
    assert "a/s0" in fold["train"]
    assert {part_of(name) for name in fold["validation"]} == {"b"}
    (alone,) = speakers_of(make_split(corpus, "cross-corpus", test="a"), corpus)
    assert alone["test"] == {"a/s0"}


@pytest.mark.parametrize(
    ("counts", "rule", "settings", "words"),
    [
        ((1, 4), "cross-corpus", {"train": "a"}, "a: no training corpus has two speakers"),
        ((1, 1, 4), "cross-corpus", {"test": "c"}, "a and b: no training corpus has two speakers"),
        ((3, 4), "cross-corpus", {}, "needs the names of the training or the test corpora"),
        ((3, 4), "cross-corpus", {"test": "z"}, "no corpus 'z'.*They are: a, b"),
        ((3, 4), "cross-corpus", {"train": "a", "test": "a"}, "'a' cannot both train and be"),
        ((3, 4), "cross-corpus", {"train": "a,b"}, "No corpus is left for the test subset"),
        ((4, 2), "train-on-one-corpus", {"within_folds": 3}, "has 2 speakers, fewer than the 3"),
    ],
)
def test_what_is_not_possible_is_one_clear_line(joined_of, counts, rule, settings, words):
    with pytest.raises(SplitError, match=words) as raised:
        make_split(joined_of(*counts), rule, **settings)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("share", [0, 1, -0.1])
def test_a_share_outside_its_range_is_refused(joined_of, share):
    with pytest.raises(SettingsError, match="validation_share"):
        make_split(joined_of(3, 3), "leave-one-corpus-out", validation_share=share)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_single_corpus_is_refused(corpus_of, rule):
    with pytest.raises(SplitError, match="for several corpora that are joined"):
        make_split(corpus_of({"x": None, "y": None}), rule, **RULES[rule])


def test_an_unknown_speaker_may_be_tested_but_not_train(joined_of):
    corpus = joined_of(3, 3)
    clips = tuple(replace(c, speaker=None) if part_of(c.clip_id) == "b" else c for c in corpus)
    nameless = replace(corpus, clips=clips)
    assert make_split(nameless, "cross-corpus", test="b").folds
    with pytest.raises(SplitError, match=r"'b/s0-happy-0' has no speaker, so b cannot train"):
        make_split(nameless, "cross-corpus", test="a")


def test_real_corpora_of_different_speakers(data_root, speakers_of):
    ravdess = open_corpus(data_root / "ravdess")
    javanese = open_corpus(data_root / "javanese-av", "manifest", config="javanese-av")
    corpus = combine([ravdess, javanese], merge={"calm": "neutral"})
    assert corpus.classes == ("neutral", "happy", "sad", "angry", "fearful", "surprised")
    (fold,) = speakers_of(make_split(corpus, "cross-corpus", test="javanese-av"), corpus)
    assert len(fold["train"]) == 16
    assert len(fold["validation"]) == 4
    assert fold["test"] == {f"javanese-av/0{n}" for n in (1, 2, 3, 4, 6, 7, 8, 9)}
    # calm (8 of 60 clips) counts as neutral (4); disgust (8) is left out.
    assert len(corpus) == 20 * 52 + 192
