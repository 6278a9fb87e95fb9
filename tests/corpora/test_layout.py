"""Descriptions of somebody's own folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from aver.corpora.manifest import SHIPPED, Layout, parse_codes, read_layout
from aver.emotions import EMOTIONS
from aver.errors import LabelError, SettingsError


@pytest.mark.parametrize("name", [path.stem for path in SHIPPED.glob("*.yaml")])
def test_shipped_layouts_are_complete(name):
    layout = read_layout(Path(name))

    assert layout.pattern or layout.table
    assert set(layout.labels.values()) <= set(EMOTIONS)
    assert "none given" not in layout.citation


def test_codes_from_text_and_mapping():
    assert parse_codes("labels", "1=happy, 2=sad,") == {"1": "happy", "2": "sad"}
    assert parse_codes("labels", {1: "happy"}) == {"1": "happy"}
    with pytest.raises(SettingsError, match="'happy'"):
        parse_codes("labels", "happy")


def test_sex_by_speaker_and_by_code():
    layout = Layout(sexes={"anna": "F", "w": "female"})

    assert layout.clip({"speaker": "anna"}, "1", None, None).sex == "female"
    assert layout.clip({"speaker": "ben", "sex": "w"}, "1", None, None).sex == "female"
    assert layout.clip({"speaker": "ben"}, "1", None, None).sex is None
    with pytest.raises(LabelError, match="'robot' for clip-7"):
        layout.clip({"sex": "robot"}, "clip-7", None, None)


@pytest.mark.parametrize("fact", ["intensity", "channel", "subset"])
def test_unknown_words(fact):
    with pytest.raises(LabelError, match=f"Unknown {fact} 'odd' in clip-7"):
        Layout().clip({fact: "odd"}, "clip-7", None, None)


def test_intensities_are_translated():
    layout = Layout(intensities={"2": "strong"})

    assert layout.clip({"intensity": "2"}, "1", None, None).intensity == "strong"
