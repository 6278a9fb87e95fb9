"""Speaker-disjoint folds, for any number of speakers of any sexes."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aver.corpora import open_corpus
from aver.errors import LabelError, SettingsError, SplitError
from aver.splits import make_split

KFOLD, ONE_OUT, PAIRS = "speaker-kfold", "leave-one-speaker-out", "mrpn-actor-pairs"


def lists_of_sexes(shortest, longest):
    return st.lists(st.sampled_from(["female", "male", None]), min_size=shortest, max_size=longest)


@given(sexes=lists_of_sexes(3, 30), seed=st.integers(0, 1000), data=st.data())
def test_kfold_tests_every_speaker_once_and_balances_the_sexes(
    corpus_of, speakers_of, sexes, seed, data
):
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


def test_kfold_on_ravdess(data_root, speakers_of):
    corpus = open_corpus(data_root / "ravdess")

    split = make_split(corpus, "speaker-kfold", folds=5)

    assert [(len(f.train), len(f.validation), len(f.test)) for f in split.folds] == [
        (720, 240, 240)
    ] * 5
    for fold in speakers_of(split, corpus):
        assert sum(int(speaker) % 2 for speaker in fold["test"]) == 2  # two men of four


def test_the_seed_determines_the_folds(corpus_of):
    corpus = corpus_of({f"s{number}": "female" for number in range(12)})

    assert make_split(corpus, seed=1) == make_split(corpus, seed=1)
    assert make_split(corpus, seed=1).hash != make_split(corpus, seed=2).hash


@pytest.mark.parametrize("rule", [KFOLD, ONE_OUT, PAIRS])
def test_validation_on_test_declares_its_leak(corpus_of, rule):
    corpus = corpus_of({f"s{number}": "male" for number in range(10)})

    split = make_split(corpus, rule, validation="test")

    assert all(fold.validation == fold.test for fold in split.folds)
    assert split.leaks[0].startswith("validation-is-test:")


def test_kfold_needs_a_speaker_per_fold(corpus_of):
    corpus = corpus_of({"a": "male", "b": "female", "c": "male"})

    with pytest.raises(SplitError, match="3 speakers, fewer than the 5 folds"):
        make_split(corpus, folds=5)


def test_kfold_needs_two_speakers(corpus_of):
    with pytest.raises(SplitError, match="only one speaker, 'a'"):
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
        ({"fold": 5}, "no setting 'speaker-kfold.fold'"),
    ],
)
def test_faulty_settings(corpus_of, settings, words):
    with pytest.raises(SettingsError, match=words):
        make_split(corpus_of({"a": "male", "b": "female"}), "speaker-kfold", **settings)


@given(sexes=lists_of_sexes(4, 24), seed=st.integers(0, 1000), count=st.integers(0, 2))
def test_one_out_tests_each_speaker_alone(corpus_of, speakers_of, sexes, seed, count):
    corpus = corpus_of({f"s{number}": sex for number, sex in enumerate(sexes)})

    split = make_split(corpus, ONE_OUT, validation_speakers=count, seed=seed)

    folds = speakers_of(split, corpus)
    assert [fold["test"] for fold in folds] == [{speaker} for speaker in corpus.speakers]
    for fold in folds:
        assert len(fold["validation"]) == (count or (2 if len(sexes) >= 6 else 1))
        assert not fold["validation"] & fold["test"]
        assert fold["train"] == set(corpus.speakers) - fold["validation"] - fold["test"]
        assert fold["train"]


def test_balanced_sexes_validate_in_pairs_and_in_turn(corpus_of, speakers_of):
    sexes = {f"s{number}": ("female", "male")[number % 2] for number in range(8)}
    corpus = corpus_of(sexes)

    folds = speakers_of(make_split(corpus, ONE_OUT), corpus)

    for fold in folds:
        assert sorted(sexes[speaker] for speaker in fold["validation"]) == ["female", "male"]
    turns = Counter(speaker for fold in folds for speaker in fold["validation"])
    assert set(turns) == set(sexes)
    assert max(turns.values()) <= 4


def test_a_single_validation_speaker_alternates_between_the_sexes(corpus_of, speakers_of):
    sexes = {f"s{number}": ("female", "male")[number < 4] for number in range(8)}
    corpus = corpus_of(sexes)

    folds = speakers_of(make_split(corpus, ONE_OUT, validation_speakers=1), corpus)

    validating = [sexes[speaker] for fold in folds for speaker in fold["validation"]]
    assert Counter(validating) == {"female": 4, "male": 4}


def test_one_out_needs_a_speaker_for_training(corpus_of):
    with pytest.raises(SplitError, match="none is left for training"):
        make_split(corpus_of({"a": None, "b": None}), ONE_OUT)
    with pytest.raises(SettingsError, match="-1"):
        make_split(corpus_of({"a": None, "b": None}), ONE_OUT, validation_speakers=-1)


def test_pairs_of_the_paper(corpus_of, speakers_of):
    sexes = {f"{actor:02d}": ("female", "male")[actor % 2] for actor in range(1, 25)}
    corpus = corpus_of(sexes)

    split = make_split(corpus, PAIRS, validation="test")

    # Table 1 of the paper: A1,2 A3,4 ... A23,24
    pairs = [{f"{odd:02d}", f"{odd + 1:02d}"} for odd in range(1, 24, 2)]
    folds = speakers_of(split, corpus)
    assert [fold["test"] for fold in folds] == pairs
    assert [fold["validation"] for fold in folds] == pairs
    assert all(len(fold["train"]) == 22 for fold in folds)
    assert split.leaks[0].startswith("validation-is-test:")


def test_clean_pairs_validate_on_the_next_pair(data_root, speakers_of):
    corpus = open_corpus(data_root / "ravdess")

    split = make_split(corpus, PAIRS)

    folds = speakers_of(split, corpus)
    assert len(folds) == 10
    assert folds[0]["test"] == {"01", "02"}
    assert folds[0]["validation"] == {"03", "04"}
    assert folds[9]["validation"] == {"01", "02"}
    assert not any(fold["train"] & (fold["validation"] | fold["test"]) for fold in folds)
    assert split.leaks == ()


@given(sexes=lists_of_sexes(6, 30))
def test_pairs_of_any_speakers(corpus_of, speakers_of, sexes):
    corpus = corpus_of({f"s{number:02d}": sex for number, sex in enumerate(sexes)})

    folds = speakers_of(make_split(corpus, PAIRS), corpus)

    tested = Counter(speaker for fold in folds for speaker in fold["test"])
    assert tested == dict.fromkeys(corpus.speakers, 1)
    assert len(folds) == len(sexes) // 2
    assert {len(fold["test"]) for fold in folds} <= {2, 3}
    mixed = sum(
        {sexes[int(speaker[1:])] for speaker in fold["test"]} >= {"female", "male"}
        for fold in folds
    )
    assert mixed >= min(sexes.count("female"), sexes.count("male"))


def test_pairs_need_three_of_them_unless_validation_is_test(corpus_of):
    corpus = corpus_of(dict.fromkeys("abcd"))

    with pytest.raises(SplitError, match="2 pairs"):
        make_split(corpus, PAIRS)
    assert len(make_split(corpus, PAIRS, validation="test").folds) == 2
