"""An audit report as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aver.audit.finding import Finding
from aver.audit.shared import pair_words

if TYPE_CHECKING:
    from aver.audit.report import AuditReport


def render_text(report: AuditReport, shown: int = 5) -> str:
    """Write one block per kind of finding: title, where, how many, meaning, advice.

    Folds with the same finding are put on one line, with the numbers of the first of them.

    Parameters
    ----------
    report : AuditReport
    shown : int
        Names per line.
    """
    counts = f"{pair_words(report.clips, 'clip')} in {pair_words(report.folds, 'fold')}"
    speakers = f", {pair_words(report.speakers, 'known speaker')}" if report.speakers else ""
    lines = [f"{report.source}: {report.form}, {counts}{speakers}"]
    by_kind: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    for findings in by_kind.values():
        lines += ["", *_block(findings, shown)]
    lines += ["", report.verdict]
    return "\n".join(lines) + "\n"


def _block(findings: Sequence[Finding], shown: int) -> list[str]:
    about = findings[0].about
    declared = " (the split says so)" if all(finding.declared for finding in findings) else ""
    lines = [f"{str(about.level).upper():<8} {about.title}{declared}"]
    by_parts: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        by_parts.setdefault(finding.parts, []).append(finding)
    for group in by_parts.values():
        first = group[0]
        places = _folds([finding.fold for finding in group])
        lines.append(f"         {places}{first.message}{_sample(first.subjects, shown)}")
    lines.append(f"         {about.meaning} {about.advice}")
    return lines


def _folds(numbers: Sequence[int | None]) -> str:
    known = [number for number in numbers if number is not None]
    if not known:
        return ""
    if len(known) == 1:
        return f"Fold {known[0]}: "
    return f"{len(known)} folds, first fold {known[0]}: "


def _sample(subjects: Sequence[str], shown: int) -> str:
    if not subjects:
        return ""
    more = f", ... and {len(subjects) - shown} more" if len(subjects) > shown else ""
    return f" ({', '.join(subjects[:shown])}{more})"
