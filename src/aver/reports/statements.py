"""Sentences below tables: what the data are, what the intervals are over, how the runs differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from aver.audit.finding import counted
from aver.corpora.combine import part_of
from aver.evaluation.cross_corpus import results_by_corpus
from aver.evaluation.evaluation import Evaluation
from aver.reports.table import Cell, Estimate

_MAX_NAMED = 6

OVER_SPEAKERS = "95 % over speakers"
OVER_CLIPS = (
    "95 % over clips, because the speakers are unknown; too narrow if a speaker has several clips"
)


def interval_note(
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    unknown_speakers: bool = False,
    further: str = "",
) -> str:
    """Say over what the intervals of a table are, and which of them are exceptions.

    Parameters
    ----------
    columns : sequence of str
        Of the table.
    rows : sequence of sequence of Cell
        Of the table; the first cell of a row names it.
    unknown_speakers : bool
        The speakers of all clips are unknown.
    further : str
        Added for all intervals, for example ``", all folds pooled"``.

    Examples
    --------
    >>> some = Estimate(0.5, 0.4, 0.6, method="t")
    >>> interval_note(("system", "accuracy"), [("one", some)], further=", all folds pooled")
    'Intervals: 95 % over speakers, all folds pooled.'
    """
    given = [cell for row in rows for cell in row if isinstance(cell, Estimate) and cell.method]
    missing = _named(columns, rows, "none")
    if given and all(cell.method == "none" for cell in given):
        return f"No intervals: {_WHY_NONE}."
    parts = [(OVER_CLIPS if unknown_speakers else OVER_SPEAKERS) + further]
    equal = _named(columns, rows, "binomial")
    if equal and all(cell.method in ("binomial", "none") for cell in given):
        parts = [f"95 % over clips (exact binomial; {_OPTIMISTIC}){further}"]
    elif equal:
        parts.append(f"over clips (exact binomial; {_OPTIMISTIC}): {equal}")
    if missing:
        parts.append(f"none, because {_WHY_NONE}: {missing}")
    return f"Intervals: {'; '.join(parts)}."


_OPTIMISTIC = "too narrow, because all speakers have the same result"
_WHY_NONE = (
    "there is one speaker only, or only one of a corpus, or all speakers have the same result, or "
    "the value is undefined without one of them"
)


def _named(columns: Sequence[str], rows: Sequence[Sequence[Cell]], method: str) -> str:
    """The rows with an interval of this method; with the columns if not all of a row have it."""
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
    """Corpus, clips, speakers, seeds and classes in one phrase, for titles."""
    seeds = len(evaluation.seed_values)
    return (
        f"{_name_of(evaluation)}: {counted(evaluation.clip_count, 'clip')}, "
        f"{speakers_in_words(evaluation)}, {counted(seeds, 'seed')}, "
        f"{len(evaluation.classes)} classes ({', '.join(evaluation.classes)})"
    )


def speakers_in_words(evaluation: Evaluation) -> str:
    """The number of tested speakers, as far as they are known."""
    unknown = evaluation.clips_of_unknown_speakers
    if not evaluation.knows_speakers:
        return "speakers unknown"
    known = counted(len(evaluation.speaker_ids) - unknown, "speaker")
    return f"{known} and {counted(unknown, 'clip')} of unknown speakers" if unknown else known


def tested_corpora(evaluation: Evaluation) -> tuple[str, ...]:
    """Names of the joined corpora that are tested; empty for a single corpus."""
    joined = evaluation.facts.get("corpora", {}).get("names", ())
    found = set(evaluation.clip_corpora)
    return tuple(name for name in joined if name in found)


def trained_in_words(evaluation: Evaluation) -> str:
    """``"Trained and tested"``, or, if corpora are joined, what was trained on before testing."""
    if not tested_corpora(evaluation):
        return "Trained and tested"
    trainings = {" + ".join(names) for names in evaluation.facts["corpora"]["trained"].values()}
    if len(trainings) > 1:
        return f"Trained {len(trainings)} times, on different corpora, and tested"
    return f"Trained on {trainings.pop()}; tested"


def pooling_note(evaluation: Evaluation) -> tuple[str, ...]:
    """That the figures pool several test corpora, and how; nothing for a single one."""
    tested = tested_corpora(evaluation)
    if len(tested) < 2:
        return ()
    sizes = Counter(part_of(clip_id) for clip_id in set(evaluation.clip_ids))
    shares = ", ".join(f"{name} {sizes[name]}" for name in tested)
    notes = [
        f"Pooled over {len(tested)} test corpora, each clip with the same weight ({shares} clips); "
        "intervals leave out and draw speakers within their corpus. The table by test corpus does "
        "not pool."
    ]
    trainings = {tuple(names) for names in evaluation.facts["corpora"]["trained"].values()}
    if len(trainings) > 1 and evaluation.predictions.duplicated(["clip_id", "seed"]).any():
        own = any(result.within for result in results_by_corpus(evaluation))
        notes.append(
            f"Pooled over trainings on {len(trainings)} sets of corpora too"
            f"{', those on the test corpus included' if own else ''}: a clip counts once, with the "
            "mean of its results."
        )
    return tuple(notes)


def _name_of(evaluation: Evaluation) -> str:
    """Name of what is tested; the title of a corpus if its reader is for corpora of any kind."""
    if evaluation.facts.get("corpus_shown"):
        return str(evaluation.facts["corpus_shown"])
    tested = tested_corpora(evaluation)
    if tested:
        return " + ".join(tested)
    if evaluation.corpus != "manifest":
        return evaluation.corpus
    return str(evaluation.facts.get("corpus_title", evaluation.corpus))


def run_notes(evaluations: Sequence[Evaluation]) -> list[str]:
    """Notes on runs in one table: remarks, skipped clips, and why runs cannot be compared.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        The others are compared with the first.
    """
    first = evaluations[0]
    runs = (first, *(by_protocol(first, other) for other in evaluations[1:]))
    notes = _remarks(runs)
    for run in runs:
        lost = int(run.facts.get("left_out_clips", 0))
        if lost:
            notes.append(
                f"{run.system}: {counted(lost, 'clip')} left out that not every "
                "fused system could use."
            )
        if run.clip_count != first.clip_count:
            notes.append(f"{run.system}: tested on {counted(run.clip_count, 'clip')}.")
        why = incomparable(first, run)
        if why:
            notes.append(f"{run.system} is not compared with {first.system}: {why}.")
    return notes


def _remarks(runs: Sequence[Evaluation]) -> list[str]:
    """Each remark once, with the systems it holds for, or the few that it does not hold for."""
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
    """The other run, named with its protocol if only one of the two leaks."""
    if bool(other.leaks) == bool(first.leaks):
        return other
    protocol = "paper protocol, LEAKS" if other.leaks else "clean protocol"
    return replace(other, system=f"{other.system} ({protocol})")


def incomparable(first: Evaluation, other: Evaluation) -> str:
    """Why two runs cannot be compared clip by clip; empty if they can."""
    if first.classes != other.classes:
        return "it has other classes"
    return "" if set(first.clip_ids) & set(other.clip_ids) else "they share no test clip"
