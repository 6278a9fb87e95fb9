"""`pretrained_leaks`: whether pretraining data include test speakers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aver.compatibility import upgrade
from aver.corpora.combine import name_in_part, part_of
from aver.corpora.corpus import Corpus
from aver.errors import CheckpointError
from aver.models.base.checkpoint import CARD_NAME
from aver.networks.pretrained import find_weights
from aver.splits.split import Split


def pretrained_leaks(weights: Sequence[str], corpus: Corpus, split: Split) -> tuple[str, ...]:
    """Leaks through pretrained weights, in whole sentences.

    Weights whose card names the tested corpus must name the speakers that they were trained on,
    and none of these may be tested. Weights without a card cannot be checked and are not reported.

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
    leaks = []
    for name in weights:
        card = _card_of(name)
        for label, own in _tested_by_corpus(corpus, tested).items():
            if own and label in card.get("trained_on", ()):
                leaks.append(_leak(name, label, card.get("speakers"), own))
    return tuple(filter(None, leaks))


def _tested_by_corpus(corpus: Corpus, tested: set[str]) -> dict[str, set[str]]:
    """Tested speakers by the label of their corpus, named as there."""
    if not corpus.parts:
        return {corpus.label: tested}
    return {
        part.label: {name_in_part(speaker) for speaker in tested if part_of(speaker) == name}
        for name, part in corpus.parts.items()
    }


def _leak(weights: str, corpus: str, speakers: Any, tested: set[str]) -> str:
    """The leak of weights whose card names a tested corpus; empty if there is none."""
    if not isinstance(speakers, Mapping):
        return (
            f"The weights {weights} were pretrained on {corpus}, but their card does not "
            "name the speakers: test speakers may be among them."
        )
    shared = sorted({*speakers.get("train", ()), *speakers.get("validation", ())} & tested)
    if not shared:
        return ""
    return (
        f"The weights {weights} were pretrained on {len(shared)} of the test speakers of "
        f"{corpus}: {', '.join(shared[:3])}{', ...' if len(shared) > 3 else ''}."
    )


def describe_weights(weights: Sequence[str]) -> list[dict[str, Any]]:
    """The pretrained weights of a recognizer, for run folder and model card.

    Parameters
    ----------
    weights : sequence of str
        As `pretrained_leaks` takes them.

    Returns
    -------
    list of dict
        ``weights`` (name or path), ``trained_on`` (labels of corpora; None if unknown) and
        ``sha256`` (16 digits of the file's).
    """
    return [
        {
            "weights": name,
            "trained_on": _card_of(name).get("trained_on"),
            "sha256": _hash(find_weights(name)),
        }
        for name in weights
    ]


def _hash(path: Path) -> str:
    with path.open("rb") as file:  # not read at once: an encoder may have a gigabyte
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _card_of(name: str) -> dict[str, Any]:
    path = find_weights(name).parent / CARD_NAME
    if not path.is_file():
        return {}
    try:
        card = upgrade(json.loads(path.read_text(encoding="utf-8")))
    except ValueError:
        raise CheckpointError(
            f"{path} cannot be read, so the speakers that the weights {name} were pretrained on "
            "are unknown. Pretrain again, or remove it."
        ) from None
    return card if isinstance(card, dict) else {}
