"""What is said of runs beside their figures: their data, and why they differ from each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aver.audit.finding import counted
from aver.evaluation.evaluation import Evaluation
from aver.reports.table import Cell, Estimate

_MAX_NAMED = 6

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
    if len(found) > _MAX_NAMED:
        return f"{', '.join(found[:_MAX_NAMED])} and {len(found) - _MAX_NAMED} more"
    return ", ".join(found)


def describe_data(evaluation: Evaluation) -> str:
    """Corpus, clips, speakers and classes in one phrase, as every title needs it."""
    seeds = len(evaluation.seed_values)
    return (
        f"{_name_of(evaluation)}: {counted(evaluation.clip_count, 'clip')}, "
        f"{speakers_in_words(evaluation)}, {counted(seeds, 'seed')}, "
        f"{len(evaluation.classes)} classes ({', '.join(evaluation.classes)})"
    )


def speakers_in_words(evaluation: Evaluation) -> str:
    """How many speakers were tested, as far as anybody knows."""
    unknown = evaluation.clips_of_unknown_speakers
    if not evaluation.knows_speakers:
        return "speakers unknown"
    known = counted(len(evaluation.speaker_ids) - unknown, "speaker")
    return f"{known} and {counted(unknown, 'clip')} of unknown ones" if unknown else known


def _name_of(evaluation: Evaluation) -> str:
    """The corpus; by its title where many corpora share a reader."""
    if evaluation.corpus != "manifest":
        return evaluation.corpus
    return str(evaluation.facts.get("corpus_title", evaluation.corpus))


def run_notes(evaluations: Sequence[Evaluation]) -> list[str]:
    """What to say of runs in one table that differ in clips or classes, or from their settings.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        The first is what the others stand beside.
    """
    first = evaluations[0]
    runs = (first, *(by_protocol(first, other) for other in evaluations[1:]))
    notes = _remarks(runs)
    for run in runs:
        lost = int(run.facts.get("left_out_clips", 0))
        if lost:
            notes.append(
                f"{run.system}: {counted(lost, 'clip')} left out that not every part could use."
            )
        if run.clip_count != first.clip_count:
            notes.append(f"{run.system}: over {counted(run.clip_count, 'clip')}.")
        why = incomparable(first, run)
        if why:
            notes.append(f"{run.system} is not compared with {first.system}: {why}.")
    return notes


def _remarks(runs: Sequence[Evaluation]) -> list[str]:
    """Each remark once, with the systems it is about, or those few that it is not about."""
    about: dict[str, list[str]] = {}
    for run in runs:
        for remark in run.facts.get("remarks", ()):
            about.setdefault(remark, []).append(run.system)
    notes = []
    for remark, systems in about.items():
        others = [run.system for run in runs if run.system not in systems]
        who = "; ".join(systems)
        if len(systems) > max(1, len(others)):
            who = "all but " + "; ".join(others) if others else "all systems"
        notes.append(f"{who}: {remark}")
    return notes


def by_protocol(first: Evaluation, other: Evaluation) -> Evaluation:
    """The other run, its protocol in its name where it is of another kind than the first's."""
    if bool(other.leaks) == bool(first.leaks):
        return other
    protocol = "paper protocol, LEAKS" if other.leaks else "clean protocol"
    return replace(other, system=f"{other.system} ({protocol})")


def incomparable(first: Evaluation, other: Evaluation) -> str:
    """Why two runs cannot be compared clip by clip; empty where they can."""
    if first.classes != other.classes:
        return "it tells other classes apart"
    return "" if set(first.clip_ids) & set(other.clip_ids) else "they have no clip in common"
