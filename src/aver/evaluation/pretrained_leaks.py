"""`pretrained_leaks`: test speakers that pretrained weights have met before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from aver.compatibility import upgrade
from aver.corpora.corpus import Corpus
from aver.errors import CheckpointError
from aver.models.base.checkpoint import CARD_NAME
from aver.models.base.presets import load_preset
from aver.networks.pretrained import find_weights
from aver.settings import settings_to_mapping
from aver.splits.split import Split

_OF_FEATURES = ("feature_settings", "images")  # settings that hold those of a feature
_BY_MODALITY = ("branches", "extractors")  # settings that hold one entry per modality
_OF_MEMBERS = {"preset", "overrides", "modalities"}  # of a recogniser that trains others


def pretrained_leaks(settings: Mapping[str, Any], corpus: Corpus, split: Split) -> tuple[str, ...]:
    """What a run's extractors know of its test speakers from their pretraining, as sentences.

    Weights whose card names the corpus under test must name the speakers that taught them, and
    none of these may be tested; weights without a card say nothing, and nothing is said of them.

    Parameters
    ----------
    settings : mapping
        Of a recogniser, as `aver.settings.settings_to_mapping` gives them.
    corpus : Corpus
    split : Split

    Raises
    ------
    CheckpointError
        If there are no such weights, or their card cannot be read.
    """
    tested = {str(clip.speaker) for fold in split.folds for clip in corpus.select(list(fold.test))}
    found = []
    for name in dict.fromkeys(_weights_in(settings)):
        card = _card_of(name)
        if corpus.label not in card.get("trained_on", ()):
            continue
        speakers = card.get("speakers")
        if not isinstance(speakers, Mapping):
            found.append(
                f"The weights {name} were pretrained on {corpus.label}, and do not say on whom: "
                "test speakers may be among them."
            )
            continue
        known = {who for part in ("train", "validation") for who in speakers.get(part, ())}
        met = sorted(known & tested)
        if met:
            found.append(
                f"The weights {name} were pretrained on {len(met)} of the test speakers of "
                f"{corpus.label}: {', '.join(met[:3])}{', ...' if len(met) > 3 else ''}."
            )
    return tuple(found)


def pretrained_weights(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Which pretrained weights a recogniser starts from or reads by, for run record and card.

    Parameters
    ----------
    settings : mapping
        As `pretrained_leaks` takes them.

    Returns
    -------
    list of dict
        ``weights`` (name or path), ``trained_on`` (labels of corpora; None where no card says it)
        and ``sha256`` (sixteen digits of the file's).
    """
    found = []
    for name in dict.fromkeys(_weights_in(settings)):
        content = find_weights(name).read_bytes()
        taught = _card_of(name).get("trained_on")
        digest = hashlib.sha256(content).hexdigest()[:16]
        found.append({"weights": name, "trained_on": taught, "sha256": digest})
    return found


def _weights_in(settings: Any, of_feature: bool = False) -> Iterator[str]:
    """Names and paths of pretrained extractors anywhere in the settings that are in use.

    Only a feature's ``weights`` are pretrained ones; a model may use the word for something else.
    """
    if not isinstance(settings, Mapping):
        return
    if settings.keys() >= _OF_MEMBERS:
        for modality in settings["modalities"]:
            changes = {**settings["overrides"], "modalities": [modality]}
            _, member = load_preset(settings["preset"], changes)
            yield from _weights_in(settings_to_mapping(member))
        return
    for key, value in _in_use(settings).items():
        names_weights = key == "pretrained" or (of_feature and key == "weights")
        if names_weights and isinstance(value, str) and value:
            yield value
        else:
            yield from _weights_in(value, of_feature or key in _OF_FEATURES)


def _in_use(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without those of modalities that a recogniser does not look at."""
    used = settings.get("modalities")
    if used is None:
        return dict(settings)
    kept = {
        key: {name: part for name, part in value.items() if name in used}
        if key in _BY_MODALITY and isinstance(value, Mapping)
        else value
        for key, value in settings.items()
    }
    if "video" not in used:
        kept.pop("images", None)
    return kept


def _card_of(name: str) -> dict[str, Any]:
    place = find_weights(name).parent / CARD_NAME
    if not place.is_file():
        return {}
    try:
        card = upgrade(json.loads(place.read_text(encoding="utf-8")))
    except ValueError:
        raise CheckpointError(
            f"{place} cannot be read, so that nobody knows whom the weights {name} have met. "
            "Pretrain again, or remove it."
        ) from None
    return card if isinstance(card, dict) else {}
