"""Laws that every split rule keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aver.errors import LabelError, SettingsError, SplitError
from aver.splits import check_split, load_split, make_split, save_split, split_rules


@pytest.fixture
def corpus(corpus_of):
    corpus = corpus_of({f"s{number}": ("female", "male")[number % 2] for number in range(8)})
    subsets = {"s0": "test", "s1": "validation"}
    return replace(
        corpus,
        clips=tuple(replace(clip, subset=subsets.get(clip.speaker, "train")) for clip in corpus),
    )


@pytest.mark.parametrize("name", split_rules.names())
def test_says_what_it_is_and_where_it_comes_from(name):
    rule = split_rules.get(name)

    assert rule.name == name
    assert rule.source
    assert rule.summary
    assert "\n" not in rule.summary


@pytest.mark.parametrize("name", split_rules.names())
def test_makes_a_split_that_loads_again(name, corpus, tmp_path):
    split = make_split(corpus, name)

    save_split(split, tmp_path / "split.json")
    check_split(split, corpus)
    assert load_split(tmp_path / "split.json", corpus) == split
    assert split.rule.startswith(f"{name}(")
    assert make_split(corpus, name).hash == split.hash


@pytest.mark.parametrize("name", split_rules.names())
def test_one_class_only(name, corpus):
    sad = corpus.where(lambda clip: clip.emotion == "sad", "sad clips")

    with pytest.raises(LabelError, match="'sad'"):
        make_split(sad, name)


@pytest.mark.parametrize(
    "name", [name for name in split_rules.names() if name not in ("random", "official")]
)
def test_clips_without_speakers(name, corpus):
    nameless = replace(corpus, clips=tuple(replace(clip, speaker=None) for clip in corpus))

    with pytest.raises(SplitError, match="has no speaker"):
        make_split(nameless, name)


def test_unknown_rule(corpus):
    with pytest.raises(SettingsError, match="no split rule named 'guesswork'"):
        make_split(corpus, "guesswork")


def test_unlabelled_corpus_can_be_divided(corpus):
    unlabelled = replace(corpus, clips=tuple(replace(clip, emotion=None) for clip in corpus))

    assert len(make_split(unlabelled, "speaker-kfold", folds=4).folds) == 4
