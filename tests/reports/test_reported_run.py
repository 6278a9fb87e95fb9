"""Runs read back for reports: distinct names, baselines in order, findings as a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from drawn_runs import drawn_run

from aver.audit import AuditReport
from aver.audit.finding import Finding
from aver.errors import SettingsError
from aver.evaluation.evaluation_folder import save_evaluation
from aver.reports.reported_run import ReportedRun, distinct_names, read_others
from aver.reports.run_tables import audit_table


def test_names_are_told_apart_by_folders_and_a_double_goes() -> None:
    one = ReportedRun(drawn_run(draw=1), Path("runs/a/x"))
    two = ReportedRun(drawn_run(draw=2), Path("runs/b/x"))
    other = ReportedRun(drawn_run(draw=3, system="other"), Path("runs/c"))
    named = distinct_names([one, two, other, replace(one, folder=Path("copy"))])
    assert [run.evaluation.system for run in named] == ["drawn [a/x]", "drawn [b/x]", "other"]


def test_a_leaking_run_keeps_the_name_of_its_clean_one() -> None:
    leaking = replace(drawn_run(draw=2), leaks=("It leaks.",))
    runs = [ReportedRun(drawn_run(draw=1), Path("a")), ReportedRun(leaking, Path("b"))]
    assert [run.evaluation.system for run in distinct_names(runs)] == ["drawn", "drawn"]


def test_baselines_come_simplest_first(tmp_path: Path) -> None:
    save_evaluation(drawn_run(), tmp_path)
    for name in ("late-fusion", "statistics-svm", "majority", "audio-only"):
        save_evaluation(drawn_run(system=name), tmp_path / "baselines" / name)
    found = [run.evaluation.system for run in read_others(tmp_path)]
    assert found == ["majority", "statistics-svm", "audio-only", "late-fusion"]
    with pytest.raises(SettingsError, match="holds no evaluation"):
        ReportedRun.read(tmp_path / "nothing")


def test_findings_of_many_folds_are_one_row() -> None:
    shared = [
        Finding("shared-speakers", f"Fold {fold} shares 3.", fold, ("train", "test"))
        for fold in (1, 2, 4)
    ]
    report = AuditReport("split", "JSON", 10, 5, 4, ("names",), tuple(shared))
    table = audit_table(report)
    assert table is not None
    ((level, _, where, first, advice),) = table.rows
    assert (level, where, first) == ("leak", "train and test, 3 of 5 folds", "Fold 1 shares 3.")
    assert advice
    assert audit_table(replace(report, findings=())) is None
