"""What CREMA-D's crowd heard and saw: shares of votes per clip."""

from __future__ import annotations

from pathlib import Path

from aver.corpora.corpus import Problem
from aver.corpora.table import read_table
from aver.errors import CorpusError

_PERCEIVED = {"1": "voice", "2": "face", "3": "both"}  # first digit of the row's number
_LETTERS = {
    "N": "neutral",
    "H": "happy",
    "S": "sad",
    "A": "angry",
    "F": "fearful",
    "D": "disgust",
}

Votes = dict[str, dict[str, dict[str, float]]]
"""Clip to what was perceived (voice, face, both) to emotion to share of votes."""


def read_votes(folder: Path, problems: list[Problem]) -> Votes:
    """Read ``processedResults/tabulatedVotes.csv``.

    Parameters
    ----------
    folder : Path
        The folder that holds ``processedResults``.
    problems : list of Problem
        Gets an entry where the table is missing.

    Returns
    -------
    dict
        Clip id -> ``"voice"``, ``"face"``, ``"both"`` -> emotion -> share; shares sum to 1.

    Raises
    ------
    CorpusError
        If a row is not as published.

    Notes
    -----
    Source: the corpus's ``processFinishedResponses.r``: rows are numbered 100,000 x query type +
    clip number, with query type 1 voice, 2 face, 3 audio-visual.
    """
    path = folder / "processedResults" / "tabulatedVotes.csv"
    if not path.is_file():
        problems.append(Problem("processedResults/tabulatedVotes.csv", "Not found: no votes."))
        return {}
    votes: Votes = {}
    table = read_table(path, ["fileName", *_LETTERS])
    for line, row in table.rows:
        perceived = _PERCEIVED.get(row[table.columns[0]][:1])
        try:
            counts = {emotion: int(row[letter]) for letter, emotion in _LETTERS.items()}
        except ValueError:
            counts = {}
        total = sum(counts.values())
        if perceived is None or total <= 0:
            raise CorpusError(f"Line {line} of {path} is not a row of votes as published.")
        shares = {emotion: count / total for emotion, count in counts.items()}
        votes.setdefault(row["fileName"], {})[perceived] = shares
    return votes
