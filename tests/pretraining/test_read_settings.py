"""Settings of a pretraining: one clear line for what does not exist or does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from aver.errors import SettingsError
from aver.pretraining.read_settings import read_settings
from aver.pretraining.visual_settings import VisualSettings


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
