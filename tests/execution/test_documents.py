"""JSON, YAML and tables of unknown origin take bounded memory."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest
import yaml

from aver.execution.documents import parse_json, parse_yaml, read_document, read_json, table_lines

LAUGHS = "a0: &a0 [lol, lol]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


def test_a_document_is_read_with_and_without_a_byte_order_mark(tmp_path: Path) -> None:
    value = {"speakers": ["Jürgen", "Zoë"], "folds": [[1, 2], [3]]}
    for encoding in ("utf-8", "utf-8-sig"):
        (tmp_path / "a.json").write_text(json.dumps(value, ensure_ascii=False), encoding=encoding)
        assert read_json(tmp_path / "a.json") == value


def test_references_are_read_unless_they_multiply() -> None:
    assert parse_yaml("a: &a [1]\nb: *a") == {"a": [1], "b": [1]}
    with pytest.raises(yaml.YAMLError, match="values; at most 1,000,000 are read"):
        parse_yaml(LAUGHS)


def test_a_document_that_contains_itself_is_refused() -> None:
    with pytest.raises(yaml.YAMLError, match="values; at most"):
        parse_yaml("a: &a [1, *a]")


@pytest.mark.parametrize("text", ["[" * 20_000, "[" * 20_000 + "]" * 20_000, '{"a":' * 20_000])
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json(text)
    with pytest.raises(yaml.YAMLError, match="nested too deeply"):
        parse_yaml(text[:4000])


def test_what_is_too_large_or_no_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(ValueError, match="1,073,741,824 bytes"):
        read_document(tmp_path / "large.json")
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(ValueError, match="a device, a pipe or a socket"):
        read_document(tmp_path / "pipe.json")
    with pytest.raises(IsADirectoryError):
        read_document(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_document(tmp_path / "nowhere.json")


def test_a_line_of_a_table_has_a_limit() -> None:
    rows = 'file,emotion\n"a\nb.wav",sad\n'
    expected = [["file", "emotion"], ["a\nb.wav", "sad"]]
    assert list(csv.reader(table_lines(io.StringIO(rows)))) == expected
    with pytest.raises(csv.Error, match="line 2 has more than 16,777,216 characters"):
        list(table_lines(io.StringIO("file\n" + "a" * 2**25)))
