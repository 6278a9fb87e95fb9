"""An audit report as SARIF 2.1.0, which code hosts show beside the file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aver.audit.finding import Finding
from aver.audit.kind import KINDS, Level
from aver.version import __version__

if TYPE_CHECKING:
    from aver.audit.report import AuditReport

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
