"""Action units made elsewhere, attached to the clips of a corpus."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import CorpusError


def attach_units(corpus: Corpus, path: str | Path) -> Corpus:
    """Tell clips where their action units lie.

    Parameters
    ----------
    corpus : Corpus
    path : str or Path
        A CSV with one row per clip, its first column one of the clip's names (`Clip.names`); or a
        folder in which (at any depth) a CSV named after the clip holds one row per frame.

    Returns
    -------
    Corpus
        With `Clip.units` and `Clip.units_row` set where the table or folder knows the clip.

    Raises
    ------
    CorpusError
        If there is no such file or folder, it cannot be read, or it knows none of the clips.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise CorpusError(
            f"There are no action units at {path}. Give a CSV keyed by clip names, or a folder of "
            "one CSV per clip."
        )
    tracks = _tracks_below(path) if path.is_dir() else dict.fromkeys(_rows_of(path), path)
    clips = tuple(_with_units(clip, tracks, is_table=not path.is_dir()) for clip in corpus)
    if not any(clip.units in tracks.values() for clip in clips):
        example = next(iter(tracks), "nothing")
        raise CorpusError(
            f"{path} knows none of the clips of {corpus.root}: it names {example!r}, the corpus "
            f"{', '.join(repr(name) for name in corpus.clips[0].names)}."
        )
    return replace(corpus, clips=clips)


def _with_units(clip: Clip, tracks: dict[str, Path], *, is_table: bool) -> Clip:
    name = next((name for name in clip.names if name in tracks), None)
    if name is None:
        return clip
    return replace(clip, units=tracks[name], units_row=name if is_table else "")


def _tracks_below(folder: Path) -> dict[str, Path]:
    """File stems to files; the first by path where two have the same stem."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.csv")):
        found.setdefault(path.stem, path)
    return found


def _rows_of(table: Path) -> list[str]:
    """First column below the header."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            separator = ";" if first.count(";") > first.count(",") else ","
            return [row[0].strip() for row in csv.reader(file, delimiter=separator) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"The table of action units {table} cannot be read: {error}.") from None
