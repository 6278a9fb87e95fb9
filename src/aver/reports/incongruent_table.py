"""The table of incongruent clips: voice, face or neither, by class."""

from __future__ import annotations

from collections.abc import Sequence

from aver.evaluation.incongruent import Followed, Incongruent, Side, share_following
from aver.evaluation.intervals import interval
from aver.reports.interval_words import interval_note
from aver.reports.table import Cell, Estimate, Table

_COLUMNS: dict[Followed, str] = {
    "voice": "voice's emotion",
    "face": "face's emotion",
    "neither": "neither",
}


def incongruent_table(found: Sequence[Incongruent], name: str, title: str) -> Table:
    """Shares of clips answered by the voice's emotion, the face's, and neither's.

    Parameters
    ----------
    found : sequence of Incongruent
        One per seed; shares are means over seeds, with intervals over speakers.
    name, title : str
    """
    labels: list[tuple[Side, str]] = [("any", "")]
    labels += [("voice", label) for label in found[0].classes]
    labels += [("face", label) for label in found[0].classes]
    rows: list[tuple[Cell, ...]] = []
    for side, label in labels:
        clips = int(found[0].chosen(side, label).sum())
        if clips:
            words = "all clips" if side == "any" else f"{side} {label}"
            shares = (share_following(found, what, side, label) for what in _COLUMNS)
            rows.append((words, *(Estimate.of(interval(share, clips=clips)) for share in shares)))
    columns = ("clips", *_COLUMNS.values())
    notes = (
        f"{len(found[0].voice)} clips of test speakers, each with the voice of one performance and "
        "the face of another of the same speaker; nothing is trained on such clips.",
        f"By chance either sense would be followed in {100 / len(found[0].classes):.1f} %.",
        interval_note(columns, rows),
    )
    return Table(name, f"{title}. Answers in %", columns, tuple(rows), notes)
