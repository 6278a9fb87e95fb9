"""`assign_rows`: from the rows of a list to folds and subsets, with one name per clip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from aver.audit.names import subset_in_name, subset_of_word
from aver.audit.rows import Row
from aver.errors import SplitError

Folds = dict[int, dict[str, list[Row]]]
"""Rows by number of the fold (0 if there is only one) and subset."""


def assign_rows(rows: Sequence[Row], path: Path) -> tuple[Folds, tuple[Row, ...]]:
    """Assign rows to folds and subsets by their cells.

    A column of subsets gives one fold. A column of folds gives as many folds, each tested in turn.
    With both, each fold has its own subsets if clips are listed once per fold; if every clip is
    listed only once, the folds divide a subset further, and only the subsets count.

    Parameters
    ----------
    rows : sequence of Row
    path : Path
        Of the list, for messages.

    Returns
    -------
    Folds
    tuple of Row
        Rows whose cell names no known subset; they are in no subset.

    Raises
    ------
    SplitError
        If there is neither column.
    """
    if any(row.subset for row in rows):
        return _by_subsets(rows)
    names = sorted({row.fold for row in rows if row.fold})
    if not names:
        raise SplitError(
            f"{path} does not say which subset a clip belongs to. Name a column 'subset' or "
            "'fold', or give its name with --column subset=NAME; or give one list per subset."
        )
    folds = {
        number: {
            "train": [row for row in rows if row.fold not in ("", name)],
            "test": [row for row in rows if row.fold == name],
        }
        for number, name in enumerate(names)
    }
    return folds, ()


def _by_subsets(rows: Sequence[Row]) -> tuple[Folds, tuple[Row, ...]]:
    folds_of: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        folds_of[row.name].add(row.fold)
    several = any(len(names) > 1 for names in folds_of.values())
    numbers = {name: number for number, name in enumerate(sorted({row.fold for row in rows}))}
    folds: Folds = {0: {}}
    unassigned = []
    for row in rows:
        subset = subset_of_word(row.subset) or subset_in_name(row.subset)
        if subset is None:
            unassigned.append(row)
        else:
            fold = folds.setdefault(numbers[row.fold] if several else 0, {})
            fold.setdefault(subset, []).append(row)
    return {number: fold for number, fold in folds.items() if fold}, tuple(unassigned)


def name_clips(folds: Folds) -> Folds:
    """Rename clips whose ids do not identify them.

    A column of ids that repeats within one subset for several files is not one (the name of a
    speaker, the number of a dialogue); then the file is the name. A running number (``utt_12``)
    that several files have, or several speakers without files, starts again in every list or for
    every speaker. A number that belongs to other words in another subset starts again in every
    subset.

    Returns
    -------
    Folds
        The same rows, with other names if needed.

    Raises
    ------
    SplitError
        If running numbers name several clips of one subset, and nothing distinguishes them.
    """
    by_subset: dict[tuple[int, str, str], set[str]] = defaultdict(set)
    files: dict[str, set[str]] = defaultdict(set)
    speakers: dict[str, set[str]] = defaultdict(set)
    for number, subset, row in _every(folds):
        by_subset[number, subset, row.name].add(row.path)
        files[row.name].add(row.path)
        speakers[row.name].add(row.fields.get("speaker", ""))
    no_ids = any(len(paths) > 1 for paths in by_subset.values())

    def named(row: Row, subset: str) -> Row:
        if len(files[row.name]) > 1 and (no_ids or row.is_running_number):
            return replace(row, name=row.path)
        if row.path == row.name and row.is_running_number and len(speakers[row.name] - {""}) > 1:
            name = f"{row.fields.get('speaker', '')} {row.name}".strip()
            return replace(row, name=name, path=name)
        return row

    folds = _map(folds, named)
    if _start_again(folds):
        folds = _map(folds, _within_subset)
    _check_numbers(folds)
    return folds


def _every(folds: Folds) -> Iterator[tuple[int, str, Row]]:
    for number, subsets in folds.items():
        for subset, rows in subsets.items():
            for row in rows:
                yield number, subset, row


def _map(folds: Folds, change: Callable[[Row, str], Row]) -> Folds:
    return {
        number: {subset: [change(row, subset) for row in rows] for subset, rows in subsets.items()}
        for number, subsets in folds.items()
    }


def _is_number(row: Row) -> bool:
    return row.is_counted or (row.path == row.name and row.is_running_number)


def _speaker_and_sentence(row: Row) -> tuple[str, str]:
    """Equal for the same clip wherever it is listed."""
    return row.fields.get("speaker", "").lower(), row.fields.get("sentence", "").lower()


def _start_again(folds: Folds) -> bool:
    """Whether a number names different clips in two subsets."""
    first: dict[str, tuple[str, Row]] = {}
    for _, subset, row in _every(folds):
        if _is_number(row):
            where, other = first.setdefault(row.name, (subset, row))
            if where != subset and _speaker_and_sentence(row) != _speaker_and_sentence(other):
                return True
    return False


def _within_subset(row: Row, subset: str) -> Row:
    """The row, with a name that differs from the same number in other subsets or folds."""
    if not _is_number(row):
        return row
    where = row.fold if row.fold and not row.subset else subset
    fields = dict(row.fields)
    if row.is_counted:
        fields["performance"] = f"{where} {fields['performance']}"
    name, path = f"{where}/{row.name}", f"{where}/{row.path}"
    return replace(row, name=name, path=path, fields=fields, is_counted=True)


def _check_numbers(folds: Folds) -> None:
    first: dict[tuple[int, str, str], tuple[str, str]] = {}
    for number, subset, row in _every(folds):
        if not _is_number(row):
            continue
        content = _speaker_and_sentence(row)
        if first.setdefault((number, subset, row.name), content) != content:
            raise SplitError(
                f"Several clips of {subset} are called {row.name!r}: numbers alone do not identify "
                "them. Say which columns do: --column name=NAME, or path=NAME, or name=NUMBER "
                "performance=WHOLE for the number of a piece and the recording that it was cut "
                "from."
            )
