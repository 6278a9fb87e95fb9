"""`settings_of_part`: settings of a system of two modalities, as a system of one has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from aver.models.presets import load_preset


def settings_of_part(preset: str, own: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the whole that a part has too, in its words; foreign ones fall away.

    Of the cross-modal network, ``sound.features`` is ``layer.features`` of the voice alone, and
    means nothing to the face alone; ``sound.feature_settings.coefficients`` means nothing to a mel
    spectrogram.

    Parameters
    ----------
    preset : str
        Of the part.
    own : str
        What the whole calls the part's one layer, as ``sound``; empty where the part has the same
        layers under the same names.
    wanted : mapping of str to JSON value
        By dotted key.
    """
    kind, settings = load_preset(preset)
    names = {entry.name for entry in fields(kind.settings_type)}
    found = {}
    for key, value in wanted.items():
        if own and key.startswith(f"{own}."):
            key = f"layer.{key.removeprefix(f'{own}.')}"
        if key.partition(".")[0] in names and not _foreign_to_feature(key, settings):
            found[key] = value
    return found


def _foreign_to_feature(key: str, settings: Any) -> bool:
    """Whether a dotted key, as ``layer.feature_settings.<name>``, names what a feature lacks."""
    layer, _, rest = key.partition(".")
    if not rest.startswith("feature_settings."):
        return False
    feature = getattr(settings, layer).make_feature()
    return rest.split(".")[1] not in {entry.name for entry in fields(feature)}
