"""A user's own files: media to predict, and tables of action units."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from aver.corpora.other_files import by_suffix, counted
from aver.errors import CorpusError
from aver.execution.documents import table_lines
from aver.execution.files import composed, is_zip, printable


@dataclass(frozen=True)
class UserFile:
    """A file that the user named, or that is in a folder that the user named.

    Parameters
    ----------
    path : str
        As given; for a file in a folder, the folder as given and the path below it. Empty for data
        in memory.
    name : str
        The name of the file, or its path below the folder that was given. It does not depend on
        the other files, and two files may have the same.
    clip_id : str
        Of its clip in the corpus of all files; empty if there is none.
    reason : str
        Why there is no clip.
    source : int
        Number of the path that the user gave.
    """

    path: str
    name: str
    clip_id: str = ""
    reason: str = ""
    source: int = 0

    def __post_init__(self) -> None:
        for name in ("path", "name", "clip_id", "reason"):
            object.__setattr__(self, name, printable(getattr(self, name)))


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
        suffixes. Missing files, empty files and Git LFS pointers are among its problems; its notes
        count the files in folders that are no media.

    Raises
    ------
    CorpusError
        If no file is usable; the message gives the first reason.
    """
    corpus, _ = find_user_files(paths)
    if not corpus.clips:
        first = next(iter(corpus.problems), None)
        why = f" {first.path}: {first.reason}" if first else ""
        raise CorpusError(f"There is no usable video or audio file.{why}")
    return corpus


def find_user_files(paths: Iterable[str | Path]) -> tuple[Corpus, tuple[UserFile, ...]]:
    """As `load_clips`, with one entry for each file in the order given.

    Returns
    -------
    Corpus
        Of the usable files, each once; it may have no clip.
    tuple of UserFile
        The files in the order given, repeated ones too. A file that cannot be used, and a folder
        without any, have a reason.
    """
    found: list[tuple[Path | None, UserFile]] = []  # usable files have a path
    problems: list[Problem] = []
    others: Counter[str] = Counter()

    def add(source: int, path: str, name: str, usable: Path | None, reason: str = "") -> None:
        found.append((usable, UserFile(path, name, reason=reason, source=source)))
        if usable is None:
            problems.append(Problem(path, reason))

    for source, given in enumerate(paths):
        path = Path(given).expanduser()
        if path.is_dir():
            media = find_media(path, VIDEO_SUFFIXES | AUDIO_SUFFIXES)
            pictures = find_media(path, IMAGE_SUFFIXES)
            if not (media.files or media.problems):
                media = pictures
            elif pictures.files:  # beside videos, images are thumbnails
                problems.append(_pictures_beside(path, pictures.files))
            others.update(media.others)
            within: dict[str, tuple[Path | None, str]] = {
                file.relative_to(path).as_posix(): (file, "") for file in media.files
            }
            within |= {problem.path: (None, problem.reason) for problem in media.problems}
            for name, (file, reason) in sorted(within.items()):
                add(source, str(file or path / name), name, file, reason)
            if not within:
                holds = f", but other files: {counted(media.others)}" if media.others else ""
                reason = f"The folder contains no video, audio or image{holds}."
                add(source, str(given), path.name, None, reason)
            continue
        fault = media_fault(path)
        if fault is None and is_zip(path):
            fault = "The file is a zip archive; unpack it, and give the folder."
        add(source, str(given), path.name, None if fault else path, fault or "")
    places = {path: Path(os.path.abspath(path)) for path, _ in found if path}  # noqa: PTH100 - keeps links
    root = Path(os.path.commonpath([path.parent for path in places.values()] or [Path()]))
    ids = _distinct_ids({path: place.relative_to(root) for path, place in places.items()})
    clips = {ids[path]: _clip(place, ids[path]) for path, place in places.items()}
    by_id = tuple(sorted(clips.values(), key=lambda clip: clip.clip_id))
    files = (replace(file, clip_id=ids[path] if path else "") for path, file in found)
    notes = (f"{by_suffix(others, 'passed over')}.",) if others else ()
    corpus = Corpus("files", root, by_id, tuple(dict.fromkeys(problems)), notes=notes)
    return corpus, tuple(files)


def _distinct_ids(places: Mapping[Path, Path]) -> dict[Path, str]:
    """Ids from relative paths; names that read the same, such as two spellings of one accent,
    and belong to different files get a number.
    """
    ids: dict[Path, str] = {}
    taken: dict[str, Path] = {}
    for path, place in places.items():
        name, number = printable(place.as_posix()), 1
        while taken.setdefault(name, place) != place:
            number += 1
            name = f"{printable(place.as_posix())} ({number})"
        ids[path] = name
    return ids


def _pictures_beside(folder: Path, pictures: Sequence[Path]) -> Problem:
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
