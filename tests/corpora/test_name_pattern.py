"""Patterns read facts from names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aver.corpora.name_pattern import NamePattern
from aver.errors import SettingsError

_WORDS = st.text(alphabet="abcXYZ0189", min_size=1, max_size=6)


@given(speaker=_WORDS, emotion=_WORDS, take=_WORDS)
def test_fields_are_read_back(speaker, emotion, take):
    name = f"{speaker}-{emotion}_{take}.wav"

    facts = NamePattern("{speaker}-{emotion}_{take}.wav").match(name)

    assert facts == {"speaker": speaker, "emotion": emotion, "take": take}


def test_without_a_slash_the_folder_does_not_matter():
    assert NamePattern("{speaker}_{_}.{ext}").match("deep/below/anna_x.mov") == {"speaker": "anna"}


def test_with_a_slash_the_whole_path_counts():
    pattern = NamePattern("{speaker}/{emotion}/{_}.mp4")

    assert pattern.match("anna/joy/1.mp4") == {"speaker": "anna", "emotion": "joy"}
    assert pattern.match("x/anna/joy/1.mp4") is None


def test_dots_are_dots():
    assert NamePattern("{speaker}.mp4").match("annaXmp4") is None


@pytest.mark.parametrize("text", ["{actor}.mp4", "{speaker}{speaker}.mp4", "{}.mp4"])
def test_faulty_patterns(text):
    with pytest.raises(SettingsError):
        NamePattern(text)


@pytest.mark.parametrize("placeholder", ["subset", "part"])
def test_the_subset_by_its_name_and_by_that_of_version_0_1(placeholder):
    pattern = NamePattern(f"{{{placeholder}}}/{{speaker}}.mp4")

    assert pattern.match("train/anna.mp4") == {"subset": "train", "speaker": "anna"}
    with pytest.raises(SettingsError, match="twice"):
        NamePattern("{part}-{subset}.mp4")


@pytest.mark.parametrize(
    "text", ["{speaker}_{emotion}{take}.wav", "{speaker:2}_{emotion:label}{take:d}.wav"]
)
@pytest.mark.parametrize(
    ("name", "emotion"), [("DC_a01", "a"), ("DC_sa01", "sa"), ("DC_su15", "su"), ("DC_s02", "s")]
)
def test_labels_tell_where_the_emotion_ends_in_names_of_savee(text, name, emotion):
    facts = NamePattern(text, labels=("a", "d", "s", "sa", "su")).match(f"ALL/{name}.wav")

    assert facts == {"speaker": "DC", "emotion": emotion, "take": name[-2:]}


def test_widths_read_names_of_emodb():
    # emodb.bilderbar.info: two digits speaker, three characters text, one letter emotion, version.
    pattern = NamePattern("{speaker:2}{sentence:3}{emotion:1}{take}.wav")

    assert pattern.match("03a01Fa.wav") == {
        "speaker": "03",
        "sentence": "a01",
        "emotion": "F",
        "take": "a",
    }


def test_a_label_matches_nothing_else_and_an_emotion_does():
    assert NamePattern("{emotion:label}_{take}.wav", ("sa",)).match("xx_1.wav") is None
    assert NamePattern("{emotion}_{take}.wav", ("sa",)).match("xx_1.wav") == {
        "emotion": "xx",
        "take": "1",
    }


def test_labels_with_signs_of_expressions_are_text():
    assert NamePattern("{emotion:label}.wav", ("a+",)).match("aa.wav") is None
    assert NamePattern("{emotion:label}.wav", ("a+",)).match("a+.wav") == {"emotion": "a+"}


@pytest.mark.parametrize("text", ["{speaker:0}.wav", "{speaker:x}.wav", "{take:label}.wav"])
def test_faulty_kinds(text):
    with pytest.raises(SettingsError, match="unknown kind"):
        NamePattern(text, ("sa",))


def test_a_label_needs_labels():
    with pytest.raises(SettingsError, match="no labels are given"):
        NamePattern("{emotion:label}.wav")
