"""Tables of training corpora by test corpora, one for each metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aver.audit.finding import counted
from aver.evaluation.calibration import calibration_error
from aver.evaluation.cross_corpus import CorpusResult, results_by_corpus
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.metrics import METRICS, unweighted_recall
from aver.evaluation.summary import interval_of_metric
from aver.reports.run_tables import METRIC_TITLES
from aver.reports.statements import by_protocol, interval_note, speakers_in_words
from aver.reports.table import Cell, Estimate, Table

ALL_OTHERS = "all other corpora"
"""The training corpora if each corpus is tested once and all others train."""

_TABLES = {  # as EmoBox: unweighted recall is its UA, accuracy its WA
    "unweighted_recall": "corpora-uar",
    "accuracy": "corpora-accuracy",
    "macro_f1": "corpora-macro-f1",
    "calibration_error": "corpora-calibration",
}
_FUNCTIONS = {**METRICS, "calibration_error": calibration_error}


def corpus_tables(evaluations: Sequence[Evaluation]) -> tuple[Table, ...]:
    """One table per metric: systems and training corpora in rows, test corpora in columns.

    No cell pools test corpora. A run of a single corpus has no such table.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        The system first, then the runs that it is compared with.

    Returns
    -------
    tuple of Table
        Unweighted recall, accuracy, macro F1 and calibration error.

    Notes
    -----
    Source: the form of Schuller et al. (2010), "Cross-corpus acoustic emotion recognition", and of
    EmoBox (Ma et al. 2024), "Cross-corpus".
    """
    first = evaluations[0]
    found = results_by_corpus(first)
    if not found:
        return ()
    runs = [first, *(by_protocol(first, run) for run in evaluations[1:])]
    results = [(run.system, results_by_corpus(run)) for run in runs]
    tested = [name for name in first.facts["corpora"]["names"] if name in {r.tested for r in found}]
    return tuple(_table(metric, results, tested, found, first) for metric in _TABLES)


def training_label(result: CorpusResult, results: Sequence[CorpusResult]) -> str:
    """The training corpora of a result; `ALL_OTHERS` in a run that leaves one out at a time.

    Parameters
    ----------
    result : CorpusResult
    results : sequence of CorpusResult
        All of the run.
    """
    names = {name for one in results for name in (*one.trained, one.tested)}
    alone = all({*one.trained, one.tested} == names and not one.within for one in results)
    if alone and len({one.tested for one in results}) == len(names) > 2:
        return ALL_OTHERS
    return " + ".join(result.trained)


def recall_matrix(
    evaluation: Evaluation,
) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]] | None:
    """Unweighted recall by training and test corpora, for a plot; None with fewer than two cells.

    Returns
    -------
    shares : np.ndarray [shape=(trainings, test corpora)]
        NaN where nothing was tested.
    trainings, tested : tuple of str
    """
    results = results_by_corpus(evaluation)
    if len(results) < 2:
        return None
    trainings = tuple(dict.fromkeys(training_label(result, results) for result in results))
    found = {result.tested for result in results}
    tested = tuple(name for name in evaluation.facts["corpora"]["names"] if name in found)
    shares = np.full((len(trainings), len(tested)), np.nan)
    for result in results:
        cell = trainings.index(training_label(result, results)), tested.index(result.tested)
        shares[cell] = unweighted_recall(result.evaluation).value
    return shares, trainings, tested


def _table(
    metric: str,
    results: Sequence[tuple[str, Sequence[CorpusResult]]],
    tested: Sequence[str],
    found: Sequence[CorpusResult],
    evaluation: Evaluation,
) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for system, own in results:
        cells: dict[str, dict[str, Estimate]] = {}
        for result in own:
            if result.tested in tested:
                row = cells.setdefault(training_label(result, own), {})
                row[result.tested] = _estimate(metric, result)
        rows += [
            (system, trained, *(row.get(name) for name in tested)) for trained, row in cells.items()
        ]
    columns = ("system", "trained on", *(f"test: {name}" for name in tested))
    title = f"{METRIC_TITLES[metric][:1].upper()}{METRIC_TITLES[metric][1:]} by test corpus"
    notes = [*_notes(metric, found, evaluation), interval_note(columns, _named(rows))]
    return Table.of(_TABLES[metric], title, columns, tuple(rows), tuple(notes))


def _named(rows: Sequence[tuple[Cell, ...]]) -> list[tuple[Cell, ...]]:
    """Rows whose first cell names system and training corpora, for the note on intervals."""
    return [(f"{row[0]}, trained on {row[1]}", None, *row[2:]) for row in rows]


def _estimate(metric: str, result: CorpusResult) -> Estimate:
    run = result.evaluation
    found = interval_of_metric(metric, _FUNCTIONS[metric](run), run.clip_count)
    if found.is_a_point:  # the same for all speakers, which says nothing about others
        found = replace(found, low=None, high=None, method="none")
    return Estimate.of(found)


def _notes(metric: str, found: Sequence[CorpusResult], evaluation: Evaluation) -> list[str]:
    sizes: dict[str, str] = {}
    for result in found:
        run = result.evaluation
        sizes.setdefault(
            result.tested,
            f"{result.tested} {counted(run.clip_count, 'clip')}, {speakers_in_words(run)}",
        )
    notes = [f"Tested: {'; '.join(sizes.values())}. No cell pools corpora."]
    notes += evaluation.facts["corpora"].get("notes", ())
    if metric in ("unweighted_recall", "accuracy"):
        classes = len(evaluation.classes)
        notes.append(f"Chance among {classes} classes is {100 / classes:.1f} %.")
    if any(result.within for result in found):
        notes.append(
            "Where a test corpus is also a training corpus, other speakers of it are trained on "
            "(speaker-disjoint folds)."
        )
    return notes
