"""`read_list_file`: rows of one list in CSV, TSV, JSON, JSON lines, text or Kaldi's scp."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aver.audit.formats.row import Row, row_of
from aver.errors import SplitError

SUFFIXES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt", ".lst", ".scp"})
"""Files that `read_list_file` reads."""


def read_list_file(path: Path, columns: Mapping[str, str]) -> list[Row]:
    """Read a list of clips in any of the usual forms.

    Parameters
    ----------
    path : Path
        With one of `SUFFIXES`.
    columns : mapping of str to str
        What columns are called, where the usual names do not tell.

    Raises
    ------
    SplitError
        If the file cannot be read, is broken, or names no clips.
    """
    text = read_text(path)
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        rows = list(_from_table(text, "\t" if suffix == ".tsv" else ",", columns))
    elif suffix in (".jsonl", ".ndjson"):
        rows = list(_from_records((parse_json(line, path) for line in _lines(text)), columns))
    elif suffix == ".json":
        rows = rows_of_json(parse_json(text, path), columns)
    else:
        rows = [_of_line(line, suffix == ".scp") for line in _lines(text)]
    if not rows:
        raise SplitError(
            f"{path} names no clips. A list needs a column (or key) such as 'path', 'wav', 'file', "
            "'name' or 'id'; say which with --column path=YOURS."
        )
    return rows


def rows_of_json(value: Any, columns: Mapping[str, str]) -> list[Row]:
    """Rows of a JSON list of paths or records, or of a mapping from ids to records."""
    if isinstance(value, dict):
        pairs = ((str(key), record) for key, record in value.items() if isinstance(record, dict))
        return [row for key, record in pairs if (row := row_of(record, columns, key)) is not None]
    if isinstance(value, list):
        return list(_from_records(iter(value), columns))
    return []


def read_text(path: Path) -> str:
    """The text of a file.

    Raises
    ------
    SplitError
        If it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SplitError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SplitError(f"{path} is no text in UTF-8: {error.reason}.") from error


def parse_json(text: str, path: Path) -> Any:
    """The value of a JSON text.

    Raises
    ------
    SplitError
        If it is broken.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise SplitError(f"{path} is not valid JSON: {error}.") from error


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line.strip())


def _from_table(text: str, delimiter: str, columns: Mapping[str, str]) -> Iterator[Row]:
    header = text.partition("\n")[0]
    if delimiter not in header and ";" in header:  # as spreadsheets write where 0,5 is a number
        delimiter = ";"
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter, restval="")
    for record in reader:
        record.pop(None, None)
        row = row_of(record, columns)
        if row is not None:
            yield row


def _from_records(records: Iterator[Any], columns: Mapping[str, str]) -> Iterator[Row]:
    for record in records:
        if isinstance(record, str):
            yield Row(record, record)
        elif isinstance(record, dict):
            row = row_of(record, columns)
            if row is not None:
                yield row


def _of_line(line: str, keyed: bool) -> Row:
    """``path``, ``path label``, or Kaldi's ``id path-or-command``."""
    words = line.split(maxsplit=1)
    if keyed and len(words) == 2:
        return Row(words[0], words[1].split("|")[0].split()[-1])
    label = words[1].strip() if len(words) == 2 else ""
    if " " in label or not label:  # a path with spaces, or nothing but a path
        return Row(line.strip(), line.strip())
    # A number may be a class, or anything: only words are taken for labels.
    return Row(words[0], words[0], {} if label.isdigit() else {"emotion": label})
