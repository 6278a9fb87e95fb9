"""`read_split_files` and `read_split_folder`: lists and media per subset, per fold, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aver.audit.folds import Folds, assign_rows
from aver.audit.names import canonical_label, fold_in_name, subset_in_name
from aver.audit.rows import SUFFIXES, Row, lines_of, read_list_file, read_text
from aver.corpora.files import AUDIO_SUFFIXES, IMAGE_SUFFIXES, VIDEO_SUFFIXES, find_media
from aver.emotions import EMOTIONS
from aver.errors import SplitError

SplitRows = tuple[str, Folds, tuple[Row, ...]]
"""The form, the rows by fold and subset, and rows whose subset is unknown."""


def read_split_files(paths: Sequence[Path], columns: Mapping[str, str]) -> SplitRows:
    """Read lists per subset or per fold, by their names, or one list with a column for it.

    Parameters
    ----------
    paths : sequence of Path
        Lists, folders of media, or Kaldi's data folders.
    columns : mapping of str to str
        Names of columns, see `aver.audit.rows.read_list_file`.

    Raises
    ------
    SplitError
        If a file cannot be read, or a name contains neither subset nor fold.
    """
    if len(paths) > 1 and all(_names_fold_only(path) for path in paths):
        return "lists per fold, each tested in turn", *_in_turn(paths, columns)
    folds: Folds = {}
    for path in paths:
        rows = _rows(path, columns)
        subset = subset_in_name(path.stem)
        if len(paths) == 1 and (subset is None or any(row.subset or row.fold for row in rows)):
            return "list with a column of subsets", *assign_rows(rows, path)
        if subset is None:
            raise SplitError(
                f"The name of {path} does not name its subset. Rename it so that it contains "
                "train, validation or test."
            )
        fold = folds.setdefault(fold_in_name(path.stem) or 0, {})
        fold.setdefault(subset, []).extend(rows)
    return f"lists per subset ({_join(paths)})", folds, ()


def read_split_folder(folder: Path, columns: Mapping[str, str]) -> SplitRows:
    """Read the lists and folders in a folder whose names contain a subset or a fold.

    Parameters
    ----------
    folder : Path
    columns : mapping of str to str
        Names of columns, see `aver.audit.rows.read_list_file`.

    Raises
    ------
    SplitError
        If no name in the folder contains a subset or a fold.
    """
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    lists = [path for path in inside if path.is_file() and path.suffix.lower() in SUFFIXES]
    folders = [path for path in inside if path.is_dir()]
    fold_folders = [path for path in folders if fold_in_name(path.name) is not None]
    if fold_folders and not any(subset_in_name(path.stem) for path in inside):
        return _read_fold_folders(fold_folders, columns)
    subset_lists = [path for path in lists if subset_in_name(path.stem)]
    if subset_lists:
        return read_split_files(subset_lists, columns)
    subset_folders = [path for path in folders if subset_in_name(path.name)]
    if subset_folders:
        what = "Kaldi folders" if any(map(_is_kaldi_folder, subset_folders)) else "folders"
        _, folds, _ = read_split_files(subset_folders, columns)
        return f"{what} per subset ({_join(subset_folders)})", folds, ()
    fold_lists = [path for path in lists if _names_fold_only(path)]
    if len(fold_lists) > 1:
        return read_split_files(fold_lists, columns)
    raise SplitError(
        f"{folder} holds neither lists nor folders whose names contain a subset (train, "
        "validation, test) or a fold (fold_1, fold_2 ...)."
    )


def _read_fold_folders(paths: Sequence[Path], columns: Mapping[str, str]) -> SplitRows:
    """The subsets in each folder of a fold; if there are none, folds tested in turn."""
    if len(paths) > 1 and not any(
        subset_in_name(path.stem) for folder in paths for path in folder.iterdir()
    ):
        return "media in folders per fold, each tested in turn", *_in_turn(paths, columns)
    folds: Folds = {}
    form = ""
    for path in paths:
        form, inner, _ = read_split_folder(path, columns)
        for subsets in inner.values():
            folds.setdefault(fold_in_name(path.name) or 0, {}).update(subsets)
    return f"folders per fold, {form.partition(' (')[0]}", folds, ()


def _in_turn(paths: Sequence[Path], columns: Mapping[str, str]) -> tuple[Folds, tuple[Row, ...]]:
    rows = [
        replace(row, subset="", fold=f"{fold_in_name(path.stem):06d}")
        for path in paths
        for row in _rows(path, columns)
    ]
    return assign_rows(rows, paths[0])


def _names_fold_only(path: Path) -> bool:
    return subset_in_name(path.stem) is None and fold_in_name(path.stem) is not None


def _join(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)


_METADATA = ("metadata.csv", "metadata.jsonl")
"""Lists in a folder of media, as in Hugging Face's AudioFolder and VideoFolder."""


