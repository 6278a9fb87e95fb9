"""Settings of pretraining: one clear error for what is unknown or does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from aver.errors import SettingsError
from aver.pretraining.settings import AudioSettings, VideoSettings, read_settings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nothing": 3}, "no setting 'nothing'"),
        ({"training.nothing": 3}, "no setting 'training.nothing'"),
        ({"width.nothing": 3}, "'width' must be a whole number"),
        ({"width": "wide"}, "'width' must be a whole number"),
        ({"training": 5}, "training must be a mapping"),
        ({"size_px": 8}, "'size_px' must be at least 16"),
    ],
)
def test_an_unknown_or_invalid_setting_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        read_settings(VideoSettings, "video", "compact", changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": 0}, "'width' must be at least 1"),
        ({"blocks": 3}, "'blocks' must be one of 1, 2"),
        ({"stem": "5x5"}, "'stem' must be one of 7x7, 3x3"),
        ({"segments": 0}, "'segments' must be at least 1"),
        ({"target": "age"}, "'target' must be one of speaker, emotion"),
        ({"validation_share": 1}, "'validation_share' must be less than 1"),
        ({"training.batch_size": 1}, "'training.batch_size' must be at least 2"),
    ],
)
def test_an_invalid_setting_of_an_audio_network_is_named(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        read_settings(AudioSettings, "audio", "compact", changes)


def test_a_preset_is_a_name_or_a_file_and_names_of_version_0_1_are_understood(tmp_path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("settings: {width: 3, training: {average_decay: 0.5}}")
    settings = read_settings(VideoSettings, "video", str(path), {"training.epochs": 4})
    assert (settings.width, settings.training.ema_decay, settings.training.epochs) == (3, 0.5, 4)
    path.write_text("width: 3")
    with pytest.raises(SettingsError, match="no YAML file with the key 'settings'"):
        read_settings(VideoSettings, "video", str(path))
    with pytest.raises(SettingsError, match="Known are: compact, paper; or give a YAML file"):
        read_settings(AudioSettings, "audio", "tiny")
    with pytest.raises(SettingsError, match="no settings file"):
        read_settings(AudioSettings, "audio", "none.yaml")
