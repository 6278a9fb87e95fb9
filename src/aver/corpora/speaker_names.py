"""`name_speakers`: who speaks in each of a user's files, by name, by folder or by a table."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, Problem
from aver.corpora.files import read_table
from aver.corpora.name_pattern import NamePattern
from aver.errors import CorpusError, SettingsError
from aver.execution.files import composed

FOLDER = "folder"
"""Name of the rule by which files in one folder have one speaker."""

_TABLE_SUFFIX, _COLUMN = ".csv", "speaker"

Rule = Callable[[Clip, Path], str]  # from a clip and its file to the speaker; empty if unknown


def name_speakers(corpus: Corpus, by: str) -> Corpus:
    """Set the speaker of every clip.

    Parameters
    ----------
    corpus : Corpus
        Of a user's files, from `aver.corpora.user_files.load_clips`.
    by : str
        One of:

        - ``"folder"``: files in the same folder have the same speaker, named after the folder's
          path below the folder that all files have in common.
        - A pattern with ``{speaker}``, such as ``"{speaker}_{take}.mp4"``, see
          `aver.corpora.name_pattern.NamePattern`. A pattern with slashes is compared with as many
          folders above the file.
        - A CSV file and its column, such as ``"clips.csv:person"``; without the column it is
          ``speaker``. Files are named in the column ``file``, or else in the first one: by name
          with or without suffix, or by the path below the table's folder or the common folder.

    Returns
    -------
    Corpus
        Clips without a speaker are left out and are among its problems.

    Raises
    ------
    SettingsError
        If `by` is none of these.
    CorpusError
        If the table cannot be read, or no file has a speaker.

    Examples
    --------
    >>> clips = tuple(Clip(name, None, None, audio=Path(name)) for name in ("a_1.wav", "notes.wav"))
    >>> named = name_speakers(Corpus("files", Path(), clips), "{speaker}_{take}.wav")
    >>> [(clip.clip_id, clip.speaker) for clip in named]
    [('a_1.wav', 'a')]
    >>> named.problems[0].reason
    "The name does not match the pattern '{speaker}_{take}.wav'."
    """
    rule, unknown = _rule(corpus, by)
    clips: list[Clip] = []
    problems: list[Problem] = []
    for clip in corpus:
        path = clip.video or clip.audio
        speaker = rule(clip, path) if path is not None else ""
        if speaker:
            clips.append(replace(clip, speaker=speaker))
        else:
            problems.append(Problem(clip.clip_id, unknown))
    if corpus.clips and not clips:
        raise CorpusError(
            f"The speaker of none of the {len(corpus)} files was found with --speaker-by {by!r}. "
            f"For example, {corpus.clips[0].clip_id}: {unknown}"
        )
    return replace(corpus, clips=tuple(clips), problems=(*corpus.problems, *problems))


def _rule(corpus: Corpus, by: str) -> tuple[Rule, str]:
    """The rule, and the reason why it gives no speaker."""
    path, column = _table_and_column(by)
    if path is not None:
        return _by_table(corpus, path, column), f"{path} names no {column} for this file."
    if by == FOLDER:
        return (lambda clip, _: _folder_name(corpus, clip)), "The file is in no folder."
    if "{" not in by:
        raise SettingsError(
            f"--speaker-by is {by!r}. Give the word 'folder', a pattern such as "
            "'{speaker}_{take}.mp4', or a table and its column such as 'clips.csv:speaker'."
        )
    pattern = NamePattern(by)
    if "{speaker}" not in by:
        raise SettingsError(
            f"The pattern {by!r} has no {{speaker}}. Mark the part of the name that tells who "
            "speaks, such as '{speaker}_{take}.mp4'."
        )
    depth = by.count("/") + 1
    return (
        lambda _, path: (pattern.match("/".join(path.parts[-depth:])) or {}).get("speaker", ""),
        f"The name does not match the pattern {by!r}.",
    )


def _folder_name(corpus: Corpus, clip: Clip) -> str:
    folder = PurePosixPath(clip.clip_id).parent.as_posix()
    return corpus.root.name if folder == "." else folder


def _table_and_column(by: str) -> tuple[Path | None, str]:
    """The path of the table, or None if another rule is meant, and the column."""
    lower = by.lower()
    if lower.endswith(_TABLE_SUFFIX) and "{" not in by:
        return Path(by).expanduser(), _COLUMN
    start = lower.rfind(f"{_TABLE_SUFFIX}:")
    if start < 0:
        return None, ""
    end = start + len(_TABLE_SUFFIX)
    return Path(by[:end]).expanduser(), by[end + 1 :].strip()


def _by_table(corpus: Corpus, path: Path, column: str) -> Rule:
    """The speaker in the row of a file."""
    table = read_table(path, needed=(column,))
    key = "file" if "file" in table.columns else table.columns[0]
    if key == column:
        raise CorpusError(
            f"The table {path} names no files: its first column is {column!r}. Add a column 'file'."
        )
    speakers: dict[str, str] = {}
    for number, row in table.rows:
        name, speaker = row.get(key, "").removeprefix("./"), row.get(column, "")
        if speakers.setdefault(name, speaker) != speaker:
            raise CorpusError(
                f"The table {path} gives {name!r} two speakers, {speakers[name]!r} and, in line "
                f"{number}, {speaker!r}. Keep one of them."
            )
    folder = Path(os.path.abspath(path)).parent  # noqa: PTH100 - keeps links
    stems = Counter(PurePosixPath(clip.clip_id).stem for clip in corpus)

    def speaker_of(clip: Clip, file: Path) -> str:
        place = PurePosixPath(clip.clip_id)
        names = [clip.clip_id, str(place.with_suffix(""))]
        if file.is_relative_to(folder):
            below = file.relative_to(folder)
            names += [below.as_posix(), below.with_suffix("").as_posix()]
        if stems[place.stem] == 1:  # a name that no other file has
            names += [place.name, place.stem]
        spelled = map(composed, names)  # as `read_table` gives them
        return next((speakers[name] for name in spelled if speakers.get(name)), "")

    return speaker_of
