"""Emotions of two corpora are merged and dropped by name only; faces are drawn by class."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from aver.corpora.clip import Clip
from aver.errors import LabelError
from aver.pretraining.reconcile import check_named, reconcile
from aver.pretraining.unpaired import join_by_class


def _faces(*emotions: str) -> list[Clip]:
    return [Clip(f"f{i}", None, e, video=Path(f"f{i}.png")) for i, e in enumerate(emotions)]


def _voices(*emotions: str) -> list[Clip]:
    return [Clip(f"v{i}", f"s{i % 2}", e, audio=Path(f"v{i}.wav")) for i, e in enumerate(emotions)]


def test_emotions_are_merged_and_dropped() -> None:
    result = reconcile(
        _faces("neutral", "happy", "disgust"),
        _voices("calm", "neutral", "happy"),
        merge={"calm": "neutral"},
        drop=("disgust",),
    )
    assert result.classes == ("neutral", "happy")
    assert [clip.emotion for clip in result.voices] == ["neutral", "neutral", "happy"]
    assert len(result.faces) == 2
    assert result.dropped == {"disgust": 1}


@pytest.mark.parametrize(
    ("merge", "drop", "words"),
    [
        ({}, (), "Only one of the two corpora has calm"),
        ({}, ("calm", "happy"), "1 classes are left"),
        ({"calm": "neutral"}, ("calm",), "merged with 'neutral' and dropped"),
        ({"calm": "neutral", "neutral": "sad"}, (), "Merge both with 'sad'"),
    ],
)
def test_remaining_differences_are_an_error(
    merge: dict[str, str], drop: tuple[str, ...], words: str
) -> None:
    with pytest.raises(LabelError, match=words):
        reconcile(
            _faces("neutral", "happy"), _voices("calm", "neutral", "happy"), merge=merge, drop=drop
        )


def test_a_clip_without_an_emotion_is_named() -> None:
    voices = [*_voices("happy", "sad"), Clip("mute", "s0", None)]
    with pytest.raises(LabelError, match="mute has no emotion"):
        reconcile(_faces("happy", "sad"), voices)


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


def test_voices_are_paired_with_faces_of_their_class_and_every_face_is_used() -> None:
    faces, voices = _faces(*["happy", "sad"] * 6), _voices(*["sad", "happy"] * 4)
    pairs = join_by_class(faces, voices, images_per_voice=3, seed=0)
    emotion = {clip.video: clip.emotion for clip in faces}
    assert len(pairs) == 24
    assert all(emotion[clip.video] == clip.emotion for clip in pairs)
    assert {clip.speaker for clip in pairs} == {"s0", "s1"}
    assert len({clip.clip_id for clip in pairs}) == 24
    # 12 draws from 6 faces of each class: each face twice.
    assert set(Counter(clip.video for clip in pairs).values()) == {2}
    assert join_by_class(faces, voices, 3, seed=0) == pairs
    assert join_by_class(faces, voices, 3, seed=1) != pairs


def test_labels_of_one_corpus_are_merged_dropped_or_kept() -> None:
    faces = _faces("neutral", "happy", "contempt")
    voices = _voices("neutral", "excited", "contempt")
    check_named([*faces, *voices], {"excited": "happy"}, ("contempt",))

    kept = reconcile(faces, voices, merge={"excited": "happy"})
    dropped = reconcile(faces, voices, merge={"excited": "happy"}, drop=("contempt",))

    assert kept.classes == ("neutral", "happy", "contempt")
    assert dropped.classes == ("neutral", "happy")
