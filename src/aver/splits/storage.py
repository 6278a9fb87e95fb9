"""Splits as JSON files that a person can read, edit and cite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aver.corpora.corpus import Corpus
from aver.errors import SplitError
from aver.execution.atomic import write_json
from aver.splits.check import check_split
from aver.splits.split import PARTS, Fold, Split

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
                {part: list(ids) for part, ids in fold.parts().items()} for fold in split.folds
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
    if not isinstance(value, dict) or set(value) != set(PARTS):
        raise SplitError(f"Fold {number} must have exactly the keys {', '.join(PARTS)}.")
    return Fold(**{part: _texts(value[part], f"{part!r} of fold {number}") for part in PARTS})


def _texts(value: Any, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SplitError(f"{what} must be a list of texts.")
    return tuple(value)
