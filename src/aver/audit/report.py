"""`AuditReport`: the verdict on a split, as text, JSON, SARIF or JUnit."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from aver.audit.finding import Finding
from aver.audit.kind import KINDS, Kind, Level
from aver.audit.listing import Listing
from aver.splits.leak import UNKNOWN_SPEAKERS

FORMAT = "aver-audit-1"

_SIGNS = {
    "names": ("names",),
    "sound": ("the sound",),
    "pictures": ("the films", "the pictures"),
    "media": ("the sound", "the films", "the pictures"),
    "record": ("record",),
}
"""What `AuditReport.checked` says where it was looked at."""


@dataclass(frozen=True)
class AuditReport:
    """What an audit found.

    Parameters
    ----------
    source : str
        What was audited.
    form : str
        How it was read.
    clips, folds : int
        Distinct clips, and folds.
    speakers : int
        Distinct speakers that are known.
    checked : tuple of str
        What was looked at: ``"names"``, ``"sound of 192 clips"``, ...
    findings : tuple of Finding
        Worst first, then by kind, fold and parts.
    files : tuple of str
        The files and folders that were audited; empty where there were none.
    """

    source: str
    form: str
    clips: int
    folds: int
    speakers: int
    checked: tuple[str, ...]
    findings: tuple[Finding, ...]
    files: tuple[str, ...] = ()

    def looked_for(self, kind: Kind) -> bool:
        """Whether what such a finding needs was looked at."""
        signs = _SIGNS[kind.needs]
        return any(
            sign in what and not what.startswith("0 ") for what in self.checked for sign in signs
        )

    def of_level(self, level: Level) -> tuple[Finding, ...]:
        """Findings of one level."""
        return tuple(finding for finding in self.findings if finding.level is level)

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """Findings that make the split unfit for a clean result."""
        return self.of_level(Level.LEAK)

    @property
    def undeclared(self) -> tuple[str, ...]:
        """Leaks that the split itself does not declare: a sentence per kind, for reports."""
        found: dict[str, list[Finding]] = {}
        for finding in self.leaks:
            if not finding.declared:
                found.setdefault(finding.kind, []).append(finding)
        return tuple(
            f"{kind}: {findings[0].message}"
            + (f" So in {len(findings)} places." if len(findings) > 1 else "")
            + " Found by the audit, not declared by the split."
            for kind, findings in found.items()
        )

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings to know about."""
        return self.of_level(Level.WARNING)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """Findings to mention."""
        return self.of_level(Level.NOTE)

    @property
    def exit_code(self) -> int:
        """1 with a leak, else 0."""
        return 1 if self.leaks else 0

    @property
    def verdict(self) -> str:
        """One line for reports and model cards."""
        checked = " and ".join(self.checked)
        if self.leaks:
            kinds = dict.fromkeys(finding.about.title for finding in self.leaks)
            return f"LEAKS: {'; '.join(kinds)} (checked: {checked})"
        blind = sum(len(f.subjects) for f in self.warnings if f.kind == UNKNOWN_SPEAKERS)
        but = f", but {'' if blind == self.clips else 'some '}speakers are unknown" if blind else ""
        warned = len({finding.kind for finding in self.warnings})
        words = f", {warned} kinds of warning" if warned > 1 else ", one kind of warning"
        return f"no leak found{but}{words if warned else ''} (checked: {checked})"

    def with_findings(self, findings: Iterable[Finding], checked: Iterable[str]) -> AuditReport:
        """The report with more findings, from other checks of the same split."""
        every = in_order([*self.findings, *findings])
        return replace(self, findings=every, checked=(*self.checked, *checked))

    def text(self, shown: int = 5) -> str:
        """A table for the terminal; at most `shown` subjects per line."""
        from aver.audit.text import render_text

        return render_text(self, shown)

    def as_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "format": FORMAT,
            "source": self.source,
            "form": self.form,
            "clips": self.clips,
            "folds": self.folds,
            "speakers": self.speakers,
            "checked": list(self.checked),
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "counts": {str(level): len(self.of_level(level)) for level in Level},
            "findings": [finding.as_json() for finding in self.findings],
        }

    def json(self) -> str:
        """Everything as JSON text."""
        return json.dumps(self.as_json(), indent=2, ensure_ascii=False) + "\n"

    def sarif(self) -> str:
        """SARIF 2.1.0, for code hosts that show findings beside the file."""
        from aver.audit.sarif import render_sarif

        return render_sarif(self)

    def junit(self) -> str:
        """JUnit XML, for CI systems that show tests."""
        from aver.audit.junit import render_junit

        return render_junit(self)


def report_on(
    listing: Listing, findings: Iterable[Finding], checked: tuple[str, ...]
) -> AuditReport:
    """Put findings on a listing into a report."""
    speakers = {entry.speaker for entry in listing.entries.values()} - {None}
    return AuditReport(
        source=listing.source,
        form=listing.form,
        clips=len(listing.entries),
        folds=len(listing.folds),
        speakers=len(speakers),
        checked=checked,
        findings=in_order(findings),
        files=listing.files,
    )


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Worst first: by level and kind as `KINDS` lists them, then by fold and parts."""
    order = {kind: place for place, kind in enumerate(KINDS)}
    return tuple(
        sorted(
            findings, key=lambda finding: (order[finding.kind], finding.fold or 0, finding.parts)
        )
    )
