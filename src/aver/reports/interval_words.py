"""What the intervals of a table are over, in one sentence that is true of that table."""

from __future__ import annotations

from collections.abc import Sequence

from aver.reports.table import Cell, Estimate

_MOST_NAMED = 6

OVER_SPEAKERS = "95 % over speakers"
OVER_CLIPS = (
    "95 % over clips, each taken for a speaker of its own because nobody knows who speaks, so too "
    "narrow where somebody speaks in several"
)


def interval_note(
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    unknown_speakers: bool = False,
    further: str = "",
) -> str:
    """Say what the intervals are over, and where they are over something else.

    Parameters
    ----------
    columns : sequence of str
        Of the table.
    rows : sequence of sequence of Cell
        Of the table; a row's first cell names it.
    unknown_speakers : bool
        Nobody knows who speaks in any of the clips.
    further : str
        Said behind it of all intervals, for instance ``", all folds pooled"``.

    Returns
    -------
    str

    Examples
    --------
    >>> some = Estimate(0.5, 0.4, 0.6, method="t")
    >>> interval_note(("system", "accuracy"), [("one", some)], further=", all folds pooled")
    'Intervals: 95 % over speakers, all folds pooled.'
    """
    given = [cell for row in rows for cell in row if isinstance(cell, Estimate) and cell.method]
    lacking = _places(columns, rows, "none")
    if given and all(cell.method == "none" for cell in given):
        return f"No intervals: {_WHY_NONE}."
    parts = [(OVER_CLIPS if unknown_speakers else OVER_SPEAKERS) + further]
    alike = _places(columns, rows, "binomial")
    if alike and all(cell.method in ("binomial", "none") for cell in given):
        parts = [f"95 % over clips (exact binomial, {_OPTIMISTIC}){further}"]
    elif alike:
        parts.append(f"over clips (exact binomial, {_OPTIMISTIC}): {alike}")
    if lacking:
        parts.append(f"none, because {_WHY_NONE}: {lacking}")
    return f"Intervals: {'; '.join(parts)}."


_OPTIMISTIC = "optimistic, because all speakers score alike"
_WHY_NONE = "one speaker is too few, or they score alike, or the figure is undefined without one"


def _places(columns: Sequence[str], rows: Sequence[Sequence[Cell]], method: str) -> str:
    """Rows, and where a row has several figures the columns, of figures with this method."""
    found = []
    for row in rows:
        given = [
            (column, cell)
            for column, cell in zip(columns, row, strict=True)
            if isinstance(cell, Estimate) and cell.method
        ]
        chosen = [column for column, cell in given if cell.method == method]
        if chosen:
            some = len(chosen) < len(given)
            found.append(f"{row[0]} ({', '.join(chosen)})" if some else str(row[0]))
    if len(found) > _MOST_NAMED:
        return f"{', '.join(found[:_MOST_NAMED])} and {len(found) - _MOST_NAMED} more"
    return ", ".join(found)
