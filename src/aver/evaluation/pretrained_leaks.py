"""`pretrained_leaks`: test speakers that pretrained weights have met before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aver.corpora.corpus import Corpus
from aver.models.checkpoint import CARD_NAME
from aver.networks.pretrained import find_weights
from aver.splits.split import Split

_OF_FEATURES = ("feature_settings", "pictures")  # settings that hold those of a feature


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
        If there are no such weights.
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


def _weights_in(settings: Any, of_feature: bool = False) -> Iterator[str]:
    """Names and paths of pretrained extractors anywhere in the settings.

    Only a feature's ``weights`` are pretrained ones; a model may use the word for something else.
    """
    if not isinstance(settings, Mapping):
        return
    for key, value in settings.items():
        names_weights = key == "pretrained" or (of_feature and key == "weights")
        if names_weights and isinstance(value, str) and value:
            yield value
        else:
            yield from _weights_in(value, of_feature or key in _OF_FEATURES)


def _card_of(name: str) -> dict[str, Any]:
    place = find_weights(name).parent / CARD_NAME
    if not place.is_file():
        return {}
    card = json.loads(place.read_text(encoding="utf-8"))
    return card if isinstance(card, dict) else {}
