"""Findings of an audit as a table."""

from __future__ import annotations

from aver.audit import AuditReport
from aver.audit.finding import Finding
from aver.reports.table import Cell, Table


def audit_table(report: AuditReport) -> Table | None:
    """One row per kind of finding and pair of parts, worst first; None where nothing was found.

    Parameters
    ----------
    report : AuditReport
    """
    groups: dict[tuple[str, tuple[str, ...]], list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault((finding.kind, finding.parts), []).append(finding)
    rows: list[tuple[Cell, ...]] = []
    for found in groups.values():
        first = found[0]
        folds = [finding.fold for finding in found if finding.fold is not None]
        where = " and ".join(first.parts) or "the whole split"
        if folds:
            where += f", {len(folds)} of {report.folds} folds"
        rows.append((str(first.level), first.about.title, where, first.message, first.about.advice))
    if not rows:
        return None
    columns = ("level", "what", "where", "first of them", "advice")
    checked = f"Checked: {' and '.join(report.checked)}."
    return Table("audit", f"Audit: {report.verdict}", columns, tuple(rows), (checked,))
