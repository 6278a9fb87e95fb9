"""`AuditReport`: the verdict on a split, as text, JSON, SARIF or JUnit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from aver.audit.finding import KINDS, Finding, Kind, Level
from aver.audit.listing import Listing
from aver.audit.sharing import pair_words
from aver.splits.split import UNKNOWN_SPEAKERS
from aver.version import __version__


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
    by_subsets: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        by_subsets.setdefault(finding.subsets, []).append(finding)
    for group in by_subsets.values():
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


_LEVELS = {Level.LEAK: "error", Level.WARNING: "warning", Level.NOTE: "note"}
_NAMED = 20  # subjects in a message; all of them are in the JSON report


def render_sarif(report: AuditReport) -> str:
    """Write the report as one SARIF run.

    Notes
    -----
    Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0, sections 3.14
    (run), 3.27 (result) and 3.49 (reportingDescriptor).
    """
    rules = [
        {
            "id": kind.name,
            "shortDescription": {"text": kind.title},
            "fullDescription": {"text": kind.meaning},
            "help": {"text": kind.advice},
            "defaultConfiguration": {"level": _LEVELS[kind.level]},
        }
        for kind in KINDS.values()
    ]
    places = {name: place for place, name in enumerate(KINDS)}
    run = {
        "tool": {"driver": {"name": "aver audit", "version": __version__, "rules": rules}},
        "results": [
            _result(finding, places[finding.kind], report.files or (report.source,))
            for finding in report.findings
        ],
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _result(finding: Finding, rule: int, files: Sequence[str]) -> dict[str, Any]:
    named = ", ".join(finding.subjects[:_NAMED])
    more = len(finding.subjects) - _NAMED
    names = f" {named}{f' and {more} more' if more > 0 else ''}." if named else ""
    place = f"{finding.place}: " if finding.place else ""
    return {
        "ruleId": finding.kind,
        "ruleIndex": rule,
        "level": _LEVELS[finding.level],
        "message": {"text": f"{place}{finding.message}{names} {finding.about.meaning}"},
        "locations": [{"physicalLocation": _place(file)} for file in files],
    }


def _place(file: str) -> dict[str, Any]:
    """A whole file; hosts of code want a line, and a list's findings are of all its lines."""
    path = PurePath(file)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    return {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}


_NEEDS = {
    "names": "names",
    "audio": "the sound of the clips (--corpus)",
    "images": "the pictures of the clips (--corpus)",
    "media": "the media of the clips (--corpus)",
    "record": "the record of a run",
}


def render_junit(report: AuditReport) -> str:
    """Write one test case per kind: failed where there is a leak, the rest as its output.

    Parameters
    ----------
    report : AuditReport

    Returns
    -------
    str
        XML that JUnit's readers accept. Warnings and notes do not fail. What was not looked for,
        such as media without ``--corpus``, is skipped.
    """
    by_kind: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    failures = len({finding.kind for finding in report.leaks})
    skipped = [
        kind for kind in KINDS.values() if kind.name not in by_kind and not report.looked_for(kind)
    ]
    counts = {
        "tests": str(len(KINDS)),
        "failures": str(failures),
        "errors": "0",
        "skipped": str(len(skipped)),
    }
    root = ElementTree.Element("testsuites", {"name": "aver audit", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": report.source, **counts})
    for kind in KINDS.values():
        words = {"classname": "aver.audit", "name": kind.name}
        case = ElementTree.SubElement(suite, "testcase", words)
        found = by_kind.get(kind.name, [])
        if kind in skipped:
            message = f"not looked for: it needs {_NEEDS[kind.needs]}"
            ElementTree.SubElement(case, "skipped", {"message": message})
        if not found:
            continue
        lines = "\n".join(_line(finding) for finding in found)
        if kind.level is Level.LEAK:
            failure = {"message": kind.title, "type": "leak"}
            ElementTree.SubElement(case, "failure", failure).text = lines
        else:
            ElementTree.SubElement(case, "system-out").text = f"{kind.level}: {lines}"
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _line(finding: Finding) -> str:
    place = f"{finding.place}: " if finding.place else ""
    # XML 1.0 has no control characters, not even escaped; file names may.
    line = f"{place}{finding.message} {', '.join(finding.subjects)}"
    return "".join(letter if letter.isprintable() else "?" for letter in line)


FORMAT = "aver-audit-1"

_SIGNS = {
    "names": ("names",),
    "audio": ("the sound",),
    "images": ("the films", "the pictures"),
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
        Worst first, then by kind, fold and subsets.
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
        return render_sarif(self)

    def junit(self) -> str:
        """JUnit XML, for CI systems that show tests."""
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
    """Worst first: by level and kind as `KINDS` lists them, then by fold and subsets."""
    order = {kind: place for place, kind in enumerate(KINDS)}
    return tuple(
        sorted(
            findings, key=lambda finding: (order[finding.kind], finding.fold or 0, finding.subsets)
        )
    )
