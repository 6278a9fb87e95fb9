"""Splits as files: storage, hash, and checks against the corpus."""

from __future__ import annotations

import json

import pytest

from aver.corpora import Clip, Corpus
from aver.errors import SplitError, StorageError
from aver.splits import Fold, Split, load_split, make_split, save_split


@pytest.fixture
def corpus(corpus_of):
    return corpus_of({f"s{number}": ("female", "male")[number % 2] for number in range(6)})


@pytest.fixture
def stored(corpus, tmp_path):
    """A good split on disk, and a function that edits the file and loads it again."""
    path = tmp_path / "split.json"
    save_split(make_split(corpus, folds=3), path)

    def edit(change):
        values = json.loads(path.read_text())
        change(values)
        path.write_text(json.dumps(values))
        return load_split(path, corpus)

    return edit


def test_round_trip(corpus, tmp_path):
    split = make_split(corpus, folds=3, seed=5)

    save_split(split, tmp_path / "new" / "split.json")

    loaded = load_split(tmp_path / "new" / "split.json", corpus)
    assert loaded == split
    assert loaded.hash == split.hash
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["split.json"]


def test_hash_ignores_formatting_and_order_but_not_content(corpus, stored):
    split = make_split(corpus, folds=3)

    def reverse(values):
        for fold in values["folds"]:
            fold["train"].reverse()
        values["rule"] = "by hand"

    def move(values):
        fold = values["folds"][0]
        speaker = fold["train"][0].split("-")[0]
        moved = [clip for clip in fold["train"] if clip.startswith(f"{speaker}-")]
        fold["train"] = [clip for clip in fold["train"] if clip not in moved]
        fold["validation"] += moved

    assert stored(reverse).hash == split.hash
    assert stored(move).hash != split.hash


def test_clip_twice(stored):
    def double(values):
        values["folds"][1]["train"].append(values["folds"][1]["train"][0])

    with pytest.raises(SplitError, match=r"Clip 's\d-happy-0' is twice in train of fold 2"):
        stored(double)


def test_clip_in_two_subsets(stored):
    def copy(values):
        values["folds"][0]["test"].append(values["folds"][0]["train"][0])

    with pytest.raises(SplitError, match=r"is in train and in test of fold 1"):
        stored(copy)


def test_unknown_clip(stored):
    with pytest.raises(SplitError, match="'nobody' in the test subset of fold 3"):
        stored(lambda values: values["folds"][2]["test"].append("nobody"))


def _move_one_clip(values):
    fold = values["folds"][0]
    fold["train"].append(fold["test"].pop())


def test_speaker_in_two_subsets(stored):
    with pytest.raises(SplitError, match=r"Speaker 's\d' is in train and in test of fold 1"):
        stored(_move_one_clip)


def test_speaker_in_two_subsets_of_a_split_that_declares_it(stored):
    def move_and_say(values):
        _move_one_clip(values)
        values["leaks"] = ["shared-speakers: one clip was moved by hand."]

    assert stored(move_and_say).leaks


def test_speaker_in_train_and_validation_counts_too(stored):
    def move(values):
        fold = values["folds"][0]
        fold["train"].append(fold["validation"].pop())

    with pytest.raises(SplitError, match="in train and in validation"):
        stored(move)


def test_declared_validation_on_test_allows_no_training_clip_in_test(stored):
    def leak(values):
        fold = values["folds"][0]
        values["leaks"] = ["validation-is-test: as in the paper."]
        fold["train"], fold["validation"] = fold["train"] + fold["validation"], fold["test"]

    assert stored(leak).folds[0].validation == stored(lambda values: None).folds[0].test
    with pytest.raises(SplitError, match=r"Clip .* is in train and in"):
        stored(lambda values: values["folds"][0]["train"].append(values["folds"][0]["test"][0]))


def test_performance_in_two_subsets(tmp_path):
    clips = tuple(
        Clip(name, None, "sad", performance=name[0])
        for name in ("a-mp4", "a-wav", "b-mp4", "b-wav")
    )
    corpus = Corpus("test", tmp_path, clips)
    split = Split("by hand", "test", 0, (Fold(("a-mp4", "b-mp4"), (), ("a-wav", "b-wav")),))
    save_split(split, tmp_path / "split.json")

    with pytest.raises(SplitError, match="Performance 'a' is in train and in test"):
        load_split(tmp_path / "split.json", corpus)


def test_other_corpus(corpus, stored):
    with pytest.raises(SplitError, match="made for the corpus 'ravdess'"):
        stored(lambda values: values.update(corpus="ravdess"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda values: values.pop("seed"), "'seed' is missing"),
        (lambda values: values.update(fold=[]), "'fold' is unknown"),
        (lambda values: values.update(format="aver-split-9"), "aver-split-1"),
        (lambda values: values.update(seed="0"), "whole number"),
        (lambda values: values.update(folds=[]), "no fold"),
        (lambda values: values["folds"][0].pop("validation"), "Fold 1"),
        (lambda values: values["folds"][0].update(test=[]), "no test clip"),
        (lambda values: values["folds"][0].update(train=[3]), "list of texts"),
    ],
)
def test_malformed(stored, change, words):
    with pytest.raises(SplitError, match=words) as caught:
        stored(change)
    assert "split.json" in str(caught.value)


def test_unreadable(corpus, tmp_path):
    with pytest.raises(SplitError, match="cannot be read"):
        load_split(tmp_path / "none.json", corpus)
    (tmp_path / "torn.json").write_text('{"format": "aver-sp')
    with pytest.raises(SplitError, match="not valid JSON"):
        load_split(tmp_path / "torn.json", corpus)


def test_failed_write_leaves_the_old_file(corpus, tmp_path, monkeypatch):
    from pathlib import Path

    path = tmp_path / "split.json"
    save_split(make_split(corpus, folds=3), path)
    before = path.read_bytes()

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StorageError):
        save_split(make_split(corpus, folds=4), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
