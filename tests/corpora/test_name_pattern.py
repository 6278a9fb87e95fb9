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
