"""`load_preset`: a model and its settings from YAML, with changes on top; `start_from` weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from aver.compatibility import NAMES, NAMES_OF_PRESET, upgrade
from aver.errors import SettingsError
from aver.execution.clip_work import reading
from aver.execution.documents import parse_yaml, read_document
from aver.models.base.recognizer import Recognizer, models
from aver.settings import apply_changes, settings_from_mapping


@dataclass(frozen=True)
class Preset:
    """Content of a preset's YAML file.

    Parameters
    ----------
    model : str
        Registered name of the recognizer.
    summary : str
        One line for `aver list`.
    settings : mapping
        Nested, as the model's settings are.
    """

    model: str
    summary: str
    settings: Mapping[str, Any]


def preset_names() -> tuple[str, ...]:
    """Names of the presets of this package."""
    return tuple(sorted(_preset_files()))


def _preset_files() -> dict[str, Traversable]:
    """Name to YAML file of the presets beside the models' code."""
    folders = [entry for entry in resources.files("aver.models").iterdir() if entry.is_dir()]
    return {
        file.name.removesuffix(".yaml"): file
        for folder in folders
        for file in folder.iterdir()
        if file.name.endswith(".yaml")
    }


def load_preset(
    name_or_path: str, overrides: Mapping[str, Any] | None = None
) -> tuple[type[Recognizer], Any]:
    """Read a preset.

    Parameters
    ----------
    name_or_path : str
        One of `preset_names`; the path of a YAML file with the keys ``model``, ``summary`` and
        ``settings``; or the name of a model that another package adds, with its default settings.
    overrides : mapping, optional
        Changes: nested as the settings are, or with dots (``{"training.epochs": 5}``). Names of
        version 0.1 are understood.

    Returns
    -------
    type of Recognizer
        The model's class.
    object
        An instance of its `settings_type`.

    Raises
    ------
    SettingsError
        If there is no such preset, it cannot be read, or a setting is unknown or out of range.

    Examples
    --------
    >>> model, settings = load_preset("mrpn-paper", {"training.epochs": 5})
    >>> model.name, settings.training.epochs
    ('mrpn', 5)
    """
    preset = read_preset(name_or_path)
    changes = upgrade(overrides or {}, NAMES | NAMES_OF_PRESET.get(name_or_path, {}))
    settings = apply_changes(upgrade(preset.settings), changes)
    model = models.get(preset.model)
    return model, settings_from_mapping(model.settings_type, settings)


_MODALITIES = ("video", "audio")  # that can start from pretrained weights
_ABOUT_WEIGHTS = ("frozen_epochs", "pretrained_rate")  # refused by branches without weights


def start_from(
    preset: str, overrides: Mapping[str, Any], weights: Mapping[str, str]
) -> dict[str, Any]:
    """Overrides that start the modalities of a preset from pretrained weights.

    Parameters
    ----------
    preset : str
    overrides : mapping
        Settings that the user changed; they win.
    weights : mapping of {"video", "audio"} to str
        Names of `aver list weights`, files, or run folders of ``aver pretrain``.

    Returns
    -------
    dict
        By dotted key, with `overrides` in it.

    Raises
    ------
    SettingsError
        If the preset has nothing to start in one of the modalities.
    CheckpointError
        If there are no such weights, or those without a card do not fit the settings.
    """
    before = {k: v for k, v in overrides.items() if k.rpartition(".")[2] not in _ABOUT_WEIGHTS}
    kind, settings = load_preset(preset, before)
    result: dict[str, Any] = {}
    for modality, name in weights.items():
        if modality not in _MODALITIES:
            raise SettingsError(
                f"{modality!r} cannot start from weights. Use: {', '.join(_MODALITIES)}."
            )
        if not isinstance(name, str) or not name:
            raise SettingsError(
                f"{modality} needs a name of 'aver list weights' or a path, not {name!r}."
            )
        changes = kind.pretrained_overrides(settings, modality, name)
        if not changes:
            raise SettingsError(
                f"The preset {preset!r} has no branch that could start from {modality} weights: it "
                "needs face crops, spectrograms or face embeddings of that modality."
            )
        result |= changes
    return result | dict(overrides)


def read_preset(name_or_path: str) -> Preset:
    """Read a preset's YAML without checking its settings.

    Raises
    ------
    SettingsError
        If there is no such preset, or it cannot be read.
    """
    shipped = _preset_files()
    name = NAMES.get(name_or_path, name_or_path)
    if name in shipped:
        text = shipped[name].read_text("utf-8")
    elif models.package(name):
        return Preset(name, f"{name} with its default settings", {})
    else:
        path = Path(name_or_path).expanduser()
        if not path.is_file():
            raise SettingsError(
                f"There is no preset {name_or_path!r}, and no file of that name. "
                f"Known are: {', '.join(sorted(shipped))}."
            )
        with reading(path, SettingsError):
            text = read_document(path)
    try:
        preset = parse_yaml(text)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise SettingsError(f"The preset {name_or_path} is no valid YAML: {reason}.") from None
    if not isinstance(preset, dict) or set(preset) != {"model", "summary", "settings"}:
        raise SettingsError(
            f"The preset {name_or_path} must have exactly the keys 'model', 'summary' and "
            "'settings'."
        )
    settings = preset["settings"] or {}
    if not isinstance(settings, dict):
        raise SettingsError(
            f"'settings' of the preset {name_or_path} must be a mapping, not {settings!r}."
        )
    return Preset(str(preset["model"]), str(preset["summary"]), settings)
