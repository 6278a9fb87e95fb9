"""`read_settings`: a pretraining's settings from its YAML, with changes on top."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml

from aver.errors import SettingsError
from aver.settings import settings_from_mapping

S = TypeVar("S")


def read_settings(
    kind: type[S], what: str, preset: str, changes: Mapping[str, Any] | None = None
) -> S:
    """Read a preset.

    Parameters
    ----------
    kind : type
        Frozen dataclass of the settings.
    what : {"visual", "voice"}
    preset : str
        Such as ``"compact"``, or the path of a YAML file with the key ``settings``.
    changes : mapping, optional
        By dotted key: ``{"training.epochs": 5}``.

    Raises
    ------
    SettingsError
        If there is no such preset, or a setting is unknown or out of range.

    Examples
    --------
    >>> from aver.pretraining.visual_settings import VisualSettings
    >>> read_settings(VisualSettings, "visual", "compact", {"training.epochs": 5}).training.epochs
    5
    """
    folder = resources.files("aver.pretraining") / "presets"
    place = folder / f"{what}-{preset}.yaml"
    own = Path(preset)
    if own.suffix == ".yaml":
        if not own.is_file():
            raise SettingsError(f"There is no file {own} to take the settings from.")
        text = own.read_text(encoding="utf-8")
    elif place.is_file():
        text = place.read_text(encoding="utf-8")
    else:
        known = sorted(
            entry.name.removeprefix(f"{what}-").removesuffix(".yaml")
            for entry in folder.iterdir()
            if entry.name.startswith(f"{what}-")
        )
        raise SettingsError(
            f"There is no preset {preset!r} for 'aver pretrain {what}'. Known are: "
            f"{', '.join(known)}; or give a YAML file."
        )
    try:
        settings = dict(yaml.safe_load(text)["settings"])
    except (yaml.YAMLError, KeyError, TypeError, ValueError):
        raise SettingsError(
            f"The preset {preset!r} is no YAML file with the key 'settings'."
        ) from None
    for key, value in (changes or {}).items():
        inner = settings
        *path, last = key.split(".")
        for part in path:
            held = inner.get(part)
            inner[part] = dict(held) if isinstance(held, Mapping) else {}
            inner = inner[part]
        inner[last] = value
    return settings_from_mapping(kind, settings)
