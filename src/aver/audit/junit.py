"""An audit report as JUnit XML, which CI systems show as tests."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from aver.audit.finding import Finding
from aver.audit.kind import KINDS, Level

if TYPE_CHECKING:
    from aver.audit.report import AuditReport


_NEEDS = {
    "names": "names",
    "sound": "the sound of the clips (--corpus)",
    "pictures": "the pictures of the clips (--corpus)",
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
