"""JSON, YAML and lines of tables from files of unknown origin, in bounded memory.

A file that is too long, nested too deeply, or that refers to its own parts too often is an error of
the same type as a file that is no JSON, YAML or CSV.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import yaml

_LARGEST_BYTES = 256 * 2**20  # the split of a million clips has about 60 MB
_LONGEST_LINE = 2**24  # characters; a row of FER2013 has 9,000
_MOST_VALUES = 1_000_000  # of a YAML document, with its references written out
_TOO_DEEP = "it is nested too deeply"


def read_document(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte-order mark.

    Parameters
    ----------
    path : Path
        With at most 256 MiB.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is too large, no ordinary file, or not in UTF-8.
    """
    status = path.stat()
    if not (path.is_file() or path.is_dir()):  # reading a folder raises an OSError
        raise ValueError("it is a device, a pipe or a socket")
    if status.st_size > _LARGEST_BYTES:
        raise ValueError(
            f"it has {status.st_size:,} bytes, more than the {_LARGEST_BYTES:,} that are read"
        )
    return path.read_text(encoding="utf-8-sig")


def parse_json(text: str) -> Any:
    """The value of a JSON text.

    Raises
    ------
    ValueError
        If it is not valid, or nested too deeply.

    Examples
    --------
    >>> parse_json("[" * 100_000)
    Traceback (most recent call last):
    ValueError: it is nested too deeply
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def read_json(path: Path) -> Any:
    """The value of a JSON file.

    Raises
    ------
    OSError, ValueError
        As `read_document` and `parse_json`.
    """
    return parse_json(read_document(path))


def parse_yaml(text: str, loader: Any = yaml.SafeLoader) -> Any:
    r"""The value of a YAML text.

    Parameters
    ----------
    text : str
    loader : type of loader
        ``yaml.SafeLoader``, or ``yaml.BaseLoader``, which keeps every scalar as text.

    Raises
    ------
    yaml.YAMLError
        If it is not valid, nested too deeply, contains itself, or has more than a million values
        when its references (``*name``) are written out.

    Examples
    --------
    >>> parse_yaml("rates: &rates [8, 16]\nothers: *rates")
    {'rates': [8, 16], 'others': [8, 16]}
    """
    try:
        value = yaml.load(text, Loader=loader)
        values = _count(value, {})
    except RecursionError:
        raise yaml.YAMLError(_TOO_DEEP) from None
    except ValueError as error:  # a date such as 2001-99-99
        raise yaml.YAMLError(str(error)) from None
    if values > _MOST_VALUES:
        raise yaml.YAMLError(f"it has {values:,} values; at most {_MOST_VALUES:,} are read")
    return value


def _count(value: Any, counted: dict[int, int]) -> int:
    """Values in a document; each list or mapping is counted as often as it is referred to."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in counted:
        counted[id(value)] = _MOST_VALUES + 1  # while counting: a reference to it contains itself
        parts = value.values() if isinstance(value, dict) else value
        counted[id(value)] = 1 + sum(_count(part, counted) for part in parts)
    return counted[id(value)]


def table_lines(file: TextIO) -> Iterator[str]:
    """The lines of an open table, for `csv.reader`.

    Raises
    ------
    csv.Error
        If a line has more than 16 million characters.
    """
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise csv.Error(f"line {number} has more than {_LONGEST_LINE:,} characters")
        yield line
