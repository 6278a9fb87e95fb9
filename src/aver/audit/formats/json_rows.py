"""`rows_of_json`: rows of a JSON list, or of a JSON mapping from ids to records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aver.audit.formats.row import Row, row_of
from aver.audit.known_names import canonical_label
from aver.audit.part_words import is_part_word
from aver.emotions import EMOTIONS
from aver.errors import SplitError

_FILE = re.compile(r".*[/\\].*|.*\.[A-Za-z][A-Za-z0-9]{1,4}")


def rows_of_json(value: Any, path: Path, columns: Mapping[str, str]) -> list[Row]:
    """Rows of anything that JSON lists of clips look like.

    Parameters
    ----------
    value : any
        A list of paths, of numbers, of records or of pairs ``[path, label]``; a mapping from ids to
        records, to files, to labels or to parts; a mapping from classes to such lists.
    path : Path
        Of the list, for messages.
    columns : mapping of str to str
        What keys are called, where the usual names do not tell.

    Raises
    ------
    SplitError
        If some records name a clip and others do not, or a named column is in none.
    """
    if isinstance(value, dict):
        return list(_of_mapping(value, path, columns))
    if isinstance(value, list):
        return rows_of_records(value, path, columns)
    return []


def rows_of_records(records: Sequence[Any], path: Path, columns: Mapping[str, str]) -> list[Row]:
    """Rows of records in their order; records without any content are passed over.

    Raises
    ------
    SplitError
        If some records name a clip and others do not, or a named column is in none.
    """
    check_columns(records, path, columns)
    filled = [(n, record) for n, record in enumerate(records, start=1) if not _is_empty(record)]
    found = [(number, _of_record(record, columns)) for number, record in filled]
    nameless = [number for number, row in found if row is None]
    rows = [row for _, row in found if row is not None]
    if rows and nameless:
        raise SplitError(
            f"{path}: {len(nameless)} of {len(found)} records name no clip; the first of them is "
            f"record {nameless[0]}. Give each a name or a path, or take them off the list."
        )
    return rows


def check_columns(records: Sequence[Any], path: Path, columns: Mapping[str, str]) -> None:
    """Refuse columns that the user names and no record has.

    Raises
    ------
    SplitError
        If there are records, and a column is in none of them.
    """
    keys = {str(key).strip() for record in records if isinstance(record, dict) for key in record}
    known = {key.lower() for key in keys}
    missing = [name for name in columns.values() if name.lower() not in known]
    if keys and missing:
        raise SplitError(
            f"{path} has no column {missing[0]!r}. It has: {', '.join(sorted(keys))[:300]}."
        )


def _is_empty(record: Any) -> bool:
    if isinstance(record, dict):
        return all(value is None or str(value).strip() == "" for value in record.values())
    return record is None or record == ""


def _of_record(record: Any, columns: Mapping[str, str]) -> Row | None:
    if isinstance(record, dict):
        return row_of(record, columns)
    if isinstance(record, list) and record and isinstance(record[0], str):
        label = record[1] if len(record) == 2 else None
        return _labelled(record[0], label)
    return Row(str(record), str(record)) if isinstance(record, (str, int)) else None


def _labelled(name: str, label: Any) -> Row:
    """A clip with its label; a number may be a class, or anything."""
    word = label.strip() if isinstance(label, str) else ""
    return Row(name, name, {"emotion": word} if word and not word.isdigit() else {})


def _of_mapping(value: Mapping[str, Any], path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    check_columns([one for one in value.values() if not _holds_records(one)], path, columns)
    if not any(isinstance(record, (dict, list)) for record in value.values()):
        for key, word in value.items():
            yield _of_pair(str(key), word)
        return
    lists = any(isinstance(record, list) for record in value.values())
    for key, record in value.items():  # what stands beside lists or records tells of the whole
        if isinstance(record, list) or _holds_records(record):
            label = canonical_label(str(key))
            facts = {"emotion": label} if label in EMOTIONS else {}
            for row in rows_of_json(record, path, columns):
                yield replace(row, fields={**facts, **row.fields})
        elif isinstance(record, dict) and not lists:
            named = row_of(record, columns, str(key))
            if named is not None:
                yield named


def _holds_records(record: Any) -> bool:
    return (
        isinstance(record, dict)
        and bool(record)
        and all(isinstance(inner, dict) for inner in record.values())
    )


def _of_pair(key: str, word: Any) -> Row:
    """An id with its part, its file, or its label."""
    if isinstance(word, str) and is_part_word(word):
        return Row(key, key, part=word)
    if isinstance(word, str) and _FILE.fullmatch(word.strip()):
        return Row(key, word.strip())
    return _labelled(key, word)
