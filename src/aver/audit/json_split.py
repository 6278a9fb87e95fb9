"""`read_json_split`: a whole split in one JSON file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aver.audit.folds import Folds, assign_rows
from aver.audit.names import fold_in_name, subset_in_name, subset_of_word
from aver.audit.rows import Row, rows_of_json

_WORDS_FOR_CLIPS = frozenset({
    "set", "list", "split", "subset", "part", "files", "file", "clips", "clip", "ids", "id",
    "names", "name", "data", "samples", "utterances", "utts", "items", "paths", "wavs", "videos",
})  # fmt: skip
"""Words that may stand beside the word for a subset in the key of its clips."""
_WORDS_FOR_OTHER_THINGS = frozenset({
    "leaks", "class", "classes", "label", "labels", "emotion", "emotions", "speaker",
    "speakers", "actor", "actors", "subject", "subjects", "columns", "features", "authors",
    "author", "notes", "tags", "keywords",
})  # fmt: skip
"""Words in the keys of lists that hold no clips."""


def read_json_split(
    value: Any, path: Path, columns: Mapping[str, str]
) -> tuple[str, Folds, tuple[Row, ...]]:
    """Read folds of subsets, one fold, folds tested in turn, or records with a subset each.

    Parameters
    ----------
    value : any
        The content of the file.
    path : Path
        For messages.
    columns : mapping of str to str
        Names of keys, see `aver.audit.rows.read_list_file`.

    Returns
    -------
    str
        The form, for reports.
    Folds
    tuple of Row
        Rows of lists under keys that name no subset, with that key as their subset.

    Raises
    ------
    SplitError
        If records name no clip, or nothing gives their subset.
    """
    subsets_by_fold, form, rest = _find_folds(value)
    if not subsets_by_fold:
        rows = _folds_in_turn(value, path, columns) or rows_of_json(value, path, columns)
        return "JSON of records", *assign_rows(rows, path)
    folds: Folds = {}
    others = [row for key, inner in rest.items() for row in _under(key, inner, path, columns)]
    for number, subsets in enumerate(subsets_by_fold):
        fold = folds.setdefault(number, {})
        for key, inner in subsets.items():
            subset = _subset_of_key(str(key))
            if subset is not None:
                fold.setdefault(subset, []).extend(rows_of_json(inner, path, columns))
            else:
                others += _under(str(key), inner, path, columns)
    assigned = {row.name for fold in folds.values() for rows in fold.values() for row in rows}
    return form, folds, tuple(row for row in others if row.name not in assigned)


def _find_folds(value: Any) -> tuple[list[Mapping[str, Any]], str, Mapping[str, Any]]:
    """Mappings from subsets to lists, the form, and what stands beside the folds."""
    rest: Mapping[str, Any] = {}
    if isinstance(value, dict) and isinstance(value.get("folds"), (list, dict)):
        rest = {key: inner for key, inner in value.items() if key != "folds"}
        value = value["folds"]
    if _has_subsets(value):
        return [value], "JSON of subsets", rest
    if isinstance(value, dict):
        folds = [inner for inner in value.values() if _has_subsets(inner)]
        beside = {key: inner for key, inner in value.items() if not _has_subsets(inner)}
        return folds, "JSON of folds", {**rest, **beside}
    if isinstance(value, list) and value and all(_has_subsets(fold) for fold in value):
        return value, "JSON of folds", rest
    return [], "", {}


def _has_subsets(value: Any) -> bool:
    return isinstance(value, dict) and any(
        _subset_of_key(str(key)) and isinstance(inner, (list, dict)) for key, inner in value.items()
    )


def _subset_of_key(key: str) -> str | None:
    """The subset that a key means: ``val`` and ``test_files`` do, ``test_speakers`` does not."""
    subset = subset_of_word(key)
    if subset is not None:
        return subset
    others = [word for word in _words(key) if subset_of_word(word) is None]
    return subset_in_name(key) if all(word in _WORDS_FOR_CLIPS for word in others) else None


def _words(key: str) -> list[str]:
    return [word.lower() for word in re.split(r"[^A-Za-z]+", key) if word]


def _under(key: str, value: Any, path: Path, columns: Mapping[str, str]) -> list[Row]:
    """Rows of a list under a key that names no subset; none if it is not a list of clips."""
    is_list = isinstance(value, list) or (
        isinstance(value, dict) and all(isinstance(inner, dict) for inner in value.values())
    )
    if not is_list or _WORDS_FOR_OTHER_THINGS & set(_words(key)):
        return []
    return [replace(row, subset=key) for row in rows_of_json(value, path, columns)]


def _folds_in_turn(value: Any, path: Path, columns: Mapping[str, str]) -> list[Row]:
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
