"""`Split`: which clips train, validate and test, stored as readable JSON."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from aver.corpora.corpus import Corpus
from aver.errors import SplitError
from aver.execution.documents import parse_json, read_document
from aver.execution.files import composed, write_json

SUBSETS = ("train", "validation", "test")
"""The subsets of a fold, in their order."""


@dataclass(frozen=True)
class Fold:
    """Clip ids of one round of training, validation and test.

    Parameters
    ----------
    train, validation, test : tuple of str
        In any order; they are stored sorted. Validation may be empty.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        # Sorted, so that equal splits train equally whatever the order in a file.
        for subset in SUBSETS:
            object.__setattr__(self, subset, tuple(sorted(getattr(self, subset))))

    def subsets(self) -> dict[str, tuple[str, ...]]:
        """Clip ids by the name of their subset."""
        return {subset: getattr(self, subset) for subset in SUBSETS}


@dataclass(frozen=True)
class Split:
    """One or more folds of a corpus.

    Parameters
    ----------
    rule : str
        The rule that made the split, with its settings: ``"speaker-kfold(folds=5)"``.
    corpus : str
        Registered name of the corpus.
    seed : int
        Seed of the rule's random draws.
    folds : tuple of Fold
    leaks : tuple of str
        What the subsets share by design, in whole sentences; empty for a clean split. A sentence
        that begins with one of the keys below and a colon permits that leak in `check_split`. A
        speaker in two subsets of a split that does not declare it is an error on loading.
    """

    rule: str
    corpus: str
    seed: int
    folds: tuple[Fold, ...]
    leaks: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that identify this split: equal exactly for equal folds.

        The formatting of a file, the order of its clips and the text of the rule do not matter;
        the name of the corpus and the order of the folds do.

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
"""Training and test have speakers in common."""

SHARED_PERFORMANCES = "shared-performances"
"""Training and test have files of the same performance."""

VALIDATION_IS_TEST = "validation-is-test"
"""The clips that select the epoch are the clips that are scored."""

UNKNOWN_SPEAKERS = "unknown-speakers"
"""The speakers are unknown, so they may be shared."""

_SENTENCES = {
    SHARED_SPEAKERS: "speakers of the test clips are also in training.",
    SHARED_PERFORMANCES: "files of one performance may be in training and in test.",
    VALIDATION_IS_TEST: "the validation clips are the test clips, so every choice by validation "
    "is made on the test speakers.",
    UNKNOWN_SPEAKERS: "the speakers are unknown, so they may be in training and in test.",
}


def leak_sentence(key: str) -> str:
    """The sentence that declares a leak in `Split.leaks`.

    Examples
    --------
    >>> leak_sentence("shared-speakers")
    'shared-speakers: speakers of the test clips are also in training.'
    """
    return f"{key}: {_SENTENCES[key]}"


def declares(leaks: Iterable[str], key: str) -> bool:
    """Whether one of the sentences declares the leak with this key.

    Examples
    --------
    >>> declares(["shared-speakers: as in the paper."], "shared-speakers")
    True
    """
    return any(sentence.partition(":")[0].strip() == key for sentence in leaks)


def shared_between(
    subsets: Mapping[str, Iterable[str]],
    fact: Callable[[str], str | None],
    validation_is_test: bool = False,
) -> Iterator[tuple[str, str, set[str]]]:
    """Yield each pair of subsets that have a fact in common, with the common values.

    Parameters
    ----------
    subsets : mapping of str to iterable of str
        Clips by subset.
    fact : callable
        Gives the speaker, performance, ... of a clip; None if it is unknown.
    validation_is_test : bool
        Validation and test are the same clips by design and are not compared.

    Examples
    --------
    >>> list(shared_between({"train": ["a1", "b1"], "test": ["b2"]}, lambda clip: clip[0]))
    [('train', 'test', {'b'})]
    """
    values = {name: {fact(clip) for clip in clips} - {None} for name, clips in subsets.items()}
    for one, other in combinations([name for name in SUBSETS if name in values], 2):
        if validation_is_test and (one, other) == ("validation", "test"):
            continue
        shared = {str(value) for value in values[one] & values[other]}
        if shared:
            yield one, other, shared


