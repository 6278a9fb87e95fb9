"""CSV tables that come with corpora or are written by users."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from aver.errors import CorpusError


@dataclass(frozen=True)
class Table:
    """Rows of text by column, with the number of the line that each ends on."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]


def read_table(path: Path, needed: Collection[str] = ()) -> Table:
    """Read a CSV file with a header.

    Parameters
    ----------
    path : Path
        In UTF-8, with or without a byte-order mark.
    needed : collection of str
        Columns that must be there.

    Returns
    -------
    Table
        Values without surrounding spaces; cells that a short row lacks are empty.

    Raises
    ------
    CorpusError
        If the file cannot be read, is no CSV in UTF-8, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle, restval="")
            columns = tuple(name.strip() for name in reader.fieldnames or ())
            rows = tuple(
                (
                    reader.line_num,
                    {key.strip(): value.strip() for key, value in row.items() if key is not None},
                )
                for row in reader
            )
    except OSError as error:
        raise CorpusError(f"The table {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"The table {path} is not a CSV file in UTF-8: {error}.") from error
    for column in needed:
        if column not in columns:
            raise CorpusError(
                f"The table {path} has no column {column!r}. It has: "
                f"{', '.join(columns) or 'none'}."
            )
    return Table(path, columns, rows)
