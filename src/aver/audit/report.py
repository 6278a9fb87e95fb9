"""`AuditReport`: the result of an audit, as text, JSON, SARIF or JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from aver.audit.finding import KINDS, Finding, Kind, Level, counted
from aver.audit.listing import Listing
from aver.splits.split import UNKNOWN_SPEAKERS
from aver.version import __version__

_FORMAT = "aver-audit-2"

_EVIDENCE = {
    "names": ("names",),
    "audio": ("audio",),
    "images": ("video", "images"),
    "media": ("audio", "video", "images"),
    "record": ("record",),
}
"""What a kind needs, to the words in `AuditReport.checked` that show that it was looked at."""


@dataclass(frozen=True)
class AuditReport:
    """The findings of an audit.

    Parameters
    ----------
    source : str
        What was audited.
    form : str
        In which form it was read.
    clips, folds : int
        Distinct clips, and folds.
    speakers : int
        Distinct known speakers.
    checked : tuple of str
        What was looked at: ``"names"``, ``"audio of 192 clips"``, ...
    findings : tuple of Finding
        Worst first, then by kind, fold and subsets.
    files : tuple of str
        The files and folders that were audited; may be empty.
    """

    source: str
    form: str
    clips: int
    folds: int
    speakers: int
    checked: tuple[str, ...]
    findings: tuple[Finding, ...]
    files: tuple[str, ...] = ()

    @classmethod
    def of(cls, listing: Listing, findings: Iterable[Finding]) -> AuditReport:
        """The report on the names of a listing."""
        speakers = {entry.speaker for entry in listing.entries.values()} - {None}
        return cls(
            source=listing.source,
            form=listing.form,
            clips=len(listing.entries),
            folds=len(listing.folds),
            speakers=len(speakers),
            checked=("names",),
            findings=_in_order(findings),
            files=listing.files,
        )

    def with_findings(self, findings: Iterable[Finding], checked: Iterable[str]) -> AuditReport:
        """The report with more findings, from other checks of the same split."""
        every = _in_order([*self.findings, *findings])
        return replace(self, findings=every, checked=(*self.checked, *checked))

    def looked_for(self, kind: Kind) -> bool:
        """Whether the evidence that this kind needs was looked at."""
        return any(
            word in what and not what.startswith("0 ")
            for what in self.checked
            for word in _EVIDENCE[kind.needs]
        )

    def of_level(self, level: Level) -> tuple[Finding, ...]:
        """Findings of one level."""
        return tuple(finding for finding in self.findings if finding.level is level)

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """Findings that rule out a clean result."""
        return self.of_level(Level.LEAK)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that limit what the score says."""
        return self.of_level(Level.WARNING)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """Findings to mention with the score."""
        return self.of_level(Level.NOTE)

    @property
    def undeclared(self) -> tuple[str, ...]:
        """Leaks that the split does not declare: one sentence per kind, for reports."""
        found = _by_kind(finding for finding in self.leaks if not finding.declared)
        return tuple(
            f"{kind}: {findings[0].message}"
            + (f" This holds in {len(findings)} places." if len(findings) > 1 else "")
            + " Found by the audit, not declared by the split."
            for kind, findings in found.items()
        )

    @property
    def exit_code(self) -> int:
        """1 with a leak, otherwise 0."""
        return 1 if self.leaks else 0

    @property
    def verdict(self) -> str:
        """One line for reports and model cards."""
        checked = " and ".join(self.checked)
        if self.leaks:
            titles = dict.fromkeys(finding.about.title for finding in self.leaks)
            return f"LEAKS: {'; '.join(titles)} (checked: {checked})"
        unknown = sum(len(f.subjects) for f in self.warnings if f.kind == UNKNOWN_SPEAKERS)
        some = "" if unknown == self.clips else "some "
        but = f", but {some}speakers are unknown" if unknown else ""
        kinds = len(_by_kind(self.warnings))
        warned = f", {kinds} kinds of warning" if kinds > 1 else ", one kind of warning"
        return f"no leak found{but}{warned if kinds else ''} (checked: {checked})"

    def text(self, shown: int = 5) -> str:
        """One block per kind of finding: title, place, count, meaning, advice.

        Folds with the same finding share a line, with the numbers of the first of them.

        Parameters
        ----------
        shown : int
            Subjects per line.
        """
        counts = f"{counted(self.clips, 'clip')} in {counted(self.folds, 'fold')}"
        speakers = f", {counted(self.speakers, 'known speaker')}" if self.speakers else ""
        lines = [f"{self.source}: {self.form}, {counts}{speakers}"]
        for findings in _by_kind(self.findings).values():
            lines += ["", *_block(findings, shown)]
        return "\n".join([*lines, "", self.verdict]) + "\n"

    def as_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "format": _FORMAT,
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
        """One run of SARIF 2.1.0, for code hosts that show findings beside the file.

        Notes
        -----
        Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0, sections
        3.14 (run), 3.27 (result) and 3.49 (reportingDescriptor).
        """
        return json.dumps(_sarif(self), indent=2, ensure_ascii=False) + "\n"

    def junit(self) -> str:
        """JUnit XML with one test case per kind, for CI systems that show tests.

        A kind with a leak has failed. Warnings and notes do not fail; they are the output of
        their test. A kind that was not looked for (media without ``--corpus``) is skipped.
        """
        root = _junit(self)
        ElementTree.indent(root)
        text = ElementTree.tostring(root, encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Worst first: by level and kind in the order of `KINDS`, then by fold and subsets."""
    rank = {kind: number for number, kind in enumerate(KINDS)}
    return tuple(sorted(findings, key=lambda one: (rank[one.kind], one.fold or 0, one.subsets)))


def _by_kind(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.kind, []).append(finding)
    return groups


def _block(findings: Sequence[Finding], shown: int) -> list[str]:
    about = findings[0].about
    declared = " (declared by the split)" if all(found.declared for found in findings) else ""
    lines = [f"{str(about.level).upper():<8} {about.title}{declared}"]
    by_subsets: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        by_subsets.setdefault(finding.subsets, []).append(finding)
    for group in by_subsets.values():
        first = group[0]
        more = f", ... and {len(first.subjects) - shown} more"
        named = ", ".join(first.subjects[:shown]) + (more if len(first.subjects) > shown else "")
        folds = [finding.fold for finding in group if finding.fold is not None]
        where = f"{len(folds)} folds, first fold {folds[0]}: " if len(folds) > 1 else ""
        where = f"Fold {folds[0]}: " if len(folds) == 1 else where
        lines.append(f"         {where}{first.message}{f' ({named})' if named else ''}")
    lines.append(f"         {about.meaning} {about.advice}")
    return lines


_SARIF_LEVELS = {Level.LEAK: "error", Level.WARNING: "warning", Level.NOTE: "note"}
_SARIF_SUBJECTS = 20  # in a message; all of them are in the JSON report


def _sarif(report: AuditReport) -> dict[str, Any]:
    rules = [
        {
            "id": kind.name,
            "shortDescription": {"text": kind.title},
            "fullDescription": {"text": kind.meaning},
            "help": {"text": kind.advice},
            "defaultConfiguration": {"level": _SARIF_LEVELS[kind.level]},
        }
        for kind in KINDS.values()
    ]
    rank = {name: number for number, name in enumerate(KINDS)}
    locations = [_sarif_location(file) for file in report.files or (report.source,)]
    results = [
        {
            "ruleId": finding.kind,
            "ruleIndex": rank[finding.kind],
            "level": _SARIF_LEVELS[finding.level],
            "message": {"text": _sarif_message(finding)},
            "locations": locations,
        }
        for finding in report.findings
    ]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "aver audit", "version": __version__, "rules": rules}},
                "results": results,
            }
        ],
    }


def _sarif_message(finding: Finding) -> str:
    named = ", ".join(finding.subjects[:_SARIF_SUBJECTS])
    more = len(finding.subjects) - _SARIF_SUBJECTS
    names = f" {named}{f' and {more} more' if more > 0 else ''}." if named else ""
    place = f"{finding.place}: " if finding.place else ""
    return f"{place}{finding.message}{names} {finding.about.meaning}"


def _sarif_location(file: str) -> dict[str, Any]:
    """A whole file. Code hosts require a line; the findings are about all lines of a list."""
    path = PurePath(file)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    return {
        "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}},
    }


_JUNIT_NEEDS = {
    "names": "names",
    "audio": "the audio of the clips (--corpus)",
    "images": "the images of the clips (--corpus)",
    "media": "the media of the clips (--corpus)",
    "record": "the record of a run",
}


def _junit(report: AuditReport) -> ElementTree.Element:
    by_kind = _by_kind(report.findings)
    skipped = [
        kind for kind in KINDS.values() if kind.name not in by_kind and not report.looked_for(kind)
    ]
    counts = {
        "tests": str(len(KINDS)),
        "failures": str(len(_by_kind(report.leaks))),
        "errors": "0",
        "skipped": str(len(skipped)),
    }
    root = ElementTree.Element("testsuites", {"name": "aver audit", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": report.source, **counts})
    for kind in KINDS.values():
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": "aver.audit", "name": kind.name}
        )
        _fill_case(case, kind, by_kind, kind in skipped)
    return root


def _fill_case(
    case: ElementTree.Element, kind: Kind, by_kind: Mapping[str, list[Finding]], skipped: bool
) -> None:
    if skipped:
        message = f"not looked for: it needs {_JUNIT_NEEDS[kind.needs]}"
        ElementTree.SubElement(case, "skipped", {"message": message})
    lines = "\n".join(_junit_line(finding) for finding in by_kind.get(kind.name, ()))
    if lines and kind.level is Level.LEAK:
        failure = {"message": kind.title, "type": "leak"}
        ElementTree.SubElement(case, "failure", failure).text = lines
    elif lines:
        ElementTree.SubElement(case, "system-out").text = f"{kind.level}: {lines}"


def _junit_line(finding: Finding) -> str:
    place = f"{finding.place}: " if finding.place else ""
    # XML 1.0 allows no control characters, not even escaped; file names do.
    line = f"{place}{finding.message} {', '.join(finding.subjects)}"
    return "".join(letter if letter.isprintable() else "?" for letter in line)
