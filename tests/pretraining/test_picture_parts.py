"""A folder of pictures that cannot teach, choose and test says so before anything is compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import AverError, LabelError, MediaError, SplitError
from aver.pretraining.images import split_images


def _corpus(**emotions: str) -> Corpus:
    """Pictures named by part and number, ``train0``, with their emotions."""
    clips = [
        Clip(name, None, word, video=Path(f"{name}.png"), subset=name.rstrip("0123456789"))
        for name, word in emotions.items()
    ]
    return Corpus("fer2013", Path("faces"), tuple(clips))


WHOLE = {"train0": "happy", "train1": "sad", "validation0": "sad", "test0": "happy"}


def test_a_whole_corpus_passes() -> None:
    fold = split_images(_corpus(**WHOLE)).folds[0]
    assert (fold.train, fold.validation, fold.test) == (
        ("train0", "train1"), ("validation0",), ("test0",)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"validation0": None}, SplitError, "no picture in the part validation, so none to choose"),
        ({"test0": None}, SplitError, "no picture in the part test, so none to test with"),
        ({"train1": "happy"}, LabelError, "to learn from are happy"),
        ({"test0": "angry"}, LabelError, "has angry in validation or test, and not in training"),
    ],
)
def test_what_lacks_is_named(
    changes: dict[str, str | None], error: type[AverError], words: str
) -> None:
    kept = {name: word for name, word in {**WHOLE, **changes}.items() if word is not None}
    with pytest.raises(error, match=words):
        split_images(_corpus(**kept))


def test_films_and_images_without_a_label_are_named() -> None:
    corpus = _corpus(**WHOLE)
    film = replace(corpus.clips[0], video=Path("train0.mp4"))
    with pytest.raises(MediaError, match="train0 of fer2013 is no picture"):
        split_images(replace(corpus, clips=(film, *corpus.clips[1:])))
    mute = replace(corpus.clips[0], emotion=None)
    with pytest.raises(LabelError, match="train0 of fer2013 has no emotion"):
        split_images(replace(corpus, clips=(mute, *corpus.clips[1:])))
