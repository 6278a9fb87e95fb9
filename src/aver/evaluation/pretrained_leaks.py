"""`pretrained_leaks`: test speakers that pretrained weights have met before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from aver.compatibility import upgrade
from aver.corpora.corpus import Corpus
from aver.errors import CheckpointError
from aver.models.base.checkpoint import CARD_NAME
from aver.networks.pretrained import find_weights
from aver.splits.split import Split


def pretrained_leaks(weights: Sequence[str], corpus: Corpus, split: Split) -> tuple[str, ...]:
    """What a run's extractors know of its test speakers from their pretraining, as sentences.

    Weights whose card names the corpus under test must name the speakers that taught them, and
    none of these may be tested; weights without a card say nothing, and nothing is said of them.

    Parameters
    ----------
    weights : sequence of str
        As `aver.models.base.recognizer.Recognizer.pretrained_weights` declares them.
    corpus : Corpus
    split : Split

    Raises
    ------
    CheckpointError
        If there are no such weights, or their card cannot be read.
    """
    tested = {str(clip.speaker) for fold in split.folds for clip in corpus.select(list(fold.test))}
    found = []
    for name in weights:
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


def describe_weights(weights: Sequence[str]) -> list[dict[str, Any]]:
    """Which pretrained weights a recogniser starts from or reads by, for run record and card.

    Parameters
    ----------
    weights : sequence of str
        As `pretrained_leaks` takes them.

    Returns
    -------
    list of dict
        ``weights`` (name or path), ``trained_on`` (labels of corpora; None where no card says it)
        and ``sha256`` (sixteen digits of the file's).
    """
    found = []
    for name in weights:
        content = find_weights(name).read_bytes()
        taught = _card_of(name).get("trained_on")
        digest = hashlib.sha256(content).hexdigest()[:16]
        found.append({"weights": name, "trained_on": taught, "sha256": digest})
    return found


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
