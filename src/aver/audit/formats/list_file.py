"""`read_list_file`: rows of one list in CSV, TSV, JSON, JSON lines, text or Kaldi's scp."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aver.audit.formats.json_rows import rows_of_json, rows_of_records
from aver.audit.formats.row import Row
from aver.audit.known_names import canonical_label
from aver.audit.part_words import is_part_word
from aver.emotions import EMOTIONS
from aver.errors import SplitError

SUFFIXES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt", ".lst", ".scp"})
"""Files that `read_list_file` reads."""

_CELLS = re.compile(r"[;|,\t]")
_FILE = re.compile(r".+\.[A-Za-z][A-Za-z0-9]{1,4}")


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
        records = _records(text, "\t" if suffix == ".tsv" else ",")
        rows = rows_of_records(records, path, columns)
    elif suffix in (".jsonl", ".ndjson"):
        rows = rows_of_records([parse_json(line, path) for line in lines_of(text)], path, columns)
    elif suffix == ".json":
        rows = rows_of_json(parse_json(text, path), path, columns)
    else:
        rows = [_of_line(line, suffix == ".scp") for line in lines_of(text)]
    if not rows:
        raise SplitError(
            f"{path} names no clips.{_columns_of(text, suffix)} A list needs a column (or key) such"
            " as 'path', 'wav', 'file', 'name' or 'id'; say which with --column path=YOURS."
        )
    return rows


def _columns_of(text: str, suffix: str) -> str:
    header = text.partition("\n")[0].strip()
    return f" Its first line is: {header[:200]}." if suffix in (".csv", ".tsv") and header else ""


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


def lines_of(text: str) -> Iterator[str]:
    """Lines that hold anything; what is said may hold other signs that end lines in Unicode."""
    return (line.rstrip("\r") for line in text.split("\n") if line.strip())


def _records(text: str, delimiter: str) -> list[dict[str, str]]:
    header = text.partition("\n")[0]
    if delimiter not in header:  # spreadsheets write semicolons where 0,5 is a number
        delimiter = next((sign for sign in ";\t|," if sign in header), delimiter)
    # Whole lines, not split ones: what is said may hold line breaks between quotes.
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    records = list(reader)
    for record in records:
        record.pop(None, None)
    return records


def _of_line(line: str, keyed: bool) -> Row:
    """``path``, ``path label``, ``path;label;part``, or Kaldi's ``id path-or-command``."""
    words = line.split(maxsplit=1)
    if keyed and len(words) == 2:
        return Row(words[0], words[1].split("|")[0].split()[-1])
    cells = [cell.strip() for cell in _CELLS.split(line.strip())]
    if len(cells) > 1 and _FILE.fullmatch(cells[0]):
        return _of_cells(cells)
    label = words[1].strip() if len(words) == 2 else ""
    if " " in label or not label:  # a path with spaces, or nothing but a path
        return Row(line.strip(), line.strip())
    # A number may be a class, or anything: only words are taken for labels.
    return Row(words[0], words[0], {} if label.isdigit() else {"emotion": label})


def _of_cells(cells: list[str]) -> Row:
    """A file, and behind it other files, labels and parts in any order."""
    labels = [label for cell in cells[1:] if (label := canonical_label(cell)) in EMOTIONS]
    parts = [cell for cell in cells[1:] if is_part_word(cell)]
    facts = {"emotion": labels[0]} if labels else {}
    return Row(cells[0], cells[0], facts, part=parts[0] if parts else "")
