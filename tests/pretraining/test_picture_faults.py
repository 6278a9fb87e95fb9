"""Copies, blanks and contradictions go where a test would be given away; the test part stays."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from aver.audit.audit_media import Match
from aver.corpora import open_corpus
from aver.errors import MediaError
from aver.pretraining.images import keep_sorted, sort_by_matches, sort_images
from aver.splits import make_split
from aver.splits.split import Fold


def _match(one: str, other: str) -> Match:
    return Match(min(one, other), max(one, other), "images", True)


def test_each_fault_by_its_rule() -> None:
    fold = Fold(("a", "b", "c", "d", "e", "f", "g"), ("v", "w"), ("x", "y", "z"))
    labels = dict.fromkeys("abcdefgvwxyz", "happy") | {"b": "sad"}
    matches = [
        _match("a", "v"), _match("b", "c"), _match("d", "e"), _match("f", "x"), _match("w", "x"),
    ]  # fmt: skip
    found = sort_by_matches(fold, labels, matches, ["z"])
    assert found.parts == {"train": ("d", "g"), "validation": ("v",), "test": ("x", "y", "z")}
    assert found.faults["train"] == {
        "copy of a validation picture": ("a",),
        "two labels": ("b", "c"),
        "double": ("e",),
        "copy of a test picture": ("f",),
    }
    assert found.faults["validation"] == {"copy of a test picture": ("w",)}
    assert found.doubtful == ("z",)


def test_the_label_of_more_than_half_of_the_copies_counts() -> None:
    fold = Fold(tuple("abcde"), ("v",), ("x", "y"))
    labels = dict.fromkeys("abcdevxy", "happy") | {"c": "sad", "e": "sad", "y": "sad"}
    matches = [_match("a", "b"), _match("b", "c"), _match("d", "e"), _match("v", "x")]
    found = sort_by_matches(fold, labels, [*matches, _match("x", "y")], [])
    assert found.parts["train"] == ("a",)  # two of three are happy; of d and e nobody knows
    assert found.faults["train"] == {"double": ("b",), "two labels": ("c", "d", "e")}
    assert found.faults["validation"] == {"copy of a test picture": ("v",)}
    assert found.doubtful == ("x", "y")


def test_copies_of_copies_are_copies() -> None:
    fold = Fold(("a", "b"), (), ("x",))
    labels = dict.fromkeys("abx", "happy")
    found = sort_by_matches(fold, labels, [_match("a", "b"), _match("b", "x")], [])
    assert found.parts["train"] == ()


def test_images_that_cannot_be_read_are_tested_nowhere() -> None:
    fold = Fold(("a", "b"), ("v", "w"), ("x", "y", "z"))
    labels = dict.fromkeys("abvwxyz", "happy")
    found = sort_by_matches(fold, labels, [], ["y"], ["b", "v", "x"])
    assert found.parts == {"train": ("a",), "validation": ("w",), "test": ("y", "z")}
    assert found.faults["train"] == found.faults["validation"] | {"unreadable": ("b",)}
    assert found.faults["test"] == {"unreadable": ("x",)}
    leaking = found.as_published(fold)
    assert leaking.parts == {"train": ("a",), "validation": ("w",), "test": ("y", "z")}
    assert leaking.faults["test"] == {"unreadable": ("x",)}
    assert found.doubtful == ("y",)


def test_a_part_of_which_nothing_is_left_is_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("train/happy/Training_1", "test/sad/PublicTest_1", "test/sad/PrivateTest_1"):
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = cv2.resize(rng.integers(0, 255, (9, 9)).astype(np.uint8), (48, 48))
        cv2.imwrite(str(path), image)
    (tmp_path / "test/sad/PublicTest_1.png").write_bytes(b"no picture")
    corpus = open_corpus(tmp_path, "fer2013")
    with pytest.raises(MediaError, match="left to choose by; set aside: unreadable 1"):
        sort_images(corpus, make_split(corpus, "official"))


def test_on_files_and_kept_for_the_next_time(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    faces = [cv2.resize(rng.integers(0, 255, (9, 9)).astype(np.uint8), (48, 48)) for _ in range(5)]
    blank = np.full((48, 48), 90, np.uint8)
    for name, image in {
        "train/happy/Training_1.png": faces[0],
        "train/happy/Training_2.png": faces[1],
        "train/sad/Training_3.png": blank,
        "train/sad/Training_4.png": cv2.flip(faces[3], 1),  # mirrored copy of the test picture
        "test/sad/PublicTest_1.png": faces[2],
        "test/sad/PrivateTest_1.png": faces[3],
    }.items():
        path = tmp_path / "fer" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)
    corpus = open_corpus(tmp_path / "fer", "fer2013")
    split = make_split(corpus, "official")
    found = keep_sorted(corpus, split, tmp_path / "kept.json")
    assert found.parts["train"] == ("train/happy/Training_1", "train/happy/Training_2")
    assert found.faults["train"] == {
        "blank": ("train/sad/Training_3",),
        "copy of a test picture": ("train/sad/Training_4",),
    }
    (tmp_path / "fer" / "train/happy/Training_1.png").unlink()  # not looked at again
    again = keep_sorted(corpus, split, tmp_path / "kept.json")
    assert (again.parts, again.doubtful) == (found.parts, found.doubtful)
