"""`on_validation`: a split whose validation clips are answered, its test clips left alone."""

from __future__ import annotations

from dataclasses import replace

from aver.errors import SplitError
from aver.splits.split import Fold, Split

ON_VALIDATION = "answered for validation clips, test clips unused"
"""What the rule of such a split says of itself."""


def on_validation(split: Split) -> Split:
    """Train as before, answer for the validation clips, and leave the test clips alone.

    For looking at many settings: whoever chooses among them has not seen the test clips of any
    fold that is kept. Nothing is left to choose by, so that the validation part is empty.

    Parameters
    ----------
    split : Split

    Returns
    -------
    Split
        Of rotated folds, those that would answer for a clip a second time are left out.

    Raises
    ------
    SplitError
        If no fold has validation clips of its own.

    Examples
    --------
    >>> split = Split("by hand", "ravdess", 0, (Fold(("a",), ("b",), ("c",)),))
    >>> on_validation(split).folds[0].parts()
    {'train': ('a',), 'validation': (), 'test': ('b',)}
    """
    folds: list[Fold] = []
    answered: set[str] = set()
    for fold in split.folds:
        own = set(fold.validation) - set(fold.test)
        if own and not own & answered:
            folds.append(Fold(fold.train, (), tuple(own)))
            answered |= own
    if not folds:
        raise SplitError(
            f"No fold of the split {split.rule!r} has validation clips that are not its test clips "
            "too. Use a rule with validation=nested."
        )
    return replace(split, rule=f"{split.rule}, {ON_VALIDATION}", folds=tuple(folds))
