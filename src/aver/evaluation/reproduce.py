"""Repeat a paper's tables: its number, ours under its protocol, ours under a clean protocol.

The tables of a paper are described in `reproductions/`. Each run is made once, however many tables
need it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import MediaError, SettingsError
from aver.evaluation.combine import fuse_late, pool_seeds
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation, save_evaluation
from aver.evaluation.experiment import Experiment, run_experiment
from aver.evaluation.paired import PairedComparison, compare, holm
from aver.evaluation.published import PublishedNumber, contradictions, published
from aver.evaluation.reproduction import (
    PROTOCOLS,
    Protocol,
    ProtocolKind,
    Reproduction,
    ReproductionSettings,
    SystemChoice,
    TablePlan,
    TableRow,
    reproductions,
)
from aver.evaluation.run import Run, clip_facts, digest
from aver.execution.progress import progress_bar
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.settings import settings_to_mapping

__all__ = [
    "CorpusRuns",
    "ReproducedRow",
    "ReproducedTable",
    "Reproduction",
    "ReproductionSettings",
    "RunCache",
    "RunRequest",
    "reproduce_table",
    "reproductions",
]

Fold = TypeVar("Fold", int, str)
"""A fold's number, or its name in print."""


@dataclass(frozen=True, eq=False)
class ReproducedRow:
    """One row with its numbers.

    Parameters
    ----------
    label : str
    published : PublishedNumber or None
    runs : mapping of {"paper", "scripts", "clean"} to Evaluation
        Empty for results of other authors.
    inferior_folds : mapping of str to tuple of str
        By ``"published"``, ``"paper"``, ``"clean"``: folds in which this row of both
        modalities is below the best row of one.
    """

    label: str
    published: PublishedNumber | None
    runs: Mapping[ProtocolKind, Evaluation]
    inferior_folds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ReproducedTable:
    """A reproduced table.

    Parameters
    ----------
    system : str
        Name of the reproduction.
    plan : TablePlan
    settings : ReproductionSettings
    rows : tuple of ReproducedRow
    comparisons : mapping of protocols to pairs of (PairedComparison, corrected p)
    contradictions : tuple of str
        Where the papers print the numbers shown differently.
    fold_names : mapping of protocols to mapping of int to str
        By number, of every fold of any row; a row lacks folds in which it could use no clip.
    """

    system: str
    plan: TablePlan
    settings: ReproductionSettings
    rows: tuple[ReproducedRow, ...]
    comparisons: Mapping[ProtocolKind, tuple[tuple[PairedComparison, float], ...]]
    contradictions: tuple[str, ...]
    fold_names: Mapping[ProtocolKind, Mapping[int, str]]


