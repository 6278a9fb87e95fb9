"""`Split`: which clips train, validate and test, as JSON that a person can read and cite."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fold:
    """Clip ids of one round of training, validation and test."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


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
        A speaker on two sides of a split that does not say so here is an error on loading.
    """

    rule: str
    corpus: str
    seed: int
    folds: tuple[Fold, ...]
    leaks: tuple[str, ...] = ()
