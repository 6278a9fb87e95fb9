"""`ReportedRun`: a finished run as reports need it, from memory or from its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aver.audit import AuditReport, audit_records, audit_run, listing_of
from aver.audit.audit_run import is_run_folder
from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation
from aver.evaluation.robustness import read_robustness
from aver.execution.clip_work import reading
from aver.execution.files import command_without_folders, without_folders
from aver.reports.robustness_report import MeasuredRun

if TYPE_CHECKING:
    from aver.corpora.corpus import Corpus
    from aver.evaluation.experiment import ExperimentResult

_SIMPLEST = ("majority", "statistics-logistic", "statistics-svm")


@dataclass(frozen=True)
class ReportedRun:
    """The evaluation of a system, and what a report shows besides.

    Parameters
    ----------
    evaluation : Evaluation
        Marked as leaking if the audit finds a leak that the run does not declare.
    folder : Path
        Run folder.
    unusable : tuple of str
        Clips that could not be used, with the reasons.
    audit : AuditReport or None
        Of the split and the records of the run; None if the speakers are not known, because an
        audit without them misses the most frequent leak, or if nothing was trained.
    cards : tuple of dict
        Cards of all trainings in order of seed and fold, with the keys ``fold`` and ``seed``.
    """

    evaluation: Evaluation
    folder: Path
    unusable: tuple[str, ...] = ()
    audit: AuditReport | None = None
    cards: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of_result(cls, result: ExperimentResult) -> ReportedRun:
        """A run that was made just now; nothing is read back."""
        audit = None
        if result.experiment is not None:
            split, corpus = result.experiment.split, result.experiment.corpus
            records = {
                f"folds/seed-{record['seed']}/fold-{record['fold']:02d}": record
                for record in result.folds
            }
            leaks = result.settings["leaks"]
            listing = listing_of(split, corpus)
            audit = audit_records(result.experiment.audit, listing, records, leaks)
        return cls(
            _marked(result.evaluation, audit),
            result.folder,
            tuple(f"{f.clip.clip_id}: {f.reason}" for f in result.failures),
            audit,
            tuple(map(_card, result.folds)),
        )

    @classmethod
    def read(cls, folder: Path, corpus: Corpus | None = None) -> ReportedRun:
        """A run from its folder.

        Parameters
        ----------
        folder : Path
        corpus : Corpus, optional
            Names the speakers for the audit; without it there is no audit.

        Raises
        ------
        SettingsError
            If the folder holds no evaluation.
        """
        evaluation = load_evaluation(folder)
        audit = audit_run(folder, corpus) if corpus and is_run_folder(folder) else None
        with reading(folder / "settings.yaml", SettingsError):
            unusable: Mapping[str, str] = _settings_of(folder).get("unusable_clips") or {}
            reasons = tuple(f"{clip_id}: {reason}" for clip_id, reason in unusable.items())
        cards = []
        for path in sorted(folder.glob("folds/*/*/fold.json")):
            with reading(path, SettingsError):
                cards.append(_card(json.loads(path.read_text("utf-8"))))
        return cls(_marked(evaluation, audit), folder, reasons, audit, tuple(cards))

    @cached_property
    def measured(self) -> MeasuredRun:
        """What `aver robustness` has measured of the run, if anything."""
        return MeasuredRun(self.evaluation, read_robustness(self.evaluation, self.folder))

    @cached_property
    def settings_text(self) -> str:
        """``settings.yaml`` without folders of this machine; empty if there is none."""
        import yaml

        settings = _settings_of(self.folder)
        if "command" in settings:
            settings["command"] = command_without_folders(str(settings["command"]))
        if not settings:
            return ""
        return yaml.safe_dump(without_folders(settings), sort_keys=False, allow_unicode=True)


def _card(record: Mapping[str, Any]) -> dict[str, Any]:
    return {**record.get("card", {}), "fold": record["fold"], "seed": record["seed"]}


def _marked(run: Evaluation, audit: AuditReport | None) -> Evaluation:
    """The evaluation with the leaks that only the audit finds."""
    if run.leaks or audit is None or not audit.undeclared:
        return run
    protocol = f"LEAKS: {run.protocol.removeprefix('clean: ')}"
    return replace(run, leaks=audit.undeclared, protocol=protocol)


def _settings_of(folder: Path) -> dict[str, Any]:
    import yaml

    path = folder / "settings.yaml"
    settings = yaml.safe_load(path.read_text("utf-8")) if path.exists() else None
    return settings if isinstance(settings, dict) else {}


def read_others(folder: Path, corpus: Corpus | None = None) -> tuple[ReportedRun, ...]:
    """What `aver evaluate` ran with a system: further presets, then baselines, simplest first.

    Parameters
    ----------
    folder : Path
        Run folder of the system.
    corpus : Corpus, optional
        As for `ReportedRun.read`.
    """
    further = sorted(path.parent for path in folder.glob("systems/*/evaluation.json"))
    folders = [path.parent for path in folder.glob("baselines/*/evaluation.json")]
    order = {name: index for index, name in enumerate(_SIMPLEST)}
    folders.sort(key=lambda path: (order.get(path.name, len(order)), path.name))
    folders = [*further, *folders]
    return tuple(ReportedRun.read(path, corpus) for path in folders)


def distinct_names(runs: Sequence[ReportedRun]) -> tuple[ReportedRun, ...]:
    """Runs with distinct names, each once.

    Two protocols of one system share its name and its row. Two runs of one system with the same
    protocol are told apart by the ends of their folders.
    """
    distinct: list[ReportedRun] = []
    for run in runs:
        if not any(_is_same(run.evaluation, other.evaluation) for other in distinct):
            distinct.append(run)
    for length in range(1, 1 + max(len(run.folder.resolve().parts) for run in runs)):
        keys = [(run.evaluation.system, bool(run.evaluation.leaks)) for run in distinct]
        named = []
        for run, key in zip(distinct, keys, strict=True):
            if keys.count(key) > 1:
                end = "/".join(run.folder.resolve().parts[-length:])
                system = run.evaluation.system.split(" [")[0]
                run = replace(run, evaluation=replace(run.evaluation, system=f"{system} [{end}]"))
            named.append(run)
        distinct = named
    return tuple(distinct)


def _is_same(one: Evaluation, other: Evaluation) -> bool:
    """Whether two runs are the same one, perhaps read twice."""
    return (one.system, one.protocol, one.clip_ids) == (
        *(other.system, other.protocol, other.clip_ids),
    ) and np.array_equal(one.probabilities, other.probabilities)
