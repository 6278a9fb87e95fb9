"""A whole split in one JSON file."""

import json

import pytest

from audit.written_lists import leaks, subsets_of, write
from aver.audit import audit_split, read_listing


def test_a_path_within_a_record(tmp_path):
    rows = [{"audio": {"path": f"{n}_a.wav", "bytes": None}, "split": n} for n in ("train", "test")]
    path = write(tmp_path / "all.jsonl", "\n".join(map(json.dumps, rows)))
    assert subsets_of(read_listing([path])) == {"train": ["train_a.wav"], "test": ["test_a.wav"]}


def test_nnunet_style_list_of_folds(tmp_path):
    folds = [{"train": ["a", "b"], "val": ["c"]}, {"train": ["a", "c"], "val": ["b"]}]
    listing = read_listing([write(tmp_path / "splits_final.json", json.dumps(folds))])
    assert [subsets_of(listing, n)["validation"] for n in (0, 1)] == [["c"], ["b"]]


def test_lists_under_other_keys_are_reported(tmp_path):
    value = {
        "train": ["a"],
        "test_files": ["b"],
        "held-out": ["c", "d"],
        "all": ["a", "b"],
        "classes": ["angry"],
        "test_speakers": ["7"],
    }
    listing = read_listing([write(tmp_path / "s.json", json.dumps(value))])
    assert subsets_of(listing) == {"train": ["a"], "test": ["b"]}
    (warning,) = [f for f in audit_split(listing).warnings if f.kind == "unknown-subsets"]
    assert warning.subjects == ("c (held-out)", "d (held-out)")
    value = {"folds": [{"train": ["a"], "test": ["b"]}], "final": [{"path": "c.wav"}]}
    listing = read_listing([write(tmp_path / "s.json", json.dumps(value))])
    assert listing.unassigned == ("c.wav (final)",)


@pytest.mark.parametrize(
    ("value", "folds"),
    [
        (
            {"fold_1": {"train": ["a"], "test": ["b"]}, "fold_2": {"train": ["b"], "test": ["a"]}},
            [{"train": ["a"], "test": ["b"]}, {"train": ["b"], "test": ["a"]}],
        ),
        (
            {"fold_1": ["a"], "fold_2": ["b"]},
            [{"train": ["b"], "test": ["a"]}, {"train": ["a"], "test": ["b"]}],
        ),
        ({"a": "train", "b": "test"}, [{"train": ["a"], "test": ["b"]}]),
        ({"train": [["a", "sad"]], "test": [["b", 3]]}, [{"train": ["a"], "test": ["b"]}]),
        ({"train": {"sad": ["a"]}, "test": {"happy": ["b"]}}, [{"train": ["a"], "test": ["b"]}]),
        ({"train": {"a": "x/1.wav"}, "test": {"b": "x/2.wav"}}, [{"train": ["a"], "test": ["b"]}]),
        ({"train": [10, 11], "test": [12]}, [{"train": ["10", "11"], "test": ["12"]}]),
    ],
)
def test_other_shapes_of_json(tmp_path, value, folds):
    listing = read_listing([write(tmp_path / "s.json", json.dumps(value))])
    assert [subsets_of(listing, number) for number in range(len(listing.folds))] == folds
    assert leaks(listing) == set()
    assert listing.unassigned == ()
