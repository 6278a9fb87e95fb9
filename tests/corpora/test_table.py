"""CSV tables."""

from __future__ import annotations

import pytest

from aver.corpora.files import read_table
from aver.errors import CorpusError


def test_values(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes('\ufeffa, b\n1 ,"x, ""y"""\n2\n'.encode())

    table = read_table(path, ["a"])

    assert table.columns == ("a", "b")
    assert table.rows == ((2, {"a": "1", "b": 'x, "y"'}), (3, {"a": "2", "b": ""}))


def test_faults(tmp_path):
    path = tmp_path / "t.csv"
    with pytest.raises(CorpusError, match="cannot be read"):
        read_table(path)
    path.write_bytes(b"a\n\xff\xfe\n")
    with pytest.raises(CorpusError, match="UTF-8"):
        read_table(path)
    path.write_text("")
    with pytest.raises(CorpusError, match=r"no column .a.\. It has: none"):
        read_table(path, ["a"])
