"""What a split may openly share between its parts, and the words to say so."""

from __future__ import annotations

from collections.abc import Iterable

SHARED_SPEAKERS = "shared-speakers"
"""The same speakers are heard in training and in test."""

SHARED_PERFORMANCES = "shared-performances"
"""Files of one and the same performance are in training and in test."""

VALIDATION_IS_TEST = "validation-is-test"
"""The clips that choose the epoch are the clips that are scored."""

UNKNOWN_SPEAKERS = "unknown-speakers"
"""Nobody knows whether speakers are shared."""

SENTENCES = {
    SHARED_SPEAKERS: "speakers of the test clips are also heard or seen in training.",
    SHARED_PERFORMANCES: "files of one performance may be on both sides.",
    VALIDATION_IS_TEST: "the validation clips are the test clips, so every choice by validation "
    "is made on the test speakers.",
    UNKNOWN_SPEAKERS: "nobody knows the speakers, so they may be on both sides.",
}


def leak_sentence(key: str) -> str:
    """The sentence that declares a leak in `Split.leaks`.

    Examples
    --------
    >>> leak_sentence("shared-speakers")
    'shared-speakers: speakers of the test clips are also heard or seen in training.'
    """
    return f"{key}: {SENTENCES[key]}"


def declares(leaks: Iterable[str], key: str) -> bool:
    """Whether one of the sentences declares the leak of that key.

    Examples
    --------
    >>> declares(["shared-speakers: as in the paper."], "shared-speakers")
    True
    """
    return any(sentence.partition(":")[0].strip() == key for sentence in leaks)
