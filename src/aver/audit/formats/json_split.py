"""`read_json_split`: a whole split in one JSON value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aver.audit.formats.json_rows import rows_of_json
from aver.audit.formats.row import Row
from aver.audit.part_words import fold_in_name, part_in_name, part_of_word
from aver.audit.pieces import Pieces, deal_by_columns

_CLIPS = frozenset({
    "set", "list", "split", "part", "files", "file", "clips", "clip", "ids", "id", "names",
    "name", "data", "samples", "utterances", "utts", "items", "paths", "wavs", "videos",
})  # fmt: skip
"""Words that say beside a part's that its clips follow."""
_OTHER_THINGS = frozenset({
    "leaks", "class", "classes", "label", "labels", "emotion", "emotions", "speaker",
    "speakers", "actor", "actors", "subject", "subjects", "columns", "features", "authors",
    "author", "notes", "tags", "keywords",
})  # fmt: skip
"""Words of lists that hold no clips."""


def read_json_split(
    value: Any, path: Path, columns: Mapping[str, str]
) -> tuple[str, Pieces, tuple[Row, ...]]:
    """Folds of parts, parts, folds tested in turn, or records with a column that says the part.

    Parameters
    ----------
    value : any
        What the file holds.
    path : Path
        For messages.
    columns : mapping of str to str
        What keys are called, where the usual names do not tell.

    Returns
    -------
    str
        The form in words.
    Pieces
        Rows by fold and part.
    tuple of Row
        Rows of lists under words that name no part, with that word as their part.

    Raises
    ------
    SplitError
        If records name no clip, or nothing says their part.
    """
    folds, form, rest = _folds_in(value)
    if not folds:
        rows = _in_turn(value, path, columns) or rows_of_json(value, path, columns)
        return "JSON of records", *deal_by_columns(rows, path)
    pieces: Pieces = {}
    untold = [row for word, inner in rest.items() for row in _under(word, inner, path, columns)]
    for number, fold in enumerate(folds):
        parts = pieces.setdefault(number, {})
        for word, inner in fold.items():
            part = _part_of_key(str(word))
            if part is not None:
                parts.setdefault(part, []).extend(rows_of_json(inner, path, columns))
            else:
                untold += _under(str(word), inner, path, columns)
    told = {row.name for parts in pieces.values() for rows in parts.values() for row in rows}
    return form, pieces, tuple(row for row in untold if row.name not in told)


def _folds_in(value: Any) -> tuple[list[Mapping[str, Any]], str, Mapping[str, Any]]:
    """Mappings from parts to lists, the form in words, and what stands beside the folds."""
    rest: Mapping[str, Any] = {}
    if isinstance(value, dict) and isinstance(value.get("folds"), (list, dict)):
        rest = {key: inner for key, inner in value.items() if key != "folds"}
        value = value["folds"]
    if _keyed_by_part(value):
        return [value], "JSON of parts", rest
    if isinstance(value, dict):
        folds = [inner for inner in value.values() if _keyed_by_part(inner)]
        beside = {key: inner for key, inner in value.items() if not _keyed_by_part(inner)}
        return folds, "JSON of folds", {**rest, **beside}
    if isinstance(value, list) and value and all(_keyed_by_part(fold) for fold in value):
        return value, "JSON of folds", rest
    return [], "", {}


def _keyed_by_part(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return any(_part_of_key(str(key)) and isinstance(value[key], (list, dict)) for key in value)


def _part_of_key(key: str) -> str | None:
    """The part that a key means, such as ``val`` and ``test_files``, but not ``test_speakers``."""
    part = part_of_word(key)
    if part is not None:
        return part
    others = [word for word in _words_of(key) if part_of_word(word) is None]
    return part_in_name(key) if all(word in _CLIPS for word in others) else None


def _words_of(key: str) -> list[str]:
    return [word.lower() for word in re.split(r"[^A-Za-z]+", key) if word]


def _under(word: str, value: Any, path: Path, columns: Mapping[str, str]) -> list[Row]:
    """Rows of a list under a word that names no part; none where it lists no clips."""
    listed = isinstance(value, list) or (
        isinstance(value, dict) and all(isinstance(inner, dict) for inner in value.values())
    )
    if not listed or _OTHER_THINGS & set(_words_of(word)):
        return []
    return [replace(row, part=word) for row in rows_of_json(value, path, columns)]


def _in_turn(value: Any, path: Path, columns: Mapping[str, str]) -> list[Row]:
    """Rows of lists under ``fold_1``, ``fold_2``, ..., each of which is tested in turn."""
    if not isinstance(value, dict) or len(value) < 2:
        return []
    if not all(
        isinstance(inner, list) and (fold_in_name(str(key)) is not None or str(key).isdigit())
        for key, inner in value.items()
    ):
        return []
    return [
        replace(row, fold=str(key))
        for key, inner in value.items()
        for row in rows_of_json(inner, path, columns)
    ]
