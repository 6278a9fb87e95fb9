"""Read what version 0.1 wrote: its names of modalities, features and settings in today's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NAMES = {
    "extractors": "branches",
    "band-statistics": "band-functionals",
    "sound": "audio",
    "units": "action_units",
    "readout": "read_out",
    "sound-statistics": "clip-functionals",
    "face-statistics": "face-functionals",
    "unit-statistics": "action-unit-functionals",
    "cepstra": "mfcc",
    "gradients": "hog",
    "snn-visual": "snn-video",
    "snn-visual-compact": "snn-video-compact",
    "snn-visual-paper": "snn-video-paper",
    "halve-on-plateau": "reduce-on-plateau",
    "halve_after_epochs": "lr_patience",
    "average_decay": "ema_decay",
    "coordinates": "coord_conv",
    "class_deviation": "class_std",
    "deviation": "std",
    "draws": "tta",
    "elsewhere": "other_corpus",
    "grey": "gray",
    "licence": "license",
    "learnt": "learned",
    "mean_picture": "mean_image",
    "most_retries": "max_retries",
    "picture_count": "image_count",
    "picture_feature": "image_feature",
    "pictures": "images",
    "standardise": "standardize",
    "standardised": "standardized",
    "standardise_sound": "standardize_audio",
    "standardise_video": "standardize_video",
    "sound_rate_hz": "audio_rate_hz",
    "sounds": "audio",
    "strength": "C",
    "strengths": "Cs",
    "taught": "target",
}
"""Name in version 0.1 to today's name."""

NAMES_OF_PRESET = {"mrpn-compact": {"voice": "audio_functionals"}}
"""Further names that people may write in changes to one preset."""

_AS_THEY_ARE = ("speakers", "classes", "targets")  # what people wrote, not names of ours
_ITEM = re.compile(r"[^,+]+")  # of "video,sound" and "video+sound"
_WORD = re.compile(r"[A-Za-z_]\w*(?:-\w+)*")


def upgrade(value: Any, names: Mapping[str, str] = NAMES) -> Any:
    """Settings, facts or a card of version 0.1 with today's keys and words.

    Parameters
    ----------
    value : JSON value
        Keys and words that did not change stay.
    names : mapping of str to str
        Old names to today's names.

    Examples
    --------
    >>> upgrade({"modalities": ["video", "sound"], "branches.sound.grey": True})
    {'modalities': ['video', 'audio'], 'branches.audio.gray': True}
    """
    if isinstance(value, Mapping):
        return {
            upgrade_name(key, names): part
            if key in _AS_THEY_ARE
            else upgrade(_with_extractor(part) if key == "extractors" else part, names)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [upgrade(part, names) for part in value]
    if isinstance(value, str):
        return _ITEM.sub(lambda item: names.get(item.group(), item.group()), value)
    return value


def _with_extractor(extractors: Any) -> Any:
    """Temporal aggregation's ``extractors.video.kind`` is ``branches.video.extractor`` today."""
    if not isinstance(extractors, Mapping):
        return extractors
    return {
        modality: {"extractor" if key == "kind" else key: value for key, value in one.items()}
        for modality, one in extractors.items()
    }


def upgrade_name(name: str, names: Mapping[str, str] = NAMES) -> str:
    """A key of settings, facts or a card, part by part; sentences stay as they are.

    Examples
    --------
    >>> upgrade_name("branches.sound.standardise.deviation")
    'branches.audio.standardize.std'
    """
    if name.startswith("extractors."):
        name = re.sub(r"\.kind$", ".extractor", name)
    return name if " " in name else upgrade_array_name(name, names)


def upgrade_array_name(name: str, names: Mapping[str, str] = NAMES) -> str:
    """The name of an array of weights, word by word.

    Examples
    --------
    >>> upgrade_array_name("weights/sound input->sound")
    'weights/audio input->audio'
    """
    return _WORD.sub(lambda found: names.get(found.group(), found.group()), name)
