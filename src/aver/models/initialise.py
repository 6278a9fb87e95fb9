"""`start_from`: the settings that let a recogniser start from pretrained weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aver.errors import CheckpointError, SettingsError
from aver.features.feature import features
from aver.models.parts.branch import BranchSettings
from aver.models.presets import load_preset
from aver.networks.pretrained import find_weights
from aver.networks.shipped import CARD_NAME

SENSES = {"visual": "video", "audio": "sound"}
"""Words of ``--init`` to modalities of features."""

FROZEN_EPOCHS, PRETRAINED_RATE = 3, 0.1
"""What pretrained extractors get unless told otherwise."""

_ABOUT_WEIGHTS = ("frozen_epochs", "pretrained_rate")  # refused by branches without weights


def start_from(
    preset: str, overrides: Mapping[str, Any], weights: Mapping[str, str]
) -> dict[str, Any]:
    """Overrides that put pretrained weights into the branches of a preset.

    A branch with face embeddings takes the network that embeds. A branch that reads pictures or
    spectrograms gets a ResNet of the shape that the weights' card tells (without a card: of its own
    settings, which must fit), frozen for `FROZEN_EPOCHS` epochs, then trained at
    `PRETRAINED_RATE` of the usual rate.

    Parameters
    ----------
    preset : str
    overrides : mapping
        Settings that the user changed; they win.
    weights : mapping of {"visual", "audio"} to str
        Names of `aver list weights`, files, or run folders of ``aver pretrain``.

    Returns
    -------
    dict
        By dotted key, with `overrides` in it.

    Raises
    ------
    SettingsError
        If the preset has no branch for one of them.
    CheckpointError
        If there are no such weights.
    """
    before = {k: v for k, v in overrides.items() if k.rpartition(".")[2] not in _ABOUT_WEIGHTS}
    _, settings = load_preset(preset, before)
    branches: Mapping[str, BranchSettings] = getattr(settings, "branches", {})
    found: dict[str, Any] = {}
    for sense, name in weights.items():
        if sense not in SENSES:
            raise SettingsError(
                f"There is nothing {sense!r} to start from weights. Use: {', '.join(SENSES)}."
            )
        fitting = [
            modality
            for modality in getattr(settings, "modalities", ())
            if modality in branches and _takes(branches[modality], SENSES[sense])
        ]
        if not fitting:
            raise SettingsError(
                f"The preset {preset!r} has no branch that could start from {sense} weights: it "
                "needs pictures, spectrograms or face embeddings of that sense."
            )
        found |= _changes(f"branches.{fitting[0]}", branches[fitting[0]], name)
    return found | dict(overrides)


def _takes(branch: BranchSettings, modality: str) -> bool:
    kind = features.get(branch.feature)
    return kind.modality == modality and branch.feature in (
        "face-embeddings",
        "face-crops",
        "spectrogram-segments",
    )


def _changes(branch: str, settings: BranchSettings, name: str) -> dict[str, Any]:
    if settings.feature == "face-embeddings":
        return {f"{branch}.feature_settings.weights": name}
    changes: dict[str, Any] = {
        f"{branch}.extractor": "resnet18",
        f"{branch}.pretrained": name,
        f"{branch}.frozen_epochs": FROZEN_EPOCHS,
        f"{branch}.pretrained_rate": PRETRAINED_RATE,
    }
    place = find_weights(name).parent / CARD_NAME
    if not place.is_file():
        return changes
    try:
        card = json.loads(place.read_text(encoding="utf-8"))
        shape = {key: card["network"][key] for key in ("width", "blocks", "stem")}
        told = dict(card["input"])
    except (ValueError, KeyError, TypeError):
        raise CheckpointError(f"{place} is no card of 'aver pretrain'. Remove it.") from None
    changes |= {f"{branch}.{key}": value for key, value in shape.items()}
    changes |= {f"{branch}.coordinates": False, f"{branch}.movement": False}
    if settings.feature == "face-crops":
        changes |= {
            f"{branch}.feature_settings.size_px": told["size_px"],
            f"{branch}.grey": True,
            f"{branch}.standardise": "clip",
        }
    else:
        changes |= {f"{branch}.feature_settings": told["feature_settings"]}
        changes |= {f"{branch}.standardise": told["standardised"]}
    return changes
