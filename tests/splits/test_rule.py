"""Properties of all split rules, the default split, and `on_validation`."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from aver.corpora import combine
from aver.errors import LabelError, SettingsError, SplitError
from aver.splits import check_split, load_split, make_split, save_split, split_rules
from aver.splits.rule import default_split, on_validation


@pytest.fixture
def corpus(corpus_of):
    corpus = corpus_of({f"s{number}": ("female", "male")[number % 2] for number in range(8)})
    subsets = {"s0": "test", "s1": "validation"}
    return replace(
        corpus,
        clips=tuple(replace(clip, subset=subsets.get(clip.speaker, "train")) for clip in corpus),
    )


SETTINGS = {"cross-corpus": {"test": "two"}}
JOINED = ("cross-corpus", "leave-one-corpus-out", "train-on-one-corpus")


@pytest.fixture
def suited(corpus):
    """A function that gives a corpus that a rule can divide: joined ones to rules for those."""

    def suit(name, change=lambda clip: clip):
        clips = tuple(map(change, corpus))
        if name not in JOINED:
            return replace(corpus, clips=clips)
        joined = combine({"one": corpus, "two": replace(corpus, root=corpus.root / "two")})
        return replace(joined, clips=tuple(map(change, joined)))

    return suit


@pytest.mark.parametrize("name", split_rules.names())
def test_rules_have_a_name_a_summary_and_a_source(name):
    rule = split_rules.get(name)

    assert rule.name == name
    assert rule.source
    assert rule.summary
    assert "\n" not in rule.summary


@pytest.mark.parametrize("name", split_rules.names())
def test_makes_a_split_that_loads_again(name, suited, tmp_path):
    corpus = suited(name)
    split = make_split(corpus, name, **SETTINGS.get(name, {}))

    save_split(split, tmp_path / "split.json")
    check_split(split, corpus)
    assert load_split(tmp_path / "split.json", corpus) == split
    assert split.rule.startswith(f"{name}(")
    assert make_split(corpus, name, **SETTINGS.get(name, {})).hash == split.hash


@pytest.mark.parametrize("name", split_rules.names())
def test_one_class_only(name, corpus):
    sad = corpus.where(lambda clip: clip.emotion == "sad", "sad clips")

    with pytest.raises(LabelError, match="'sad'"):
        make_split(sad, name)


@pytest.mark.parametrize(
    "name", [name for name in split_rules.names() if name not in ("random", "official")]
)
def test_clips_without_speakers(name, suited):
    nameless = suited(name, lambda clip: replace(clip, speaker=None))

    with pytest.raises(SplitError, match="has no speaker"):
        make_split(nameless, name, **SETTINGS.get(name, {}))


def test_unknown_rule(corpus):
    with pytest.raises(SettingsError, match="no split rule named 'guesswork'"):
        make_split(corpus, "guesswork")


def test_an_unlabeled_corpus_can_be_divided(corpus):
    unlabelled = replace(corpus, clips=tuple(replace(clip, emotion=None) for clip in corpus))

    assert len(make_split(unlabelled, "speaker-kfold", folds=4).folds) == 4


@pytest.mark.parametrize(("speakers", "folds"), [(10, 5), (9, 9), (4, 4)])
def test_folds_by_number_of_speakers(corpus_of, speakers_of, speakers, folds):
    corpus = corpus_of({f"s{number}": ("female", "male")[number % 2] for number in range(speakers)})

    split = default_split(corpus)

    assert len(split.folds) == folds
    assert split.leaks == ()
    assert {name for fold in speakers_of(split, corpus) for name in fold["test"]} == set(
        corpus.speakers
    )


SEXES = {f"s{number}": ("female", "male")[number % 2] for number in range(10)}


def test_on_validation_tests_the_validation_speakers_and_drops_the_test_speakers(
    corpus_of, speakers_of
):
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


def test_a_split_without_own_validation_clips_is_refused(corpus_of):
    corpus = corpus_of(SEXES)
    for rule, settings in (
        ("speaker-kfold", {"validation": "test"}),
        ("random", {"shares": "80/20"}),
    ):
        with pytest.raises(SplitError, match="validation=nested"):
            on_validation(make_split(corpus, rule, **settings))
