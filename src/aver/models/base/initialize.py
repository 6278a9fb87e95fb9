"""`start_from`: the settings that let a recogniser start from pretrained weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aver.compatibility import upgrade
from aver.errors import CheckpointError, SettingsError
from aver.features.feature import features
from aver.models.base.presets import load_preset
from aver.models.layers.encoder import BranchSettings
from aver.models.temporal_aggregation.settings import TemporalAggregationSettings
from aver.networks.pretrained import find_weights, resnet_shape
from aver.networks.shipped import CARD_NAME

MODALITIES = ("video", "audio")
"""Modalities that can start from pretrained weights."""

FROZEN_EPOCHS, PRETRAINED_RATE = 3, 0.1
"""What pretrained extractors get unless told otherwise."""

_ABOUT_WEIGHTS = ("frozen_epochs", "pretrained_rate")  # refused by branches without weights


def start_from(
    preset: str, overrides: Mapping[str, Any], weights: Mapping[str, str]
) -> dict[str, Any]:
    """Overrides that put pretrained weights into the branches of a preset.

    A branch with face embeddings takes the network that embeds. A branch that reads pictures or
    spectrograms gets a ResNet of the shape that the weights' card tells (without a card: of its own
    settings, which must fit), without channels of places and movement, frozen for `FROZEN_EPOCHS`
    epochs, then trained at `PRETRAINED_RATE` of the usual rate. The networks of temporal
    aggregation all start so; its windows of sound get the rows and the pace of the weights'
    spectrograms, but stay even in the logarithm of frequency where those may be in mel.

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
        If the preset has no branch for one of them.
    CheckpointError
        If there are no such weights, or those without a card do not fit the settings.
    """
    before = {k: v for k, v in overrides.items() if k.rpartition(".")[2] not in _ABOUT_WEIGHTS}
    _, settings = load_preset(preset, before)
    found: dict[str, Any] = {}
    for modality, name in weights.items():
        if modality not in MODALITIES:
            raise SettingsError(
                f"{modality!r} cannot start from weights. Use: {', '.join(MODALITIES)}."
            )
        if not isinstance(name, str) or not name:
            raise SettingsError(
                f"{modality} needs a name of 'aver list weights' or a path, not {name!r}."
            )
        if isinstance(settings, TemporalAggregationSettings):
            changes = _of_segments(settings, modality, name)
        else:
            changes = _of_branch(settings, modality, name)
        if not changes:
            raise SettingsError(
                f"The preset {preset!r} has no branch that could start from {modality} weights: it "
                "needs pictures, spectrograms or face embeddings of that modality."
            )
        found |= changes
    return found | dict(overrides)


def _of_branch(settings: Any, modality: str, name: str) -> dict[str, Any]:
    """Changes of the first branch that takes weights of that modality; none where none does."""
    branches: Mapping[str, BranchSettings] = getattr(settings, "branches", {})
    for branch in getattr(settings, "modalities", ()):
        if branch in branches and _takes(branches[branch], modality):
            return _changes(f"branches.{branch}", branches[branch], name)
    return {}


def _of_segments(settings: TemporalAggregationSettings, modality: str, name: str) -> dict[str, Any]:
    """Changes of temporal aggregation, whose networks all start from the same weights."""
    if modality not in settings.modalities:
        return {}
    if modality == "video" and settings.image_feature == "face-embeddings":
        return {"images.weights": name}
    part = f"extractors.{modality}"
    changes = {f"{part}.kind": "resnet18", **_slowly(part, name)}
    card = _card_of(name)
    if card is None:
        _check_shape(part, settings.extractor(modality), name)
        return changes
    changes |= {f"{part}.{key}": value for key, value in card.network.items()}
    if modality == "video":
        return changes | {"images.size_px": card.told["size_px"], "gray": True}
    heard = card.told["feature_settings"]
    column_s = heard["segment_s"] / heard["column_count"]
    return changes | {
        "band_count": heard["band_count"],
        "column_count": round(settings.window_s / column_s),
        "standardize_audio": card.told["standardized"],
    }


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
    changes: dict[str, Any] = {f"{branch}.extractor": "resnet18", **_slowly(branch, name)}
    # Of no weights does the first convolution know these channels; three of a grey picture and its
    # places would even fit those of colour.
    changes |= {f"{branch}.coord_conv": False, f"{branch}.movement": False}
    card = _card_of(name)
    if card is None:
        _check_shape(branch, settings, name)
        return changes
    changes |= {f"{branch}.{key}": value for key, value in card.network.items()}
    if settings.feature == "face-crops":
        changes |= {
            f"{branch}.feature_settings.size_px": card.told["size_px"],
            f"{branch}.gray": True,
            f"{branch}.standardize": "clip",
        }
    else:
        changes |= {f"{branch}.feature_settings": card.told["feature_settings"]}
        changes |= {f"{branch}.standardize": card.told["standardized"]}
    return changes


def _check_shape(part: str, settings: Any, name: str) -> None:
    """Refuse weights without a card before anything is read, if the settings do not fit them."""
    shape = resnet_shape(find_weights(name))
    other = {key: value for key, value in shape.items() if getattr(settings, key) != value}
    if other:
        told = ", ".join(f"{key} {getattr(settings, key)}" for key in other)
        wanted = " ".join(f"{part}.{key}={value}" for key, value in other.items())
        raise CheckpointError(
            f"The pretrained weights at {name} do not fit {part}, which has {told}. Add --set "
            f"{wanted}, or take weights of that shape."
        )


def _slowly(part: str, name: str) -> dict[str, Any]:
    return {
        f"{part}.pretrained": name,
        f"{part}.frozen_epochs": FROZEN_EPOCHS,
        f"{part}.pretrained_rate": PRETRAINED_RATE,
    }


@dataclass(frozen=True)
class _Card:
    """What a card tells: the ResNet's shape, and what it was fed with."""

    network: dict[str, Any]
    told: dict[str, Any]


def _card_of(name: str) -> _Card | None:
    """The card beside weights; None where there is none."""
    place = find_weights(name).parent / CARD_NAME
    if not place.is_file():
        return None
    try:
        card = upgrade(json.loads(place.read_text(encoding="utf-8")))
        shape = {key: card["network"][key] for key in ("width", "blocks", "stem")}
        return _Card(shape, dict(card["input"]))
    except (ValueError, KeyError, TypeError):
        raise CheckpointError(f"{place} is no card of 'aver pretrain'. Remove it.") from None
