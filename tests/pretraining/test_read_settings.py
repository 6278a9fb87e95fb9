"""Settings of a pretraining: one clear line for what does not exist or does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from aver.errors import SettingsError
from aver.pretraining.run import read_settings
from aver.pretraining.visual import VisualSettings
from aver.pretraining.voice_data import VoiceSettings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nothing": 3}, "no setting 'nothing'"),
        ({"training.nothing": 3}, "no setting 'training.nothing'"),
        ({"width.nothing": 3}, "'width' must be a whole number"),
        ({"width": "wide"}, "'width' must be a whole number"),
        ({"training": 5}, "training must be a mapping"),
        ({"size_px": 8}, "at least 16 pixels"),
    ],
)
def test_what_is_unknown_or_does_not_fit_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        read_settings(VisualSettings, "visual", "compact", changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": 0}, "width of at least 1"),
        ({"blocks": 3}, "1 or 2 blocks"),
        ({"stem": "5x5"}, "no stem '5x5'"),
        ({"segments": 0}, "segments must be at least 1"),
        ({"target": "age"}, "target must be one of speaker, emotion"),
        ({"validation_share": 1}, "between 0 and 1"),
        ({"training.batch_size": 1}, "at least 2"),
    ],
)
def test_a_voice_network_that_cannot_be_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        read_settings(VoiceSettings, "voice", "compact", changes)
