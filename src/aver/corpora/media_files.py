"""Find the media files below a folder, without opening any: names, sizes and LFS pointers."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from aver.corpora.corpus import Problem
from aver.errors import CorpusError

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".avi", ".mov", ".mkv", ".flv", ".mpg", ".mpeg"}
    | {".webm", ".m4v", ".wmv", ".3gp", ".ogv", ".ts", ".mts"}
)
SOUND_SUFFIXES = frozenset(
    {".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a"}
    | {".aac", ".aif", ".aiff", ".wma", ".au", ".sph"}
)
IMAGE_SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".bmp"])

_POINTER_MAGIC = b"version https://git-lfs.github.com/spec/"
_LARGEST_POINTER_BYTES = 1024  # the Git LFS specification, "The Pointer"


@dataclass(frozen=True)
class MediaFiles:
    """Usable files, sorted by their path below the folder, and the ones that cannot be media."""

    files: tuple[Path, ...]
    problems: tuple[Problem, ...]


def is_lfs_pointer(path: Path) -> bool:
    """Whether a file is the small text that Git LFS leaves in place of a large file.

    Parameters
    ----------
    path : Path
        An existing file.

    Notes
    -----
    Source: the Git LFS specification: a pointer is shorter than 1,024 bytes and its first line is
    ``version https://git-lfs.github.com/spec/v1``.
    """
    if path.stat().st_size >= _LARGEST_POINTER_BYTES:
        return False
    with path.open("rb") as handle:
        return handle.read(len(_POINTER_MAGIC)) == _POINTER_MAGIC


def media_fault(path: Path) -> str | None:
    """Say in one sentence why a file cannot be media, or None where it may well be."""
    try:
        if path.stat().st_size == 0:
            return "The file is empty (0 bytes)."
        if is_lfs_pointer(path):
            return "The file is a Git LFS pointer, not the media; run 'git lfs pull' in its clone."
    except OSError as error:
        return f"The file cannot be read: {error.strerror}."
    return None


def find_media(root: Path, suffixes: Collection[str]) -> MediaFiles:
    """List the files below `root` that have one of the suffixes.

    Parameters
    ----------
    root : Path
        An existing folder. Hidden files and folders are passed over.
    suffixes : collection of str
        In lower case with the dot; the case of the files' own suffixes does not matter.

    Returns
    -------
    MediaFiles
        Empty files and LFS pointers are among the problems.

    Raises
    ------
    CorpusError
        If `root` is not a folder.
    """
    if not root.is_dir():
        raise CorpusError(f"{root} is not a folder. Give the folder that holds the corpus.")
    files: list[Path] = []
    problems: list[Problem] = []
    for folder, subfolders, names in os.walk(root, followlinks=True):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in names:
            if name.startswith(".") or Path(name).suffix.lower() not in suffixes:
                continue
            path = Path(folder, name)
            fault = media_fault(path)
            if fault is None:
                files.append(path)
            else:
                problems.append(Problem(path.relative_to(root).as_posix(), fault))
    by_place = sorted(files, key=lambda path: path.relative_to(root).as_posix())
    return MediaFiles(tuple(by_place), tuple(sorted(problems, key=lambda problem: problem.path)))
