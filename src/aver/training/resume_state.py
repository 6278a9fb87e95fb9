"""`drop_resume_states`: delete what an unfinished training left to go on from."""

from __future__ import annotations

from pathlib import Path

RESUME_NAME = "resume.ckpt"


def drop_resume_states(folder: Path) -> None:
    """Delete the states in a folder and below, where members of a recogniser have theirs.

    Parameters
    ----------
    folder : Path
        It need not exist.
    """
    for state in folder.rglob(RESUME_NAME):
        state.unlink()
