"""Emotions of several corpora are merged and dropped by name; what is left out is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from aver.corpora.clip import Clip
from aver.corpora.reconcile import check_named, reconcile
from aver.errors import LabelError


def _faces(*emotions: str) -> list[Clip]:
    return [Clip(f"f{i}", None, e, video=Path(f"f{i}.png")) for i, e in enumerate(emotions)]


def _voices(*emotions: str) -> list[Clip]:
    return [Clip(f"v{i}", f"s{i % 2}", e, audio=Path(f"v{i}.wav")) for i, e in enumerate(emotions)]


def test_emotions_are_merged_and_dropped() -> None:
    result = reconcile(
        {
            "faces": _faces("neutral", "happy", "disgust"),
            "voices": _voices("calm", "neutral", "happy"),
        },
        merge={"calm": "neutral"},
        drop=("disgust",),
    )
    assert result.classes == ("neutral", "happy")
    assert [clip.emotion for clip in result.clips["voices"]] == ["neutral", "neutral", "happy"]
    assert len(result.clips["faces"]) == 2
    assert result.dropped == {"disgust": 1}


@pytest.mark.parametrize(
    ("merge", "drop", "words"),
    [
        ({}, (), "Not every corpus has calm"),
        ({}, ("calm", "happy"), "have 1 emotions in common"),
        ({"calm": "neutral"}, ("calm",), "merged with 'neutral' and dropped"),
        ({"calm": "neutral", "neutral": "sad"}, (), "Merge both with 'sad'"),
    ],
)
def test_remaining_differences_are_an_error(
    merge: dict[str, str], drop: tuple[str, ...], words: str
) -> None:
    with pytest.raises(LabelError, match=words):
        reconcile(
            {"faces": _faces("neutral", "happy"), "voices": _voices("calm", "neutral", "happy")},
            merge=merge,
            drop=drop,
        )


def test_a_clip_without_an_emotion_is_named() -> None:
    voices = [*_voices("happy", "sad"), Clip("mute", "s0", None)]
    with pytest.raises(LabelError, match="mute has no emotion"):
        reconcile({"faces": _faces("happy", "sad"), "voices": voices})


@pytest.mark.parametrize(
    ("merge", "drop", "words"),
    [
        ({"disgust": "angry"}, (), "is 'disgust', which --merge names. They have: neutral, calm"),
        ({}, ("angry",), "is 'angry', which --drop names"),
        ({"calm": "serene"}, (), "no emotion 'serene'"),
        ({"calm": "neutral"}, ("calm",), "is 'calm', which --drop names. They have: neutral, ha"),
    ],
)
def test_an_emotion_that_no_clip_has_cannot_be_merged_or_dropped(
    merge: dict[str, str], drop: tuple[str, ...], words: str
) -> None:
    clips = _faces("neutral", "happy", "calm")
    check_named(clips, {"calm": "neutral"}, ("neutral", "happy"))
    with pytest.raises(LabelError, match=words):
        check_named(clips, merge, drop)


def test_what_a_corpus_lacks_is_left_out_and_counted() -> None:
    corpora = {
        "one": _voices("calm", "neutral", "happy", "disgust", "disgust"),
        "two": [*_voices("neutral", "happy", "sad"), Clip("mute", "s0", None)],
        "three": _voices("happy", "neutral", "sad", "angry"),
    }
    result = reconcile(corpora, merge={"calm": "neutral"}, drop=("angry",), unshared="leave out")
    assert result.classes == ("neutral", "happy")
    assert {name: len(clips) for name, clips in result.clips.items()} == {
        "one": 3,
        "two": 2,
        "three": 2,
    }
    assert result.left_out == {
        "one": {"disgust": 2},
        "two": {"sad": 1, "unlabeled": 1},
        "three": {"sad": 1},
    }
    assert str(result) == (
        "Emotions: neutral, happy; calm counts as neutral; dropped: angry (1 clips); "
        "left out, since not every corpus has them: one disgust (2 clips), two sad (1 clips), "
        "unlabeled (1 clips), three sad (1 clips)."
    )


def test_corpora_without_two_emotions_in_common_are_refused_with_what_each_has() -> None:
    corpora = {"one": _voices("happy", "sad"), "two": _voices("sad", "angry")}
    with pytest.raises(LabelError, match=r"have 1 emotions in common.*one has happy, sad; two has"):
        reconcile(corpora, unshared="leave out")


def test_labels_of_one_corpus_are_merged_dropped_or_kept() -> None:
    faces = _faces("neutral", "happy", "contempt")
    voices = _voices("neutral", "excited", "contempt")
    check_named([*faces, *voices], {"excited": "happy"}, ("contempt",))
    both = {"faces": faces, "voices": voices}
    kept = reconcile(both, merge={"excited": "happy"})
    dropped = reconcile(both, merge={"excited": "happy"}, drop=("contempt",))
    assert kept.classes == ("neutral", "happy", "contempt")
    assert dropped.classes == ("neutral", "happy")
