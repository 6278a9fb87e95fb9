"""`Split`: which clips train, validate and test, as JSON that a person can read and cite."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

PARTS = ("train", "validation", "test")
"""The three parts of a fold, in their order."""


@dataclass(frozen=True)
class Fold:
    """Clip ids of one round of training, validation and test, each part sorted.

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
        for part in PARTS:
            object.__setattr__(self, part, tuple(sorted(getattr(self, part))))

    def parts(self) -> dict[str, tuple[str, ...]]:
        """Clip ids by the name of their part."""
        return {part: getattr(self, part) for part in PARTS}


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
        What the split openly shares between its parts, in whole sentences; empty for a clean one.
        A sentence that permits something to `check_split` begins with one of the keys in
        `aver.splits.leak` and a colon. A speaker on two sides of a split that does not say so here
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
        content = [self.corpus, [fold.parts() for fold in self.folds]]
        text = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
