"""Refuse a split that names a clip twice, an unknown clip, or leaks without saying so."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import SplitError
from aver.splits.leak import (
    SHARED_PERFORMANCES,
    SHARED_SPEAKERS,
    VALIDATION_IS_TEST,
    declares,
)
from aver.splits.split import PARTS, Fold, Split


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
        clip is unknown, or in a fold twice; or if a performance or a speaker is in two parts of a
        fold without a sentence in `Split.leaks` that says so. The message names the clip or
        speaker, the fold and the parts.
    """
    if split.corpus != corpus.name:
        raise SplitError(
            f"The split was made for the corpus {split.corpus!r}, but the corpus at {corpus.root} "
            f"is {corpus.name!r}."
        )
    if not split.folds:
        raise SplitError("The split has no fold.")
    for number, fold in enumerate(split.folds, start=1):
        for part in ("train", "test"):
            if not fold.parts()[part]:
                raise SplitError(f"Fold {number} of the split has no {part} clip.")
        _check_known(fold, number, corpus)
        _check_twice(fold, number, split)
        _check_shared(fold, number, split, corpus)


def _check_known(fold: Fold, number: int, corpus: Corpus) -> None:
    for part in PARTS:
        for clip_id in fold.parts()[part]:
            if clip_id not in corpus.by_id:
                raise SplitError(
                    f"Clip {clip_id!r} in the {part} part of fold {number} is not in the corpus at "
                    f"{corpus.root}. Is this the right corpus, read with the same settings?"
                )


def _check_twice(fold: Fold, number: int, split: Split) -> None:
    validation_is_test = declares(split.leaks, VALIDATION_IS_TEST)
    places: dict[str, str] = {}
    for part, ids in fold.parts().items():
        for clip_id in ids:
            before = places.get(clip_id)
            places[clip_id] = part
            if before is None:
                continue
            if validation_is_test and (before, part) == ("validation", "test"):
                continue
            where = f"twice in {part}" if before == part else f"in {before} and in {part}"
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
            part: {fact(clip) for clip in corpus.select(ids)} - {None}
            for part, ids in fold.parts().items()
        }
        for one, other in combinations(PARTS, 2):
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
