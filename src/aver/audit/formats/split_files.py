"""`read_split_folder`, `read_split_files`: lists or media per part, per fold, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aver.audit.formats.kaldi import is_kaldi_folder, read_kaldi_folder
from aver.audit.formats.list_file import SUFFIXES, read_list_file
from aver.audit.formats.part_folders import read_part_folder
from aver.audit.formats.row import Row
from aver.audit.part_words import fold_in_name, part_in_name
from aver.audit.pieces import Pieces, deal_by_columns
from aver.errors import SplitError

_METADATA = ("metadata.csv", "metadata.jsonl")
"""Lists in a folder of media, as Hugging Face's AudioFolder and VideoFolder have them."""

Read = tuple[str, Pieces, tuple[Row, ...]]
"""The form in words, the rows by fold and part, and rows whose part is unknown."""


def read_split_files(paths: Sequence[Path], columns: Mapping[str, str]) -> Read:
    """Lists per part or per fold where the names tell either, else one list with a column for it.

    Parameters
    ----------
    paths : sequence of Path
        Lists, folders of media, or Kaldi's data folders.
    columns : mapping of str to str
        What columns are called, where the usual names do not tell.

    Raises
    ------
    SplitError
        If a file cannot be read, or a name tells neither part nor fold.
    """
    if len(paths) > 1 and all(_is_fold_alone(path) for path in paths):
        return "lists per fold, each tested in turn", *_in_turn(paths, columns)
    pieces: Pieces = {}
    for path in paths:
        rows = _rows(path, columns)
        part = part_in_name(path.stem)
        if len(paths) == 1 and (part is None or any(row.part or row.fold for row in rows)):
            return "list with a column of parts", *deal_by_columns(rows, path)
        if part is None:
            raise SplitError(
                f"The name of {path} does not tell its part. Put train, validation or test into it."
            )
        number = fold_in_name(path.stem) or 0
        pieces.setdefault(number, {}).setdefault(part, []).extend(rows)
    return f"lists per part ({_names(paths)})", pieces, ()


def read_split_folder(folder: Path, columns: Mapping[str, str]) -> Read:
    """Whatever a folder holds of that: of lists and folders those whose names tell part or fold.

    Parameters
    ----------
    folder : Path
    columns : mapping of str to str

    Raises
    ------
    SplitError
        If no name in it tells part or fold.
    """
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    lists = [path for path in inside if path.is_file() and path.suffix.lower() in SUFFIXES]
    folders = [path for path in inside if path.is_dir()]
    folds = [path for path in folders if fold_in_name(path.name) is not None]
    if folds and not any(part_in_name(path.stem) for path in inside):
        return _of_folds(folds, columns)
    part_lists = [path for path in lists if part_in_name(path.stem)]
    part_folders = [path for path in folders if part_in_name(path.name)]
    fold_lists = [path for path in lists if _is_fold_alone(path)]
    if part_lists:
        return read_split_files(part_lists, columns)
    if part_folders:
        what = "Kaldi folders" if any(map(is_kaldi_folder, part_folders)) else "folders"
        _, pieces, _ = read_split_files(part_folders, columns)
        return f"{what} per part ({_names(part_folders)})", pieces, ()
    if len(fold_lists) > 1:
        return read_split_files(fold_lists, columns)
    raise SplitError(
        f"{folder} holds neither lists nor folders whose names tell a part (train, validation, "
        "test) or a fold (fold_1, fold_2 ...)."
    )


def _of_folds(folds: Sequence[Path], columns: Mapping[str, str]) -> Read:
    """Parts within each fold's folder; or, where no folder has any, folds tested in turn."""
    if len(folds) > 1 and not any(_tells_parts(path) for path in folds):
        return "media in folders per fold, each tested in turn", *_in_turn(folds, columns)
    pieces: Pieces = {}
    for path in folds:
        form, of_fold, _ = read_split_folder(path, columns)
        number = fold_in_name(path.name) or 0
        for parts in of_fold.values():
            pieces.setdefault(number, {}).update(parts)
    return f"folders per fold, {form.partition(' (')[0]}", pieces, ()


def _tells_parts(folder: Path) -> bool:
    return any(part_in_name(path.stem) for path in folder.iterdir())


def _in_turn(paths: Sequence[Path], columns: Mapping[str, str]) -> tuple[Pieces, tuple[Row, ...]]:
    rows = [
        replace(row, part="", fold=f"{fold_in_name(path.stem):06d}")
        for path in paths
        for row in _rows(path, columns)
    ]
    return deal_by_columns(rows, paths[0])


def _is_fold_alone(path: Path) -> bool:
    return part_in_name(path.stem) is None and fold_in_name(path.stem) is not None


def _rows(path: Path, columns: Mapping[str, str]) -> list[Row]:
    if not path.is_dir():
        return read_list_file(path, columns)
    about = next((path / name for name in _METADATA if (path / name).is_file()), None)
    if about is not None:
        return [_below(path.name, row) for row in read_list_file(about, columns)]
    return read_kaldi_folder(path) if is_kaldi_folder(path) else read_part_folder(path, path.parent)


def _below(folder: str, row: Row) -> Row:
    """The row of a file that its list names as seen from the list's own folder."""
    name = f"{folder}/{row.name}" if row.name == row.path else row.name
    return replace(row, name=name, path=f"{folder}/{row.path}")


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)
