"""Checks and sorting of corpora of images: what is set aside, and that the test subset stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from aver.audit.audit_media import Match
from aver.corpora import open_corpus
from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import AverError, LabelError, MediaError, SplitError
from aver.pretraining.images import (
    join_images,
    read_images,
    sort_by_matches,
    sort_images,
    split_images,
    with_surround,
)
from aver.splits import make_split
from aver.splits.split import Fold


def _match(one: str, other: str) -> Match:
    return Match(min(one, other), max(one, other), "images", True)


def test_each_fault_follows_its_rule() -> None:
    fold = Fold(("a", "b", "c", "d", "e", "f", "g"), ("v", "w"), ("x", "y", "z"))
    labels = dict.fromkeys("abcdefgvwxyz", "happy") | {"b": "sad"}
    matches = [
        _match("a", "v"), _match("b", "c"), _match("d", "e"), _match("f", "x"), _match("w", "x"),
    ]  # fmt: skip
    found = sort_by_matches(fold, labels, matches, ["z"])
    assert found.subsets == {"train": ("d", "g"), "validation": ("v",), "test": ("x", "y", "z")}
    assert found.faults["train"] == {
        "copy of a validation image": ("a",),
        "two labels": ("b", "c"),
        "double": ("e",),
        "copy of a test image": ("f",),
    }
    assert found.faults["validation"] == {"copy of a test image": ("w",)}
    assert found.doubtful == ("z",)


def test_the_majority_label_of_copies_counts() -> None:
    fold = Fold(tuple("abcde"), ("v",), ("x", "y"))
    labels = dict.fromkeys("abcdevxy", "happy") | {"c": "sad", "e": "sad", "y": "sad"}
    matches = [_match("a", "b"), _match("b", "c"), _match("d", "e"), _match("v", "x")]
    found = sort_by_matches(fold, labels, [*matches, _match("x", "y")], [])
    assert found.subsets["train"] == ("a",)  # two of three are happy; d and e have no majority
    assert found.faults["train"] == {"double": ("b",), "two labels": ("c", "d", "e")}
    assert found.faults["validation"] == {"copy of a test image": ("v",)}
    assert found.doubtful == ("x", "y")


def test_copies_of_copies_are_copies() -> None:
    fold = Fold(("a", "b"), (), ("x",))
    labels = dict.fromkeys("abx", "happy")
    found = sort_by_matches(fold, labels, [_match("a", "b"), _match("b", "x")], [])
    assert found.subsets["train"] == ()


def test_unreadable_images_are_in_no_subset() -> None:
    fold = Fold(("a", "b"), ("v", "w"), ("x", "y", "z"))
    labels = dict.fromkeys("abvwxyz", "happy")
    found = sort_by_matches(fold, labels, [], ["y"], ["b", "v", "x"])
    assert found.subsets == {"train": ("a",), "validation": ("w",), "test": ("y", "z")}
    assert found.faults["train"] == found.faults["validation"] | {"unreadable": ("b",)}
    assert found.faults["test"] == {"unreadable": ("x",)}
    leaking = found.as_published(fold)
    assert leaking.subsets == {"train": ("a",), "validation": ("w",), "test": ("y", "z")}
    assert leaking.faults["test"] == {"unreadable": ("x",)}
    assert found.doubtful == ("y",)


def test_a_subset_without_usable_images_is_an_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("train/happy/Training_1", "test/sad/PublicTest_1", "test/sad/PrivateTest_1"):
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = cv2.resize(rng.integers(0, 255, (9, 9)).astype(np.uint8), (48, 48))
        cv2.imwrite(str(path), image)
    (tmp_path / "test/sad/PublicTest_1.png").write_bytes(b"no image")
    corpus = open_corpus(tmp_path, "fer2013")
    with pytest.raises(MediaError, match="left to validate with; set aside: unreadable 1"):
        sort_images(corpus, make_split(corpus, "official"))


def test_files_are_compared_once_and_the_result_is_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    faces = [cv2.resize(rng.integers(0, 255, (9, 9)).astype(np.uint8), (48, 48)) for _ in range(5)]
    blank = np.full((48, 48), 90, np.uint8)
    for name, image in {
        "train/happy/Training_1.png": faces[0],
        "train/happy/Training_2.png": faces[1],
        "train/sad/Training_3.png": blank,
        "train/sad/Training_4.png": cv2.flip(faces[3], 1),  # mirrored copy of the test image
        "test/sad/PublicTest_1.png": faces[2],
        "test/sad/PrivateTest_1.png": faces[3],
    }.items():
        path = tmp_path / "fer" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)
    corpus = open_corpus(tmp_path / "fer", "fer2013")
    split = make_split(corpus, "official")
    found = sort_images(corpus, split, cache=tmp_path / "kept.json")
    assert found.subsets["train"] == ("train/happy/Training_1", "train/happy/Training_2")
    assert found.faults["train"] == {
        "blank": ("train/sad/Training_3",),
        "copy of a test image": ("train/sad/Training_4",),
    }
    (tmp_path / "fer" / "train/happy/Training_1.png").unlink()  # not read again
    again = sort_images(corpus, split, cache=tmp_path / "kept.json")
    assert (again.subsets, again.doubtful) == (found.subsets, found.doubtful)


def _corpus(**emotions: str) -> Corpus:
    """Images named by subset and number, ``train0``, with their emotions."""
    clips = [
        Clip(name, None, word, video=Path(f"{name}.png"), subset=name.rstrip("0123456789"))
        for name, word in emotions.items()
    ]
    return Corpus("fer2013", Path("faces"), tuple(clips))


WHOLE = {"train0": "happy", "train1": "sad", "validation0": "sad", "test0": "happy"}


def test_a_complete_corpus_has_its_official_split() -> None:
    fold = split_images(_corpus(**WHOLE)).folds[0]
    assert (fold.train, fold.validation, fold.test) == (
        ("train0", "train1"), ("validation0",), ("test0",)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        (
            {"validation0": None},
            SplitError,
            "no image in the subset validation, so none to val",
        ),
        ({"test0": None}, SplitError, "no image in the subset test, so none to test with"),
        ({"train1": "happy"}, LabelError, "All training images of fer2013 are happy"),
        ({"test0": "angry"}, LabelError, "has angry in validation or test, but not in training"),
    ],
)
def test_a_missing_subset_or_emotion_is_named(
    changes: dict[str, str | None], error: type[AverError], words: str
) -> None:
    kept = {name: word for name, word in {**WHOLE, **changes}.items() if word is not None}
    with pytest.raises(error, match=words):
        split_images(_corpus(**kept))


def test_videos_and_images_without_a_label_are_named() -> None:
    corpus = _corpus(**WHOLE)
    video_clip = replace(corpus.clips[0], video=Path("train0.mp4"))
    with pytest.raises(MediaError, match="train0 of fer2013 is no image"):
        split_images(replace(corpus, clips=(video_clip, *corpus.clips[1:])))
    mute = replace(corpus.clips[0], emotion=None)
    with pytest.raises(LabelError, match="train0 of fer2013 has no emotion"):
        split_images(replace(corpus, clips=(mute, *corpus.clips[1:])))


def test_copies_of_further_test_images_are_set_aside() -> None:
    fold = Fold(("a", "b"), ("v",), ("x",))
    labels = dict.fromkeys(["a", "b", "v", "x", "other"], "happy")
    found = sort_by_matches(fold, labels, [_match("b", "other")], [], more_tests=["other"])
    assert found.subsets == {"train": ("a",), "validation": ("v",), "test": ("x",)}
    assert found.faults["train"] == {"copy of a test image": ("b",)}


def test_different_votes_of_copies_are_no_contradiction(tmp_path: Path) -> None:
    clips = []
    for number, subset in enumerate(("train", "train", "validation", "test")):
        path = tmp_path / f"{number}.png"
        seed = 0 if subset == "train" else number
        pixels = np.random.default_rng(seed).integers(0, 255, (9, 9)).astype(np.uint8)
        cv2.imwrite(str(path), cv2.resize(pixels, (48, 48), interpolation=cv2.INTER_CUBIC))
        emotion = ("sad", "angry")[number % 2]
        clips.append(Clip(path.stem, None, emotion, path, votes={"face": {emotion: 1.0}},
                          subset=subset))  # fmt: skip
    corpus = Corpus("images", tmp_path, tuple(clips))
    found = sort_images(corpus, make_split(corpus, "official"))
    assert found.subsets["train"] == ("0",)
    assert found.faults["train"] == {"double": ("1",)}


def test_a_face_is_read_with_its_surroundings(tmp_path: Path) -> None:
    image = np.arange(100, dtype=np.uint8)[None].repeat(60, axis=0)  # gray level = column
    cv2.imwrite(str(tmp_path / "wide.png"), image)
    wide = Clip("wide", None, "sad", tmp_path / "wide.png", face_box=(40, 20, 60, 40))
    (face,) = read_images([wide], 20)
    assert (face == np.arange(40, 60)).all()
    (more,) = read_images([wide], 20, surround=0.5)
    assert more.shape == (40, 40)
    assert (more == np.arange(30, 70)).all()
    corner = replace(wide, face_box=(0, 0, 20, 20))
    (edge,) = read_images([corner], 20, surround=0.5)  # the edge is repeated outside the image
    assert (edge == np.clip(np.arange(-10, 30), 0, None)).all()


def test_the_surroundings_have_the_size_that_they_state() -> None:
    assert [with_surround(64, share) for share in (0.0, 0.25, 0.5)] == [64, 96, 128]


def test_photographs_are_on_one_side_of_joined_corpora(tmp_path: Path) -> None:
    faces = [
        Clip(f"{p}_{n}", None, ("sad", "happy")[n], tmp_path / f"{p}_{n}", performance=str(p))
        for p in range(200)
        for n in (0, 1)
    ]
    web = Corpus("web", tmp_path / "web", tuple(faces))
    tests = [Clip(e, None, e, tmp_path / e, subset="test") for e in ("happy", "sad")]
    official = Corpus("official", tmp_path / "official", tuple(tests))
    joined = join_images([official, web])
    subsets = {clip.performance: clip.subset for clip in joined if clip.clip_id[:3] == "web"}
    assert all(subsets[c.performance] == c.subset for c in joined if c.clip_id[:3] == "web")
    assert 5 < list(subsets.values()).count("validation") < 40
    assert joined.clips[0].clip_id == "official/happy"
    assert join_images([official]) is official
