"""`ReportedRun`: a finished run as reports need it, from memory or from its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aver.audit import AuditReport, audit_run
from aver.audit.audit_run import is_run_folder
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation
from aver.evaluation.robustness import read_robustness
from aver.execution.files import command_without_folders, without_folders
from aver.reports.robustness_report import MeasuredRun

if TYPE_CHECKING:
    from aver.corpora.corpus import Corpus
    from aver.evaluation.experiment import ExperimentResult

_FIRST = ("majority", "statistics-logistic", "statistics-svm")


@dataclass(frozen=True)
class ReportedRun:
    """Answers of one system, and the folder with everything else.

    Parameters
    ----------
    evaluation : Evaluation
    folder : Path
        Run folder.
    unusable : tuple of str
        Clips that could not be used, and why.
    """

    evaluation: Evaluation
    folder: Path
    unusable: tuple[str, ...] = ()

    @classmethod
    def of_result(cls, result: ExperimentResult) -> ReportedRun:
        """A run that was made just now."""
        lost = tuple(f"{f.clip.clip_id}: {f.reason}" for f in result.failures)
        return cls(result.evaluation, result.folder, lost)

    @classmethod
    def read(cls, folder: Path) -> ReportedRun:
        """A run that was made at any time.

        Raises
        ------
        SettingsError
            If the folder holds no evaluation.
        """
        evaluation = load_evaluation(folder)
        lost: Mapping[str, str] = _settings_of(folder).get("unusable_clips") or {}
        return cls(evaluation, folder, tuple(f"{name}: {why}" for name, why in lost.items()))

    @cached_property
    def baselines(self) -> tuple[ReportedRun, ...]:
        """What `aver evaluate` ran beside: simplest first."""
        found = [place.parent for place in self.folder.glob("baselines/*/evaluation.json")]
        order = {name: place for place, name in enumerate(_FIRST)}
        found.sort(key=lambda place: (order.get(place.name, len(order)), place.name))
        return tuple(ReportedRun.read(place) for place in found)

    @cached_property
    def measured(self) -> MeasuredRun:
        """What `aver robustness` measured of it; perhaps nothing."""
        return MeasuredRun(self.evaluation, read_robustness(self.evaluation, self.folder))

    @cached_property
    def settings_text(self) -> str:
        """``settings.yaml`` without folders of this machine; empty where there is none."""
        import yaml

        found = _settings_of(self.folder)
        if "command" in found:
            found["command"] = command_without_folders(str(found["command"]))
        if not found:
            return ""
        return yaml.safe_dump(without_folders(found), sort_keys=False, allow_unicode=True)

    @cached_property
    def cards(self) -> tuple[dict[str, Any], ...]:
        """Cards of all trainings, in order of seed and fold; each says which it is of."""
        cards = []
        for path in sorted(self.folder.glob("folds/*/*/fold.json")):
            record = json.loads(path.read_text("utf-8"))
            cards.append({**record.get("card", {}), "fold": record["fold"], "seed": record["seed"]})
        return tuple(cards)

    def audited(self, corpus: Corpus | None) -> ReportedRun:
        """The run marked as leaking where an audit finds what the run itself does not say."""
        run, audit = self.evaluation, self.audit(corpus)
        if run.leaks or audit is None or not audit.undeclared:
            return self
        protocol = f"LEAKS: {run.protocol.removeprefix('clean: ')}"
        return replace(self, evaluation=replace(run, leaks=audit.undeclared, protocol=protocol))

    def audit(self, corpus: Corpus | None) -> AuditReport | None:
        """The split, and what the cards say of fitting and labels.

        Parameters
        ----------
        corpus : Corpus or None
            Tells who speaks.

        Returns
        -------
        AuditReport or None
            None without corpus (an audit that knows no speakers is blind to the commonest leak),
            or where the folder is no run folder.
        """
        known = corpus is not None and is_run_folder(self.folder)
        return audit_run(self.folder, corpus) if known else None


def _settings_of(folder: Path) -> dict[str, Any]:
    import yaml

    target = folder / "settings.yaml"
    found = yaml.safe_load(target.read_text("utf-8")) if target.exists() else None
    return found if isinstance(found, dict) else {}


def distinct_names(runs: Sequence[ReportedRun]) -> tuple[ReportedRun, ...]:
    """Runs whose systems can be told apart in one table; a run given twice is there once.

    Two protocols of one system share its name, and its row; two runs of the same protocol get the
    names of their folders, as much of them as it takes.
    """
    distinct: list[ReportedRun] = []
    for run in runs:
        if not any(_same(run.evaluation, other.evaluation) for other in distinct):
            distinct.append(run)
    for parts in range(1, 1 + max(len(run.folder.resolve().parts) for run in runs)):
        keys = [(run.evaluation.system, bool(run.evaluation.leaks)) for run in distinct]
        named = []
        for run, key in zip(distinct, keys, strict=True):
            if keys.count(key) > 1:
                place = "/".join(run.folder.resolve().parts[-parts:])
                plain = run.evaluation.system.split(" [")[0]
                run = replace(run, evaluation=replace(run.evaluation, system=f"{plain} [{place}]"))
            named.append(run)
        distinct = named
    return tuple(distinct)


def _same(one: Evaluation, other: Evaluation) -> bool:
    """Whether two runs are the same one, perhaps read twice."""
    return (one.system, one.protocol, one.clip_ids) == (
        *(other.system, other.protocol, other.clip_ids),
    ) and np.array_equal(one.probabilities, other.probabilities)