@dataclass(frozen=True)
class RunRequest:
    """One system under one protocol with one seed.

    Parameters
    ----------
    system : SystemChoice
    protocol : Protocol
    seed : int
    corpus_key : str
        Name and content of the corpus, see `CorpusRuns.key`.
    """

    system: SystemChoice
    protocol: Protocol
    seed: int
    corpus_key: str

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything that decides the result, see `Run`; the names of rows do not belong here."""
        model, settings = load_preset(self.system.preset, self.system.overrides)
        return {
            "model": model.name,
            "settings": settings_to_mapping(settings),
            "rule": self.protocol.rule,
            "rule_settings": dict(self.protocol.rule_settings),
            "leaking": self.protocol.leaking,
            "predicted": self.protocol.predicted,
            "seed": self.seed,
            "corpus": self.corpus_key,
        }


Evaluate = Callable[[RunRequest, Path], Evaluation]
"""Makes a run in the folder given, and continues what an interrupted one left there."""


class RunCache:
    """Finished runs below one folder, found by what was requested.

    Parameters
    ----------
    folder : Path
        Each run has a folder of its own below, named by its identity.
    evaluate : callable
        Makes a run that is missing.
    """

    def __init__(self, folder: Path, evaluate: Evaluate) -> None:
        self.folder = folder
        self._evaluate = evaluate

    def run(self, request: RunRequest) -> Run:
        """Identity and folder of the run; it need not exist."""
        return Run.below(self.folder, request.identity)

    def get(self, request: RunRequest) -> Evaluation:
        """The run, made now if it is missing."""
        run = self.run(request)
        if run.start():
            evaluation = load_evaluation(run.folder)
        else:
            evaluation = self._evaluate(request, run.folder)
            if not run.is_finished():
                save_evaluation(evaluation, run.folder)
        return replace(evaluation, system=request.system.name or evaluation.system)


@dataclass(frozen=True)
class CorpusRuns:
    """Makes runs on one corpus; the `evaluate` of a `RunCache`.

    Parameters
    ----------
    corpus : Corpus
    store : FeatureStore
    workers : int >= 1
    strict : bool
        Raise an error for a clip that cannot be used.
    command : str
        The command line that repeats the runs, for the record.
    """

    corpus: Corpus
    store: FeatureStore
    workers: int = 1
    strict: bool = False
    command: str = ""

    @cached_property
    def key(self) -> str:
        """Name, clips, labels and content of the files of the corpus, not their paths."""
        facts = [
            [*clip_facts(clip), clip.action_units_row, *self._content_keys(clip)]
            for clip in self.corpus
        ]
        return f"{self.corpus.name}-{digest(facts)[:12]}"

    def _content_keys(self, clip: Clip) -> list[str]:
        """Of video, audio and action units; empty for a missing or unreadable file."""
        keys = []
        for path in (clip.video, clip.audio, clip.action_units):
            try:
                keys.append(self.store.file_key(path) if path else "")
            except MediaError:
                keys.append("")  # the run lists the clip as unreadable and continues
        return keys

    def __call__(self, request: RunRequest, folder: Path) -> Evaluation:
        """Run all folds of one request in `folder`."""
        protocol = request.protocol
        experiment = Experiment(
            self.corpus,
            protocol.split(self.corpus),
            request.system.preset,
            request.system.overrides,
            (request.seed,),
            name=request.system.name,
            leaking=protocol.leaking,
            command=self.command,
        )
        result = run_experiment(
            experiment, folder, store=self.store, workers=self.workers, strict=self.strict
        )
        return result.evaluation


def reproduce_table(
    reproduction: Reproduction,
    number: str,
    runs: RunCache,
    *,
    corpus_key: str,
    protocols: tuple[ProtocolKind, ...] = PROTOCOLS,
) -> ReproducedTable:
    """Make the missing runs of a table, and fill it.

    Parameters
    ----------
    reproduction : Reproduction
    number : str
        Of the table.
    runs : RunCache
        An interrupted call continues where it stopped.
    corpus_key : str
        Name and content of the corpus, see `CorpusRuns.key`.
    protocols : tuple of {"paper", "scripts", "clean"}
        Which to run, of those that the table has.

    Returns
    -------
    ReproducedTable

    Raises
    ------
    SettingsError
        If there is no such table, or it has none of these protocols.
    """
    plan = reproduction.table(number)
    protocols = protocols_in(plan.protocols, protocols, f"Table {number}")
    evaluations = _make_runs(reproduction, plan, runs, corpus_key, protocols)
    for row in plan.rows:
        if row.fused_from:
            for kind in protocols:
                members = [evaluations[label, kind] for label in row.fused_from]
                evaluations[row.label, kind] = fuse_late(members, row.label)
    names = {kind: _fold_names(reproduction, evaluations, kind) for kind in protocols}
    rows = tuple(_fill(row, plan, evaluations, names) for row in plan.rows)
    keys = tuple(row.published for row in plan.rows if row.published)
    return ReproducedTable(
        reproduction.name,
        plan,
        reproduction.settings,
        rows,
        {kind: _compare(plan, evaluations, kind) for kind in protocols},
        contradictions(keys),
        names,
    )


def protocols_in(
    has: Mapping[ProtocolKind, Protocol], wanted: Sequence[ProtocolKind], what: str
) -> tuple[ProtocolKind, ...]:
    """The wanted protocols that a table or figure has.

    Raises
    ------
    SettingsError
        If it has none of them; `what` names it.
    """
    kinds = tuple(kind for kind in wanted if kind in has)
    if not kinds:
        raise SettingsError(
            f"{what} has the protocols {', '.join(has)}, not {', '.join(wanted)}. Choose with "
            "--protocols."
        )
    return kinds


Evaluations = dict[tuple[str, ProtocolKind], Evaluation]
"""By label of the row and protocol."""


def requests_of(
    system: SystemChoice, plan: TablePlan, kind: ProtocolKind, seeds: tuple[int, ...], key: str
) -> tuple[RunRequest, ...]:
    """The runs of one row under one protocol: one per seed, or one if the seed does not matter."""
    needed = seeds[:1] if system.deterministic else seeds
    protocol = plan.protocols[kind]
    protocol = replace(protocol, leaking=protocol.leaking and system.leaking)
    return tuple(RunRequest(system, protocol, seed, key) for seed in needed)


def _make_runs(
    reproduction: Reproduction,
    plan: TablePlan,
    runs: RunCache,
    corpus_key: str,
    protocols: tuple[ProtocolKind, ...],
) -> Evaluations:
    seeds = reproduction.settings.seeds
    requests = {
        (row.label, kind): requests_of(
            replace(row.system, name=row.label), plan, kind, seeds, corpus_key
        )
        for row in plan.rows
        if row.system is not None
        for kind in protocols
    }
    every = [runs.run(request) for group in requests.values() for request in group]
    missing = {run.folder for run in every if not run.is_finished()}
    evaluations: Evaluations = {}
    with progress_bar(
        f"Runs of {reproduction.name}, table {plan.number}", len(missing), "runs"
    ) as bar:
        for (label, kind), group in requests.items():
            bar.describe(f"{label} ({kind})")
            by_seed = []
            for request in group:
                by_seed.append(runs.get(request))
                folder = runs.run(request).folder
                if folder in missing:
                    missing.remove(folder)
                    bar.advance()
            evaluations[label, kind] = pool_seeds(by_seed)
    return evaluations


def _fold_names(
    reproduction: Reproduction, evaluations: Evaluations, kind: ProtocolKind
) -> dict[int, str]:
    """Folds of all rows under one protocol, by number; named by the speakers tested in them."""
    speakers: dict[int, set[str]] = {}
    for (_, protocol), run in evaluations.items():
        if protocol == kind:
            for fold, speaker in zip(run.folds.tolist(), run.speakers, strict=True):
                speakers.setdefault(fold, set()).add(speaker)
    return {
        fold: reproduction.fold_name(tuple(sorted(tested)))
        for fold, tested in sorted(speakers.items())
    }


def fold_accuracies(run: Evaluation) -> dict[int, float]:
    """Accuracy of each fold by its number, in [0, 1]; each clip counts once over its seeds."""
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
    evaluations: Evaluations,
    names: Mapping[ProtocolKind, Mapping[int, str]],
) -> ReproducedRow:
    singles = plan.inferior.get(row.label, ())
    marked: dict[str, tuple[str, ...]] = {}
    if singles:
        printed = {r.label: published(r.published).folds for r in plan.rows if r.published}
        if row.label in printed:
            marked["published"] = _inferior(printed[row.label], [printed[s] for s in singles])
        for kind in names:
            own, *others = (
                fold_accuracies(evaluations[label, kind]) for label in (row.label, *singles)
            )
            marked[kind] = tuple(names[kind][fold] for fold in _inferior(own, others))
    return ReproducedRow(
        row.label,
        published(row.published) if row.published else None,
        {kind: evaluations[row.label, kind] for kind in names if (row.label, kind) in evaluations},
        marked,
    )


def _inferior(
    own: Mapping[Fold, float], others: Sequence[Mapping[Fold, float]]
) -> tuple[Fold, ...]:
    """Folds in which a row is below the best of the others; folds that none has do not count."""
    best = {fold: max((o[fold] for o in others if fold in o), default=0.0) for fold in own}
    return tuple(fold for fold in own if own[fold] < best[fold] - 1e-12)


def _compare(
    plan: TablePlan, evaluations: Evaluations, kind: ProtocolKind
) -> tuple[tuple[PairedComparison, float], ...]:
    for pair in plan.compared:
        for label in pair:
            if (label, kind) not in evaluations:
                raise SettingsError(f"Table {plan.number} compares {label!r}, which is not a row.")
    comparisons = [
        compare(evaluations[one, kind], evaluations[two, kind]) for one, two in plan.compared
    ]
    corrected = holm([comparison.p_speakers for comparison in comparisons])
    return tuple(zip(comparisons, corrected, strict=True))
