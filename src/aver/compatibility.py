"""Read what version 0.1 wrote: its names of modalities, features and settings in today's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NAMES = {
    "sound": "audio",
    "units": "action_units",
    "sound-statistics": "audio-functionals",
    "face-statistics": "face-functionals",
    "unit-statistics": "action-unit-functionals",
    "cepstra": "mfcc",
    "gradients": "hog",
    "snn-visual": "snn-video",
    "halve-on-plateau": "reduce-on-plateau",
    "halve_after_epochs": "lr_patience",
    "average_decay": "ema_decay",
    "coordinates": "coord_conv",
    "deviation": "std",
    "draws": "tta",
    "grey": "gray",
    "licence": "license",
    "learnt": "learned",
    "mean_picture": "mean_image",
    "picture_count": "image_count",
    "picture_feature": "image_feature",
    "pictures": "images",
    "standardise": "standardize",
    "standardised": "standardized",
    "standardise_sound": "standardize_audio",
    "standardise_video": "standardize_video",
    "strength": "C",
    "strengths": "Cs",
}
"""Name in version 0.1 to today's name."""

_AS_THEY_ARE = ("speakers", "classes", "targets")  # what people wrote, not names of ours
_WORD = re.compile(r"[A-Za-z_]\w*(?:-\w+)*")


def upgrade(value: Any) -> Any:
    """Settings, facts or a card of version 0.1 with today's keys and words.

    Parameters
    ----------
    value : JSON value
        Keys and words that did not change stay.

    Examples
    --------
    >>> upgrade({"modalities": ["video", "sound"], "branches.sound.grey": True})
    {'modalities': ['video', 'audio'], 'branches.audio.gray': True}
    """
    if isinstance(value, Mapping):
        return {
            upgrade_name(key): part if key in _AS_THEY_ARE else upgrade(part)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [upgrade(part) for part in value]
    if isinstance(value, str):
        return ",".join(NAMES.get(part, part) for part in value.split(","))
    return value


def upgrade_name(name: str) -> str:
    """A key, or the name of an array of weights, part by part.

    Examples
    --------
    >>> upgrade_name("branches.sound.standardise.deviation")
    'branches.audio.standardize.std'
    """
    if " " in name:
        return name
    return _WORD.sub(lambda found: NAMES.get(found.group(), found.group()), name)
