"""`Pieces`: rows of a list dealt to folds and parts, by columns that say where each belongs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from aver.audit.formats.row import Row
from aver.audit.part_words import part_in_name, part_of_word
from aver.errors import SplitError

Pieces = dict[int, dict[str, list[Row]]]
"""Rows by number of the fold (0 where there is one only) and part."""


def deal_by_columns(rows: Sequence[Row], path: Path) -> tuple[Pieces, tuple[Row, ...]]:
    """Deal rows by their cells of part and fold.

    A column of parts gives one fold. A column of folds gives as many, each tested in turn. With
    both, the parts are those of each fold where clips are listed once per fold; where every clip is
    listed once only, the folds are somebody's division of a part, and the parts count.

    Parameters
    ----------
    rows : sequence of Row
    path : Path
        Of the list, for messages.

    Returns
    -------
    Pieces
    tuple of Row
        Rows whose cell names no part that is known; they are in no part.

    Raises
    ------
    SplitError
        If there is neither column.
    """
    if any(row.part for row in rows):
        return _by_parts(rows)
    folds = sorted({row.fold for row in rows if row.fold})
    if not folds:
        raise SplitError(
            f"{path} does not say which part a clip belongs to. Name a column 'part' or 'fold', or "
            "say what it is called with --column part=YOURS; or give one list per part."
        )
    pieces = {
        number: {
            "train": [row for row in rows if row.fold not in ("", fold)],
            "test": [row for row in rows if row.fold == fold],
        }
        for number, fold in enumerate(folds)
    }
    return pieces, ()


def _by_parts(rows: Sequence[Row]) -> tuple[Pieces, tuple[Row, ...]]:
    folds_of: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        folds_of[row.name].add(row.fold)
    several = any(len(folds) > 1 for folds in folds_of.values())
    numbers = {fold: number for number, fold in enumerate(sorted({row.fold for row in rows}))}
    pieces: Pieces = {0: {}}
    untold = []
    for row in rows:
        part = part_of_word(row.part) or part_in_name(row.part)
        if part is None:
            untold.append(row)
            continue
        fold = pieces.setdefault(numbers[row.fold] if several else 0, {})
        fold.setdefault(part, []).append(row)
    return {number: parts for number, parts in pieces.items() if parts}, tuple(untold)


def name_clips_apart(pieces: Pieces) -> Pieces:
    """Name clips by their files where what a list calls ids does not tell clips apart.

    A column of ids that repeats within one part under several files is none (a speaker's name, a
    dialogue's number). A running number (``utt_12``) that stands for several files, or that several
    speakers have without naming files, is counted anew in every list or for every speaker. Numbers
    that stand for other words in another part are counted anew in every part.

    Returns
    -------
    Pieces
        The same rows, with other names where needed.

    Raises
    ------
    SplitError
        If running numbers name several clips of one part, and nothing tells them apart.
    """
    by_part: dict[tuple[int, str, str], set[str]] = defaultdict(set)
    files: dict[str, set[str]] = defaultdict(set)
    speakers: dict[str, set[str]] = defaultdict(set)
    for number, part, row in _every(pieces):
        by_part[number, part, row.name].add(row.path)
        files[row.name].add(row.path)
        speakers[row.name].add(row.fields.get("speaker", ""))
    no_ids = any(len(paths) > 1 for paths in by_part.values())

    def named(row: Row, part: str) -> Row:
        if len(files[row.name]) > 1 and (no_ids or row.is_running_number):
            return replace(row, name=row.path)
        if row.path == row.name and row.is_running_number and len(speakers[row.name] - {""}) > 1:
            name = f"{row.fields.get('speaker', '')} {row.name}".strip()
            return replace(row, name=name, path=name)
        return row

    pieces = _each(pieces, named)
    if _counted_anew(pieces):
        pieces = _each(pieces, _within_part)
    _check_numbers(pieces)
    return pieces


def _every(pieces: Pieces) -> Iterator[tuple[int, str, Row]]:
    for number, parts in pieces.items():
        for part, rows in parts.items():
            for row in rows:
                yield number, part, row


def _each(pieces: Pieces, change: Callable[[Row, str], Row]) -> Pieces:
    return {
        number: {part: [change(row, part) for row in rows] for part, rows in parts.items()}
        for number, parts in pieces.items()
    }


def _only_counts(row: Row) -> bool:
    return row.is_counted or (row.path == row.name and row.is_running_number)


def _counted_anew(pieces: Pieces) -> bool:
    """Whether a number names different clips in two parts."""
    first: dict[str, tuple[str, Row]] = {}
    for _, part, row in _every(pieces):
        if _only_counts(row):
            where, other = first.setdefault(row.name, (part, row))
            if where != part and _said(row) != _said(other):
                return True
    return False


def _within_part(row: Row, part: str) -> Row:
    """The row, named apart from the same number in other parts, or folds."""
    if not _only_counts(row):
        return row
    where = row.fold if row.fold and not row.part else part
    fields = dict(row.fields)
    if row.is_counted:
        fields["performance"] = f"{where} {fields['performance']}"
    name, path = f"{where}/{row.name}", f"{where}/{row.path}"
    return replace(row, name=name, path=path, fields=fields, is_counted=True)


def _said(row: Row) -> tuple[str, ...]:
    """Who says what: equal for one clip, wherever it is listed."""
    return tuple(row.fields.get(what, "").lower() for what in ("speaker", "sentence"))


def _check_numbers(pieces: Pieces) -> None:
    said: dict[tuple[int, str, str], tuple[str, ...]] = {}
    for number, part, row in _every(pieces):
        if not _only_counts(row) or said.setdefault((number, part, row.name), _said(row)) == _said(
            row
        ):
            continue
        raise SplitError(
            f"Several clips of {part} are called {row.name!r}: numbers alone do not name them. Say "
            "which columns do: --column name=YOURS, or path=YOURS, or name=NUMBER performance=WHOLE"
            " for the number of a piece and the recording that it was cut from."
        )
