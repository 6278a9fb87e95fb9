"""Runs compared on the same clips, speaker by speaker."""

from __future__ import annotations

from collections.abc import Sequence

from aver.audit.shared import pair_words
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.holm import holm
from aver.evaluation.paired import PairedComparison, compare
from aver.evaluation.power import smallest_p
from aver.reports.interval_words import interval_note
from aver.reports.run_facts import by_protocol, incomparable
from aver.reports.table import Cell, Estimate, Table


def show_p(p: float) -> str:
    """A p value as it is printed.

    Examples
    --------
    >>> show_p(0.0312), show_p(0.00002)
    ('0.031', '<0.001')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def compare_all(
    evaluation: Evaluation, others: Sequence[Evaluation]
) -> tuple[tuple[PairedComparison, float], ...]:
    """Paired comparisons with every run of the same classes, each with its p value after Holm.

    Each is over the clips that both runs tested. What is left out `run_notes` tells.
    """
    runs = [by_protocol(evaluation, run) for run in others]
    found = [compare(evaluation, run) for run in runs if not incomparable(evaluation, run)]
    corrected = holm([comparison.p_speakers for comparison in found])
    return tuple(zip(found, corrected, strict=True))


def paired_table(comparisons: Sequence[tuple[PairedComparison, float]]) -> Table:
    """Differences of the system to the runs beside it."""
    rows: list[tuple[Cell, ...]] = []
    for found, corrected in comparisons:
        rows.append(
            (
                found.second,
                Estimate.of(found.difference, signed=True),
                show_p(corrected),
                show_p(found.p_speakers),
                show_p(found.p_clips),
                Estimate(found.smallest),
                found.verdict(corrected),
            )
        )
    columns = (
        "compared with",
        "difference in points",
        "p (Holm)",
        "p by speaker",
        "p by clip (naive)",
        "smallest showable",
        "verdict",
    )
    unknown = any(not found.knows_speakers for found, _ in comparisons)
    notes = [
        interval_note(columns, rows, unknown_speakers=unknown),
        "p by speaker: the two runs are swapped within whole speakers. p by clip: McNemar, which "
        "wrongly takes clips of one speaker as independent. Smallest showable: the true difference "
        "in points that these speakers would have shown with power 80 % at two-sided 5 %.",
    ]
    notes += [
        f"{found.first} against {found.second}: {_left_out(found.left_out)}."
        for found, _ in comparisons
        if found.left_out
    ]
    notes += out_of_reach(comparisons)
    title = "Paired differences in accuracy on the same clips"
    return Table("paired", title, columns, tuple(rows), tuple(notes))


def _left_out(clips: int) -> str:
    verb = "is" if clips == 1 else "are"
    return f"{pair_words(clips, 'clip')} that only one of the two runs tested {verb} left out"


def out_of_reach(comparisons: Sequence[tuple[PairedComparison, float]]) -> tuple[str, ...]:
    """What to say where so few speakers cannot pass the correction at all; else nothing."""
    if not comparisons:
        return ()
    speakers = max(found.speakers for found, _ in comparisons)  # runs may share fewer clips
    least = min(1.0, len(comparisons) * smallest_p(speakers))
    if least <= 0.05:
        return ()
    count = pair_words(len(comparisons), "comparison")
    return (
        f"With {pair_words(speakers, 'speaker')} and {count} the smallest p after correction is at "
        f"least {least:.3f}: no difference, however large, passes at 5 %.",
    )
