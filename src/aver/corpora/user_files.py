"""A user's own files: media to predict, and tables of action units."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, Problem
from aver.corpora.files import (
    AUDIO_SUFFIXES,
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    column_separator,
    find_media,
    media_fault,
)
from aver.errors import CorpusError
from aver.execution.documents import table_lines
from aver.execution.files import composed, is_zip


def load_clips(paths: Iterable[str | Path]) -> Corpus:
    """Make clips without labels from files and folders.

    Parameters
    ----------
    paths : iterable of str or Path
        Video or audio files, or folders with such files; of a folder without any, its images. A
        file that is given by name may have any suffix.

    Returns
    -------
    Corpus
        Named ``"files"``. The ids are the paths below the common folder of all files, with their
        suffixes. Missing files, empty files and Git LFS pointers are among its problems.

    Raises
    ------
    CorpusError
        If no file is usable; the message gives the first reason.
    """
    files: dict[Path, None] = {}  # in order, each once
    problems: list[Problem] = []
    for given in paths:
        path = Path(given).expanduser()
        if path.is_dir():
            found = find_media(path, VIDEO_SUFFIXES | AUDIO_SUFFIXES)
            pictures = find_media(path, IMAGE_SUFFIXES)
            if not (found.files or found.problems):
                found = pictures
            elif pictures.files:  # beside videos, images are thumbnails
                problems.append(_passed_over(path, pictures.files))
            files |= dict.fromkeys(found.files)
            problems += [
                Problem(str(path / problem.path), problem.reason) for problem in found.problems
            ]
            if not (found.files or found.problems):
                problems.append(Problem(str(path), "The folder contains no video, audio or image."))
            continue
        fault = media_fault(path)
        if fault is None and is_zip(path):
            fault = "The file is a zip archive; unpack it, and give the folder."
        if fault is None:
            files[path] = None
        else:
            problems.append(Problem(str(path), fault))
    if not files:
        why = f" {problems[0].path}: {problems[0].reason}" if problems else ""
        raise CorpusError(f"There is no usable video or audio file.{why}")
    absolute = {Path(os.path.abspath(path)): None for path in files}  # noqa: PTH100 - keeps links
    root = Path(os.path.commonpath([path.parent for path in absolute]))
    clips = (_clip(path, path.relative_to(root).as_posix()) for path in absolute)
    by_id = tuple(sorted(clips, key=lambda clip: clip.clip_id))
    return Corpus("files", root, by_id, tuple(problems))


def _passed_over(folder: Path, pictures: Sequence[Path]) -> Problem:
    count = len(pictures)
    names = f"{count} image{'s' if count > 1 else ''} (such as {pictures[0].name})"
    return Problem(
        str(folder),
        f"{names} are passed over, since the folder has videos or sound; give them by name.",
    )


def _clip(path: Path, clip_id: str) -> Clip:
    is_audio = path.suffix.lower() in AUDIO_SUFFIXES
    return Clip(clip_id, None, None, video=None if is_audio else path, audio=path)


def attach_action_units(corpus: Corpus, path: str | Path) -> Corpus:
    """Attach tables of action units to the clips of a corpus.

    Parameters
    ----------
    corpus : Corpus
    path : str or Path
        A CSV file with one row per clip and one of the clip's names (`Clip.names`) in its first
        column; or a folder with one CSV file per clip, named after the clip at any depth, with
        one row per frame.

    Returns
    -------
    Corpus
        With `Clip.action_units` and `Clip.action_units_row` set for every clip in the table or
        folder.

    Raises
    ------
    CorpusError
        If the file or folder is missing, cannot be read, or has none of the clips.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise CorpusError(
            f"There are no action units at {path}. Give a CSV file with a row per clip, or a "
            "folder with a CSV file per clip."
        )
    tracks = _tracks_below(path) if path.is_dir() else dict.fromkeys(_rows_of(path), path)
    clips = tuple(_with_action_units(clip, tracks, is_table=not path.is_dir()) for clip in corpus)
    if not any(clip.action_units in tracks.values() for clip in clips):
        example = next(iter(tracks), "nothing")
        raise CorpusError(
            f"{path} has none of the clips of {corpus.root}: it has {example!r}, the "
            f"{', '.join(repr(name) for name in corpus.clips[0].names)}."
        )
    return replace(corpus, clips=clips)


def _with_action_units(clip: Clip, tracks: dict[str, Path], *, is_table: bool) -> Clip:
    name = next((name for name in clip.names if name in tracks), None)
    if name is None:
        return clip
    return replace(clip, action_units=tracks[name], action_units_row=name if is_table else "")


def _tracks_below(folder: Path) -> dict[str, Path]:
    """Files by stem; of two with the same stem the first by path."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.csv")):
        found.setdefault(composed(path.stem), path)
    return found


def _rows_of(table: Path) -> list[str]:
    """The first column."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            lines = table_lines(file)
            separator = column_separator(next(lines, ""))
            return [
                composed(row[0].strip()) for row in csv.reader(lines, delimiter=separator) if row
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"The table of action units {table} cannot be read: {error}.") from None