def check_split(split: Split, corpus: Corpus) -> None:
    """Check a split against its corpus.

    Parameters
    ----------
    split : Split
    corpus : Corpus
        The clips that the split may name; it need not name all of them.

    Raises
    ------
    SplitError
        If the split was made for another corpus; if a fold has no training or no test clip; if a
        clip is unknown or occurs twice in a fold; or if a performance or a speaker is in two
        subsets of a fold and `Split.leaks` does not declare it. The message names the clip or
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
        _check_clips(fold, number, corpus)
        _check_shared(fold, number, split, corpus)


def _check_clips(fold: Fold, number: int, corpus: Corpus) -> None:
    for subset, clip_ids in fold.subsets().items():
        if not clip_ids and subset != "validation":
            raise SplitError(f"Fold {number} of the split has no {subset} clip.")
        for clip_id, count in Counter(clip_ids).items():
            if clip_id not in corpus.by_id:
                raise SplitError(
                    f"Clip {clip_id!r} in the {subset} subset of fold {number} is not in the "
                    f"corpus at {corpus.root}. Check that this is the right corpus, read with the "
                    "same settings."
                )
            if count > 1:
                raise SplitError(
                    f"Clip {clip_id!r} is twice in {subset} of fold {number}. Remove one of them."
                )


def _check_shared(fold: Fold, number: int, split: Split, corpus: Corpus) -> None:
    rules: tuple[tuple[str, str, Callable[[str], str | None]], ...] = (
        ("Clip", "", lambda clip_id: clip_id),
        ("Performance", SHARED_PERFORMANCES, lambda clip_id: corpus.by_id[clip_id].performance),
        ("Speaker", SHARED_SPEAKERS, lambda clip_id: corpus.by_id[clip_id].speaker),
    )
    validation_is_test = declares(split.leaks, VALIDATION_IS_TEST)
    for what, leak, fact in rules:
        if leak and declares(split.leaks, leak):
            continue
        for one, other, shared in shared_between(fold.subsets(), fact, validation_is_test):
            advice = (
                "and the split does not declare it. Move the clips, or declare the leak: add a "
                f"sentence that begins with '{leak}:' to 'leaks'."
                if leak
                else "Remove it from one of them."
            )
            raise SplitError(
                f"{what} {min(shared)!r} is in {one} and in {other} of fold {number}"
                f"{', ' if leak else '. '}{advice}"
            )


_FORMAT = "aver-split-1"
_KEYS = ("format", "rule", "corpus", "seed", "leaks", "folds")


def save_split(split: Split, path: str | Path) -> None:
    """Write a split as JSON, atomically.

    Parameters
    ----------
    split : Split
    path : str or Path
        Usually ends in ``.json``; missing folders are made.

    Raises
    ------
    StorageError
        If the disk is full or the file cannot be written.
    """
    write_json(
        Path(path),
        {
            "format": _FORMAT,
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
    """Read a split from JSON and check it against its corpus.

    Parameters
    ----------
    path : str or Path
        As `save_split` writes it; it may have been edited by hand.
    corpus : Corpus
        The corpus that the split divides.

    Returns
    -------
    Split

    Raises
    ------
    SplitError
        If the file is missing, is not a split, or fails `check_split`; the message begins with
        the path.
    """
    path = Path(path)
    try:
        values = parse_json(composed(read_document(path)))
    except OSError as error:
        raise SplitError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise SplitError(f"{path} is not valid JSON: {error}.") from error
    try:
        split = _parse(values)
        check_split(split, corpus)
    except SplitError as error:
        raise SplitError(f"{path}: {error}") from None
    return split


def _parse(values: Any) -> Split:
    if not isinstance(values, dict) or values.get("format") != _FORMAT:
        raise SplitError(f'This is not a split of aver: it lacks "format": "{_FORMAT}".')
    for key in _KEYS:
        if key not in values:
            raise SplitError(f"The key {key!r} is missing.")
    for key in values:
        if key not in _KEYS:
            raise SplitError(f"The key {key!r} is unknown. Known keys: {', '.join(_KEYS)}.")
    for key, kind, words in (
        ("rule", str, "text"),
        ("corpus", str, "text"),
        ("seed", int, "a whole number"),
        ("folds", list, "a list"),
    ):
        if not isinstance(values[key], kind) or isinstance(values[key], bool):
            raise SplitError(f"{key!r} must be {words}, not {values[key]!r}.")
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
