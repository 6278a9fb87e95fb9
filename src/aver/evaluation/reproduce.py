"""Repeating a paper's tables: its number, ours under its protocol, ours under a clean one.

One machinery for all systems. What a paper's tables are is said in `reproductions/`; how a run is
made is handed in; each run is made once, however many tables want it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from aver.errors import SettingsError
from aver.evaluation.combine import fuse_late, pool_seeds
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.paired import PairedComparison, compare, holm
from aver.evaluation.reproduction import (
    PublishedNumber,
    Reproduction,
    ReproductionSettings,
    TablePlan,
    TableRow,
    contradictions,
    published,
    reproductions,
)
from aver.evaluation.run import ProtocolKind, RunRequest, RunShelf, SystemChoice
from aver.execution.progress import progress_bar

Fold = TypeVar("Fold", int, str)
"""A fold's number, or its name in print."""

__all__ = [
    "ReproducedRow",
    "ReproducedTable",
    "Reproduction",
    "ReproductionSettings",
    "reproduce_table",
    "reproductions",
]


@dataclass(frozen=True, eq=False)
class ReproducedRow:
    """One row with its numbers.

    Parameters
    ----------
    label : str
    published : PublishedNumber or None
    runs : mapping of {"paper", "clean"} to Evaluation
        Empty for other authors' results.
    inferior_folds : mapping of str to tuple of str
        By ``"published"``, ``"paper"``, ``"clean"``: folds where this joint row is below the best
        single one.
    """

    label: str
    published: PublishedNumber | None
    runs: Mapping[ProtocolKind, Evaluation]
    inferior_folds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ReproducedTable:
    """A repeated table.

    Parameters
    ----------
    system : str
        Name of the reproduction.
    plan : TablePlan
    settings : ReproductionSettings
    rows : tuple of ReproducedRow
    comparisons : mapping of {"paper", "clean"} to pairs of (PairedComparison, corrected p)
    contradictions : tuple of str
        What the papers say otherwise elsewhere about the numbers shown.
    fold_names : mapping of {"paper", "clean"} to mapping of int to str
        By number, of every fold that any row has; a row lacks those of which it could use no clip.
    """

    system: str
    plan: TablePlan
    settings: ReproductionSettings
    rows: tuple[ReproducedRow, ...]
    comparisons: Mapping[ProtocolKind, tuple[tuple[PairedComparison, float], ...]]
    contradictions: tuple[str, ...]
    fold_names: Mapping[ProtocolKind, Mapping[int, str]]


def reproduce_table(
    reproduction: Reproduction,
    number: str,
    shelf: RunShelf,
    *,
    corpus_key: str,
    protocols: tuple[ProtocolKind, ...] = ("paper", "clean"),
) -> ReproducedTable:
    """Make all runs of a table that are not there yet, and fill it.

    Parameters
    ----------
    reproduction : Reproduction
    number : str
        Of the table.
    shelf : RunShelf
        Where runs are kept; an interrupted call goes on where it stopped.
    corpus_key : str
        Tells corpora apart: name and content.
    protocols : tuple of {"paper", "clean"}
        Which to run.

    Returns
    -------
    ReproducedTable

    Raises
    ------
    SettingsError
        If there is no such table.
    """
    plan = reproduction.table(number)
    runs = _make_runs(reproduction, plan, shelf, corpus_key, protocols)
    _fuse(plan, runs, protocols)
    names = {kind: _fold_names(reproduction, runs, kind) for kind in protocols}
    rows = tuple(_fill(row, plan, runs, names) for row in plan.rows)
    keys = tuple(row.published for row in plan.rows if row.published)
    return ReproducedTable(
        reproduction.name,
        plan,
        reproduction.settings,
        rows,
        {kind: _compare(plan, runs, kind) for kind in protocols},
        contradictions(keys),
        names,
    )


Runs = dict[tuple[str, ProtocolKind], Evaluation]
"""By label and protocol."""


def requests_of(
    system: SystemChoice, plan: TablePlan, kind: ProtocolKind, seeds: tuple[int, ...], key: str
) -> tuple[RunRequest, ...]:
    """The runs of one row under one protocol, one per seed."""
    needed = seeds if system.draws else seeds[:1]
    return tuple(RunRequest(system, plan.protocols[kind], seed, key) for seed in needed)


