"""`read_subset_folder`: media files below a folder that is one subset of a split."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aver.audit.names import canonical_label, fold_in_name, subset_in_name, subset_of_word
from aver.audit.rows import SUFFIXES, Row, lines_of, read_list_file, read_text, rows_of_json
from aver.corpora.files import AUDIO_SUFFIXES, IMAGE_SUFFIXES, VIDEO_SUFFIXES, find_media
from aver.emotions import EMOTIONS
from aver.errors import SplitError

Pieces = dict[int, dict[str, list[Row]]]
"""Rows by number of the fold (0 where there is one only) and subset."""


def deal_by_columns(rows: Sequence[Row], path: Path) -> tuple[Pieces, tuple[Row, ...]]:
    """Deal rows by their cells of subset and fold.

    A column of subsets gives one fold. A column of folds gives as many, each tested in turn. With
    both, the subsets are those of each fold if clips are listed once per fold; if every clip is
    listed once only, the folds are a division of a subset, and the subsets count.

    Parameters
    ----------
    rows : sequence of Row
    path : Path
        Of the list, for messages.

    Returns
    -------
    Pieces
    tuple of Row
        Rows whose cell names no subset that is known; they are in no subset.

    Raises
    ------
    SplitError
        If there is neither column.
    """
    if any(row.subset for row in rows):
        return _by_subsets(rows)
    folds = sorted({row.fold for row in rows if row.fold})
    if not folds:
        raise SplitError(
            f"{path} does not say which subset a clip belongs to. Name a column 'subset' or "
            "'fold', or say what it is called with --column subset=YOURS; "
            "or give one list per subset."
        )
    pieces = {
        number: {
            "train": [row for row in rows if row.fold not in ("", fold)],
            "test": [row for row in rows if row.fold == fold],
        }
        for number, fold in enumerate(folds)
    }
    return pieces, ()


def _by_subsets(rows: Sequence[Row]) -> tuple[Pieces, tuple[Row, ...]]:
    folds_of: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        folds_of[row.name].add(row.fold)
    several = any(len(folds) > 1 for folds in folds_of.values())
    numbers = {fold: number for number, fold in enumerate(sorted({row.fold for row in rows}))}
    pieces: Pieces = {0: {}}
    untold = []
    for row in rows:
        subset = subset_of_word(row.subset) or subset_in_name(row.subset)
        if subset is None:
            untold.append(row)
            continue
        fold = pieces.setdefault(numbers[row.fold] if several else 0, {})
        fold.setdefault(subset, []).append(row)
    return {number: subsets for number, subsets in pieces.items() if subsets}, tuple(untold)


def name_clips_apart(pieces: Pieces) -> Pieces:
    """Name clips by their files where what a list calls ids does not tell clips apart.

    A column of ids that repeats within one subset under several files is none (a speaker's name, a
    dialogue's number). A running number (``utt_12``) that stands for several files, or that several
    speakers have without naming files, is counted anew in every list or for every speaker. Numbers
    that stand for other words in another subset are counted anew in every subset.

    Returns
    -------
    Pieces
        The same rows, with other names where needed.

    Raises
    ------
    SplitError
        If running numbers name several clips of one subset, and nothing tells them apart.
    """
    by_subset: dict[tuple[int, str, str], set[str]] = defaultdict(set)
    files: dict[str, set[str]] = defaultdict(set)
    speakers: dict[str, set[str]] = defaultdict(set)
    for number, subset, row in _every(pieces):
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

    pieces = _each(pieces, named)
    if _counted_anew(pieces):
        pieces = _each(pieces, _within_subset)
    _check_numbers(pieces)
    return pieces


def _every(pieces: Pieces) -> Iterator[tuple[int, str, Row]]:
    for number, subsets in pieces.items():
        for subset, rows in subsets.items():
            for row in rows:
                yield number, subset, row


def _each(pieces: Pieces, change: Callable[[Row, str], Row]) -> Pieces:
    return {
        number: {subset: [change(row, subset) for row in rows] for subset, rows in subsets.items()}
        for number, subsets in pieces.items()
    }


def _only_counts(row: Row) -> bool:
    return row.is_counted or (row.path == row.name and row.is_running_number)


def _counted_anew(pieces: Pieces) -> bool:
    """Whether a number names different clips in two subsets."""
    first: dict[str, tuple[str, Row]] = {}
    for _, subset, row in _every(pieces):
        if _only_counts(row):
            where, other = first.setdefault(row.name, (subset, row))
            if where != subset and _said(row) != _said(other):
                return True
    return False


def _within_subset(row: Row, subset: str) -> Row:
    """The row, named apart from the same number in other subsets, or folds."""
    if not _only_counts(row):
        return row
    where = row.fold if row.fold and not row.subset else subset
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
    for number, subset, row in _every(pieces):
        if not _only_counts(row) or said.setdefault(
            (number, subset, row.name), _said(row)
        ) == _said(row):
            continue
        raise SplitError(
            f"Several clips of {subset} are called {row.name!r}: numbers alone do not name "
            "them. Say which columns do: --column name=YOURS, or path=YOURS, or name=NUMBER "
            "performance=WHOLE"
            " for the number of a piece and the recording that it was cut from."
        )


_CLIPS = frozenset({
    "set", "list", "split", "subset", "part", "files", "file", "clips", "clip", "ids", "id",
    "names", "name", "data", "samples", "utterances", "utts", "items", "paths", "wavs", "videos",
})  # fmt: skip
"""Words that say beside a subset's that its clips follow."""
_OTHER_THINGS = frozenset({
    "leaks", "class", "classes", "label", "labels", "emotion", "emotions", "speaker",
    "speakers", "actor", "actors", "subject", "subjects", "columns", "features", "authors",
    "author", "notes", "tags", "keywords",
})  # fmt: skip
"""Words of lists that hold no clips."""


def read_json_split(
    value: Any, path: Path, columns: Mapping[str, str]
) -> tuple[str, Pieces, tuple[Row, ...]]:
    """Folds of subsets, subsets, folds tested in turn, or records with a column of subsets.

    Parameters
    ----------
    value : any
        What the file holds.
    path : Path
        For messages.
    columns : mapping of str to str
        What keys are called, where the usual names do not tell.

    Returns
    -------
    str
        The form in words.
    Pieces
        Rows by fold and subset.
    tuple of Row
        Rows of lists under words that name no subset, with that word as their subset.

    Raises
    ------
    SplitError
        If records name no clip, or nothing says their subset.
    """
    folds, form, rest = _folds_in(value)
    if not folds:
        rows = _lists_in_turn(value, path, columns) or rows_of_json(value, path, columns)
        return "JSON of records", *deal_by_columns(rows, path)
    pieces: Pieces = {}
    untold = [row for word, inner in rest.items() for row in _under(word, inner, path, columns)]
    for number, fold in enumerate(folds):
        subsets = pieces.setdefault(number, {})
        for word, inner in fold.items():
            subset = _subset_of_key(str(word))
            if subset is not None:
                subsets.setdefault(subset, []).extend(rows_of_json(inner, path, columns))
            else:
                untold += _under(str(word), inner, path, columns)
    told = {row.name for subsets in pieces.values() for rows in subsets.values() for row in rows}
    return form, pieces, tuple(row for row in untold if row.name not in told)


def _folds_in(value: Any) -> tuple[list[Mapping[str, Any]], str, Mapping[str, Any]]:
    """Mappings from subsets to lists, the form in words, and what stands beside the folds."""
    rest: Mapping[str, Any] = {}
    if isinstance(value, dict) and isinstance(value.get("folds"), (list, dict)):
        rest = {key: inner for key, inner in value.items() if key != "folds"}
        value = value["folds"]
    if _keyed_by_subset(value):
        return [value], "JSON of subsets", rest
    if isinstance(value, dict):
        folds = [inner for inner in value.values() if _keyed_by_subset(inner)]
        beside = {key: inner for key, inner in value.items() if not _keyed_by_subset(inner)}
        return folds, "JSON of folds", {**rest, **beside}
    if isinstance(value, list) and value and all(_keyed_by_subset(fold) for fold in value):
        return value, "JSON of folds", rest
    return [], "", {}


def _keyed_by_subset(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return any(_subset_of_key(str(key)) and isinstance(value[key], (list, dict)) for key in value)


def _subset_of_key(key: str) -> str | None:
    """The subset that a key means, such as ``val`` and ``test_files`` but not ``test_speakers``."""
    subset = subset_of_word(key)
    if subset is not None:
        return subset
    others = [word for word in _words_of(key) if subset_of_word(word) is None]
    return subset_in_name(key) if all(word in _CLIPS for word in others) else None


def _words_of(key: str) -> list[str]:
    return [word.lower() for word in re.split(r"[^A-Za-z]+", key) if word]


def _under(word: str, value: Any, path: Path, columns: Mapping[str, str]) -> list[Row]:
    """Rows of a list under a word that names no subset; none where it lists no clips."""
    listed = isinstance(value, list) or (
        isinstance(value, dict) and all(isinstance(inner, dict) for inner in value.values())
    )
    if not listed or _OTHER_THINGS & set(_words_of(word)):
        return []
    return [replace(row, subset=word) for row in rows_of_json(value, path, columns)]


def _lists_in_turn(value: Any, path: Path, columns: Mapping[str, str]) -> list[Row]:
    """Rows of lists under ``fold_1``, ``fold_2``, ..., each of which is tested in turn."""
    if not isinstance(value, dict) or len(value) < 2:
        return []
    if not all(
        isinstance(inner, list) and (fold_in_name(str(key)) is not None or str(key).isdigit())
        for key, inner in value.items()
    ):
        return []
    return [
        replace(row, fold=str(key))
        for key, inner in value.items()
        for row in rows_of_json(inner, path, columns)
    ]


_METADATA = ("metadata.csv", "metadata.jsonl")
"""Lists in a folder of media, as Hugging Face's AudioFolder and VideoFolder have them."""

Read = tuple[str, Pieces, tuple[Row, ...]]
"""The form in words, the rows by fold and subset, and rows whose subset is unknown."""


def read_split_files(paths: Sequence[Path], columns: Mapping[str, str]) -> Read:
    """Lists per subset or per fold where the names tell either, else one list with a column for it.

    Parameters
    ----------
    paths : sequence of Path
        Lists, folders of media, or Kaldi's data folders.
    columns : mapping of str to str
        What columns are called, where the usual names do not tell.

    Raises
    ------
    SplitError
        If a file cannot be read, or a name tells neither subset nor fold.
    """
    if len(paths) > 1 and all(_is_fold_alone(path) for path in paths):
        return "lists per fold, each tested in turn", *_in_turn(paths, columns)
    pieces: Pieces = {}
    for path in paths:
        rows = _rows(path, columns)
        subset = subset_in_name(path.stem)
        if len(paths) == 1 and (subset is None or any(row.subset or row.fold for row in rows)):
            return "list with a column of subsets", *deal_by_columns(rows, path)
        if subset is None:
            raise SplitError(
                f"The name of {path} does not tell its subset. "
                "Put train, validation or test into it."
            )
        number = fold_in_name(path.stem) or 0
        pieces.setdefault(number, {}).setdefault(subset, []).extend(rows)
    return f"lists per subset ({_names(paths)})", pieces, ()


def read_split_folder(folder: Path, columns: Mapping[str, str]) -> Read:
    """Whatever a folder holds of that: of lists and folders those whose names tell subset or fold.

    Parameters
    ----------
    folder : Path
    columns : mapping of str to str

    Raises
    ------
    SplitError
        If no name in it tells subset or fold.
    """
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    lists = [path for path in inside if path.is_file() and path.suffix.lower() in SUFFIXES]
    folders = [path for path in inside if path.is_dir()]
    folds = [path for path in folders if fold_in_name(path.name) is not None]
    if folds and not any(subset_in_name(path.stem) for path in inside):
        return _of_folds(folds, columns)
    subset_lists = [path for path in lists if subset_in_name(path.stem)]
    subset_folders = [path for path in folders if subset_in_name(path.name)]
    fold_lists = [path for path in lists if _is_fold_alone(path)]
    if subset_lists:
        return read_split_files(subset_lists, columns)
    if subset_folders:
        what = "Kaldi folders" if any(map(is_kaldi_folder, subset_folders)) else "folders"
        _, pieces, _ = read_split_files(subset_folders, columns)
        return f"{what} per subset ({_names(subset_folders)})", pieces, ()
    if len(fold_lists) > 1:
        return read_split_files(fold_lists, columns)
    raise SplitError(
        f"{folder} holds neither lists nor folders whose names tell a subset (train, validation, "
        "test) or a fold (fold_1, fold_2 ...)."
    )


def _of_folds(folds: Sequence[Path], columns: Mapping[str, str]) -> Read:
    """Subsets within each fold's folder; or, where no folder has any, folds tested in turn."""
    if len(folds) > 1 and not any(_tells_subsets(path) for path in folds):
        return "media in folders per fold, each tested in turn", *_in_turn(folds, columns)
    pieces: Pieces = {}
    for path in folds:
        form, of_fold, _ = read_split_folder(path, columns)
        number = fold_in_name(path.name) or 0
        for subsets in of_fold.values():
            pieces.setdefault(number, {}).update(subsets)
    return f"folders per fold, {form.partition(' (')[0]}", pieces, ()


def _tells_subsets(folder: Path) -> bool:
    return any(subset_in_name(path.stem) for path in folder.iterdir())


def _in_turn(paths: Sequence[Path], columns: Mapping[str, str]) -> tuple[Pieces, tuple[Row, ...]]:
    rows = [
        replace(row, subset="", fold=f"{fold_in_name(path.stem):06d}")
        for path in paths
        for row in _rows(path, columns)
    ]
    return deal_by_columns(rows, paths[0])


def _is_fold_alone(path: Path) -> bool:
    return subset_in_name(path.stem) is None and fold_in_name(path.stem) is not None


def _rows(path: Path, columns: Mapping[str, str]) -> list[Row]:
    if not path.is_dir():
        return read_list_file(path, columns)
    about = next((path / name for name in _METADATA if (path / name).is_file()), None)
    if about is not None:
        return [_below(path.name, row) for row in read_list_file(about, columns)]
    return (
        read_kaldi_folder(path) if is_kaldi_folder(path) else read_subset_folder(path, path.parent)
    )


def _below(folder: str, row: Row) -> Row:
    """The row of a file that its list names as seen from the list's own folder."""
    name = f"{folder}/{row.name}" if row.name == row.path else row.name
    return replace(row, name=name, path=f"{folder}/{row.path}")


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)


def is_kaldi_folder(folder: Path) -> bool:
    """Whether the folder is one of Kaldi's."""
    return (folder / "utt2spk").is_file() or (folder / "wav.scp").is_file()


def read_kaldi_folder(folder: Path) -> list[Row]:
    """Rows of utterances, with the recording that each was cut from.

    Parameters
    ----------
    folder : Path
        With ``utt2spk`` or ``wav.scp``; ``segments``, ``spk2gender``, ``text`` and ``utt2emo`` are
        used where they are.

    Raises
    ------
    SplitError
        If a file cannot be read.

    Notes
    -----
    Source: the Kaldi manual, "Data preparation". Utterances cut from one recording share it only
    where ``segments`` says so.
    """
    speakers, files = _table(folder / "utt2spk"), _table(folder / "wav.scp")
    sexes, labels = _table(folder / "spk2gender"), _table(folder / "utt2emo")
    texts = _table(folder / "text")
    recordings = {name: cut.split()[0] for name, cut in _table(folder / "segments").items() if cut}
    rows = []
    for name in speakers or recordings or files:
        recording = recordings.get(name)
        speaker = speakers.get(name, "")
        facts = {
            "speaker": speaker,
            "sex": sexes.get(speaker, ""),
            "emotion": labels.get(name, ""),
            "sentence": texts.get(name, ""),
            "performance": f"recording {recording}" if recording else "",
        }
        command = files.get(recording or name, "").rstrip("| ").split()
        # Without segments the id says more than the file: Kaldi's copies differ in it only.
        path = command[-1] if recording and command else name
        rows.append(Row(name, path, {key: value for key, value in facts.items() if value}))
    return rows


def _table(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    pairs = (line.split(maxsplit=1) for line in lines_of(read_text(path)))
    return {pair[0]: pair[1].strip() if len(pair) == 2 else "" for pair in pairs}


def read_subset_folder(folder: Path, root: Path) -> list[Row]:
    """Rows of all media files below a folder.

    A folder named like an emotion labels the files in it.

    Parameters
    ----------
    folder : Path
        One subset, for instance ``data/train``.
    root : Path
        Folder of all subsets; names are relative to it.
    """
    rows = []
    found = find_media(folder, VIDEO_SUFFIXES | AUDIO_SUFFIXES | IMAGE_SUFFIXES)
    # Names tell as much of a file that was not fetched (Git LFS) or is empty.
    paths = {*found.files, *(folder / problem.path for problem in found.problems)}
    for path in sorted(paths, key=lambda path: path.relative_to(root).as_posix()):
        labels = [
            label
            for place in path.relative_to(folder).parts[:-1]
            if (label := canonical_label(place)) in EMOTIONS
        ]
        name = path.relative_to(root).as_posix()
        rows.append(Row(name, name, {"emotion": labels[-1]} if labels else {}))
    return rows
