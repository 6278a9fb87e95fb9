"""`Entry`: one clip of a split, and all that is known about it without opening it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A line of somebody's list.

    Parameters
    ----------
    name : str
        What the list calls the clip: an id or a path. Equal names are one clip.
    recording : str
        The performance that the clip is a file, a copy or a piece of.
    derived : bool
        Whether the name says that it is an augmented copy or a piece.
    speaker, sentence, emotion, sex : str or None
        None where nobody knows.
    path : str
        Where the file lies, as the list has it; equals `name` for plain lists of files.
    """

    name: str
    recording: str
    derived: bool = False
    speaker: str | None = None
    sentence: str | None = None
    emotion: str | None = None
    sex: str | None = None
    path: str = ""