def _make_runs(
    reproduction: Reproduction,
    plan: TablePlan,
    shelf: RunShelf,
    corpus_key: str,
    protocols: tuple[ProtocolKind, ...],
) -> Runs:
    wanted: dict[tuple[str, ProtocolKind], tuple[RunRequest, ...]] = {}
    for row in plan.rows:
        if row.system is not None:
            named = replace(row.system, name=row.label)
            for kind in protocols:
                seeds = reproduction.settings.seeds
                wanted[row.label, kind] = requests_of(named, plan, kind, seeds, corpus_key)
    all_requests = [request for requests in wanted.values() for request in requests]
    missing = {request.hash for request in all_requests if not shelf.has(request)}
    runs: Runs = {}
    with progress_bar(f"Runs of {reproduction.name}, table {plan.number}", len(missing)) as bar:
        for (label, kind), requests in wanted.items():
            bar.describe(f"{label} ({kind})")
            found = []
            for request in requests:
                found.append(shelf.get(request))
                if request.hash in missing:
                    missing.remove(request.hash)
                    bar.advance()
            runs[label, kind] = pool_seeds(found)
    return runs


def _fuse(plan: TablePlan, runs: Runs, protocols: tuple[ProtocolKind, ...]) -> None:
    for row in plan.rows:
        if row.fused_from:
            for kind in protocols:
                parts = [runs[label, kind] for label in row.fused_from]
                runs[row.label, kind] = fuse_late(parts, row.label)


def _fold_names(reproduction: Reproduction, runs: Runs, kind: ProtocolKind) -> dict[int, str]:
    """Folds of all rows under one protocol, by number; named by whoever any row tested in them."""
    speakers: dict[int, set[str]] = {}
    for (_, protocol), run in runs.items():
        if protocol == kind:
            for fold, speaker in zip(run.folds.tolist(), run.speakers, strict=True):
                speakers.setdefault(fold, set()).add(speaker)
    return {
        n: reproduction.fold_name(tuple(sorted(found))) for n, found in sorted(speakers.items())
    }


def fold_accuracies(run: Evaluation) -> dict[int, float]:
    """Accuracy of each fold by its number, as a share; each clip counts once over its seeds."""
    weighted = run.correct * run.clip_weights
    return {
        int(fold): float(
            weighted[run.folds == fold].sum() / run.clip_weights[run.folds == fold].sum()
        )
        for fold in np.unique(run.folds)
    }


def _fill(
    row: TableRow,
    plan: TablePlan,
    runs: Runs,
    names: Mapping[ProtocolKind, Mapping[int, str]],
) -> ReproducedRow:
    singles = plan.inferior.get(row.label, ())
    marked: dict[str, tuple[str, ...]] = {}
    if singles:
        printed = {r.label: published(r.published).folds for r in plan.rows if r.published}
        if row.label in printed:
            marked["published"] = _inferior(printed[row.label], [printed[s] for s in singles])
        for kind in names:
            own, *others = (fold_accuracies(runs[label, kind]) for label in (row.label, *singles))
            marked[kind] = tuple(names[kind][fold] for fold in _inferior(own, others))
    return ReproducedRow(
        row.label,
        published(row.published) if row.published else None,
        {kind: runs[row.label, kind] for kind in names if (row.label, kind) in runs},
        marked,
    )


def _inferior(
    own: Mapping[Fold, float], others: Sequence[Mapping[Fold, float]]
) -> tuple[Fold, ...]:
    """Folds in which a row is below the best of others; a fold that none of them has is not."""
    best = {fold: max((o[fold] for o in others if fold in o), default=0.0) for fold in own}
    return tuple(fold for fold in own if own[fold] < best[fold] - 1e-12)


def _compare(
    plan: TablePlan, runs: Runs, kind: ProtocolKind
) -> tuple[tuple[PairedComparison, float], ...]:
    for pair in plan.compared:
        for label in pair:
            if (label, kind) not in runs:
                raise SettingsError(f"Table {plan.number} compares {label!r}, which is no row.")
    found = [compare(runs[one, kind], runs[two, kind]) for one, two in plan.compared]
    corrected = holm([comparison.p_speakers for comparison in found])
    return tuple(zip(found, corrected, strict=True))
