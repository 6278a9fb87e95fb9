"""`Split`: which clips train, validate and test, as JSON that a person can read and cite."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import SplitError
from aver.execution.files import write_json

SUBSETS = ("train", "validation", "test")
"""The three subsets of a fold, in their order."""


@dataclass(frozen=True)
class Fold:
    """Clip ids of one round of training, validation and test, each subset sorted.

    Parameters
    ----------
    train, validation, test : tuple of str
        Given in any order. Validation may be empty, where a rule has none.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        # Sorted, so that equal splits train alike however a file of theirs was written.
        for subset in SUBSETS:
            object.__setattr__(self, subset, tuple(sorted(getattr(self, subset))))

    def subsets(self) -> dict[str, tuple[str, ...]]:
        """Clip ids by the name of their subset."""
        return {subset: getattr(self, subset) for subset in SUBSETS}


@dataclass(frozen=True)
class Split:
    """One or more folds over a corpus, with what they share and why.

    Parameters
    ----------
    rule : str
        The rule that made it, with its settings, for instance ``"speaker-kfold(folds=5)"``.
    corpus : str
        Registered name of the corpus.
    seed : int
        Seed of the rule's random draws.
    folds : tuple of Fold
    leaks : tuple of str
        What the split openly shares between its subsets, in whole sentences; empty for a clean one.
        A sentence that permits something to `check_split` begins with one of the keys in
        `aver.splits.split` and a colon. A speaker on two sides of a split that does not say so here
        is an error on loading.
    """

    rule: str
    corpus: str
    seed: int
    folds: tuple[Fold, ...]
    leaks: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that name this split: equal exactly for equal folds.

        Neither the formatting of a file, nor the order of clips in it, nor the words of the rule
        matter; the corpus's name and the order of the folds do.

        Examples
        --------
        >>> one = Split("by hand", "ravdess", 0, (Fold(("a", "b"), (), ("c",)),))
        >>> two = Split("another", "ravdess", 7, (Fold(("b", "a"), (), ("c",)),))
        >>> one.hash == two.hash
        True
        """
        content = [self.corpus, [fold.subsets() for fold in self.folds]]
        text = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


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


def check_split(split: Split, corpus: Corpus) -> None:
    """Hold a split against the corpus that it divides.

    Parameters
    ----------
    split : Split
    corpus : Corpus
        The clips that the split may name; it need not name all of them.

    Raises
    ------
    SplitError
        If the split was made for another corpus; if a fold has no training or no test clip; if a
        clip is unknown, or in a fold twice; or if a performance or a speaker is in two subsets of a
        fold without a sentence in `Split.leaks` that says so. The message names the clip or
        speaker, the fold and the subsets.
    """
    if split.corpus != corpus.name:
        raise SplitError(
            f"The split was made for the corpus {split.corpus!r}, but the corpus at {corpus.root} "
            f"is {corpus.name!r}."
        )
    if not split.folds:
        raise SplitError("The split has no fold.")
    for number, fold in enumerate(split.folds, start=1):
        for subset in ("train", "test"):
            if not fold.subsets()[subset]:
                raise SplitError(f"Fold {number} of the split has no {subset} clip.")
        _check_known(fold, number, corpus)
        _check_twice(fold, number, split)
        _check_shared(fold, number, split, corpus)


def _check_known(fold: Fold, number: int, corpus: Corpus) -> None:
    for subset in SUBSETS:
        for clip_id in fold.subsets()[subset]:
            if clip_id not in corpus.by_id:
                raise SplitError(
                    f"Clip {clip_id!r} in the {subset} subset of fold {number} is not in the "
                    f"corpus at {corpus.root}. Is this the right corpus, "
                    "read with the same settings?"
                )


def _check_twice(fold: Fold, number: int, split: Split) -> None:
    validation_is_test = declares(split.leaks, VALIDATION_IS_TEST)
    places: dict[str, str] = {}
    for subset, ids in fold.subsets().items():
        for clip_id in ids:
            before = places.get(clip_id)
            places[clip_id] = subset
            if before is None:
                continue
            if validation_is_test and (before, subset) == ("validation", "test"):
                continue
            where = f"twice in {subset}" if before == subset else f"in {before} and in {subset}"
            raise SplitError(
                f"Clip {clip_id!r} is {where} of fold {number}. Remove it from one place."
            )


def _check_shared(fold: Fold, number: int, split: Split, corpus: Corpus) -> None:
    laws: tuple[tuple[str, str, Callable[[Clip], str | None]], ...] = (
        ("Performance", SHARED_PERFORMANCES, lambda clip: clip.performance),
        ("Speaker", SHARED_SPEAKERS, lambda clip: clip.speaker),
    )
    for what, leak, fact in laws:
        if declares(split.leaks, leak):
            continue
        facts = {
            subset: {fact(clip) for clip in corpus.select(ids)} - {None}
            for subset, ids in fold.subsets().items()
        }
        for one, other in combinations(SUBSETS, 2):
            if (one, other) == ("validation", "test") and declares(split.leaks, VALIDATION_IS_TEST):
                continue
            shared = facts[one] & facts[other]
            if shared:
                name = min(str(value) for value in shared)
                raise SplitError(
                    f"{what} {name!r} is in {one} and in {other} of fold {number}, and the split "
                    f"does not say so. Move the clips, or declare it: add a sentence that begins "
                    f"with '{leak}:' to 'leaks'."
                )


FORMAT = "aver-split-1"
_KEYS = ("format", "rule", "corpus", "seed", "leaks", "folds")


def save_split(split: Split, path: str | Path) -> None:
    """Write a split as JSON, whole or not at all.

    Parameters
    ----------
    split : Split
    path : str or Path
        Usually ends in ``.json``; folders are made where missing.

    Raises
    ------
    StorageError
        If the disk is full or the place cannot be written.
    """
    write_json(
        Path(path),
        {
            "format": FORMAT,
            "rule": split.rule,
            "corpus": split.corpus,
            "seed": split.seed,
            "leaks": list(split.leaks),
            "folds": [
                {subset: list(ids) for subset, ids in fold.subsets().items()}
                for fold in split.folds
            ],
        },
    )


def load_split(path: str | Path, corpus: Corpus) -> Split:
    """Read a split from JSON and hold it against its corpus.

    Parameters
    ----------
    path : str or Path
        As `save_split` writes it, edited by hand or not.
    corpus : Corpus
        The corpus that the split divides.

    Returns
    -------
    Split

    Raises
    ------
    SplitError
        If the file is missing or no split, or breaks a law of `check_split`; the message begins
        with the path.
    """
    path = Path(path)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SplitError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SplitError(f"{path} is not valid JSON: {error}.") from error
    try:
        split = _parse(values)
        check_split(split, corpus)
    except SplitError as error:
        raise SplitError(f"{path}: {error}") from None
    return split


def _parse(values: Any) -> Split:
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise SplitError(f'This is no split of ours: it lacks "format": "{FORMAT}".')
    for key in _KEYS:
        if key not in values:
            raise SplitError(f"The key {key!r} is missing.")
    for key in values:
        if key not in _KEYS:
            raise SplitError(f"The key {key!r} is unknown. Known are: {', '.join(_KEYS)}.")
    for key, kind, words in (
        ("rule", str, "text"),
        ("corpus", str, "text"),
        ("seed", int, "a whole number"),
    ):
        if not isinstance(values[key], kind) or isinstance(values[key], bool):
            raise SplitError(f"{key!r} must be {words}, not {values[key]!r}.")
    if not isinstance(values["folds"], list):
        raise SplitError("'folds' must be a list.")
    return Split(
        rule=values["rule"],
        corpus=values["corpus"],
        seed=values["seed"],
        folds=tuple(_fold(fold, number) for number, fold in enumerate(values["folds"], start=1)),
        leaks=_texts(values["leaks"], "'leaks'"),
    )


def _fold(value: Any, number: int) -> Fold:
    if not isinstance(value, dict) or set(value) != set(SUBSETS):
        raise SplitError(f"Fold {number} must have exactly the keys {', '.join(SUBSETS)}.")
    return Fold(
        **{subset: _texts(value[subset], f"{subset!r} of fold {number}") for subset in SUBSETS}
    )


def _texts(value: Any, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SplitError(f"{what} must be a list of texts.")
    return tuple(value)
