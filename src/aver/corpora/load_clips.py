"""Anybody's files, without labels, for prediction."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, Problem
from aver.corpora.media_files import SOUND_SUFFIXES, VIDEO_SUFFIXES, find_media, media_fault
from aver.errors import CorpusError


def load_clips(paths: Iterable[str | Path]) -> Corpus:
    """Make clips without labels of files and folders.

    Parameters
    ----------
    paths : iterable of str or Path
        Video or sound files, or folders, in which all such files are taken. A named file is taken
        whatever its suffix.

    Returns
    -------
    Corpus
        Named ``"files"``. Ids are the paths below the folder that all files have in common, with
        their suffixes. Missing, empty and pointer files are its problems.

    Raises
    ------
    CorpusError
        If nothing usable is left; the message gives the first reason.
    """
    files: dict[Path, None] = {}  # in order, each once
    problems: list[Problem] = []
    for given in paths:
        path = Path(given).expanduser()
        if path.is_dir():
            found = find_media(path, VIDEO_SUFFIXES | SOUND_SUFFIXES)
            files |= dict.fromkeys(found.files)
            problems += [
                Problem(str(path / problem.path), problem.reason) for problem in found.problems
            ]
            if not (found.files or found.problems):
                problems.append(Problem(str(path), "The folder holds no video or sound file."))
            continue
        fault = media_fault(path)
        if fault is None:
            files[path] = None
        else:
            problems.append(Problem(str(path), fault))
    if not files:
        why = f" {problems[0].path}: {problems[0].reason}" if problems else ""
        raise CorpusError(f"There is no video or sound file to work on.{why}")
    absolute = {Path(os.path.abspath(path)): None for path in files}  # noqa: PTH100 - keeps links
    root = Path(os.path.commonpath([path.parent for path in absolute]))
    clips = (_clip(path, path.relative_to(root).as_posix()) for path in absolute)
    by_id = tuple(sorted(clips, key=lambda clip: clip.clip_id))
    return Corpus("files", root, by_id, tuple(problems))


def _clip(path: Path, clip_id: str) -> Clip:
    is_sound = path.suffix.lower() in SOUND_SUFFIXES
    return Clip(clip_id, None, None, video=None if is_sound else path, sound=path)