def _rows(path: Path, columns: Mapping[str, str]) -> list[Row]:
    """The rows of one list or folder."""
    if not path.is_dir():
        return read_list_file(path, columns)
    metadata = next((path / name for name in _METADATA if (path / name).is_file()), None)
    if metadata is not None:
        return [_below(path.name, row) for row in read_list_file(metadata, columns)]
    return _read_kaldi_folder(path) if _is_kaldi_folder(path) else _read_media_folder(path)


def _below(folder: str, row: Row) -> Row:
    """The row of a file whose path in the list is relative to the folder of the list."""
    name = f"{folder}/{row.name}" if row.name == row.path else row.name
    return replace(row, name=name, path=f"{folder}/{row.path}")


def _is_kaldi_folder(folder: Path) -> bool:
    return (folder / "utt2spk").is_file() or (folder / "wav.scp").is_file()


def _read_kaldi_folder(folder: Path) -> list[Row]:
    """Rows of the utterances of a Kaldi data folder, with the recording of each.

    Needs ``utt2spk`` or ``wav.scp``; uses ``segments``, ``spk2gender``, ``text`` and ``utt2emo``
    if they exist.

    Source: the Kaldi manual, "Data preparation". Utterances share a recording only if ``segments``
    says so.
    """
    speakers, files = _table(folder / "utt2spk"), _table(folder / "wav.scp")
    sexes, labels = _table(folder / "spk2gender"), _table(folder / "utt2emo")
    texts = _table(folder / "text")
    recordings = {name: cut.split()[0] for name, cut in _table(folder / "segments").items() if cut}
    rows = []
    for name in speakers or recordings or files:
        recording = recordings.get(name)
        speaker = speakers.get(name, "")
        fields = {
            "speaker": speaker,
            "sex": sexes.get(speaker, ""),
            "emotion": labels.get(name, ""),
            "sentence": texts.get(name, ""),
            "performance": f"recording {recording}" if recording else "",
        }
        command = files.get(recording or name, "").rstrip("| ").split()
        # Without segments the id tells more than the file: perturbed copies differ in the id only.
        path = command[-1] if recording and command else name
        rows.append(Row(name, path, {key: value for key, value in fields.items() if value}))
    return rows


def _table(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    pairs = (line.split(maxsplit=1) for line in lines_of(read_text(path)))
    return {pair[0]: pair[1].strip() if len(pair) == 2 else "" for pair in pairs}


def _read_media_folder(folder: Path) -> list[Row]:
    """Rows of all media files below a folder such as ``data/train``; names begin with ``train``.

    A folder named after an emotion labels the files in it.
    """
    found = find_media(folder, VIDEO_SUFFIXES | AUDIO_SUFFIXES | IMAGE_SUFFIXES)
    # The names of files that were not fetched (Git LFS) or are empty tell as much.
    paths = {*found.files, *(folder / problem.path for problem in found.problems)}
    rows = []
    for path in sorted(paths, key=lambda path: path.relative_to(folder.parent).as_posix()):
        folders = map(canonical_label, path.relative_to(folder).parts[:-1])
        labels = [label for label in folders if label in EMOTIONS]
        name = path.relative_to(folder.parent).as_posix()
        rows.append(Row(name, name, {"emotion": labels[-1]} if labels else {}))
    return rows
