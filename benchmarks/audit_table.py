"""Write docs/results/audit.md from benchmarks/results/audit.json.

python benchmarks/audit_table.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def main() -> None:
    result = json.loads((HERE / "results" / "audit.json").read_text(encoding="utf-8"))
    target = HERE.parent / "docs" / "results" / "audit.md"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(table(result), encoding="utf-8")
    print(f"Wrote {target}")


def table(result: dict[str, Any]) -> str:
    """The whole page."""
    lines = [
        "# Leak audit",
        "",
        "`python benchmarks/audit.py --data DIR` measures (`benchmarks/results/audit.json`);",
        "`python benchmarks/audit_table.py` writes this page. [Leaks](../explanation/leaks.md)",
        "explains the kinds of findings.",
        "",
        "## Common split rules on the list of CREMA-D (7,442 clips, 91 actors)",
        "",
        "| rule | exit status | speakers shared | sentences in every subset |",
        "|---|---|---|---|",
    ]
    for rule, found in result["public_rules"].items():
        lines.append(
            f"| {rule} | {found['exit_code']} | {found.get('shared-speakers', 0)} | "
            f"{found.get('shared-sentences', 0)} of 12 |"
        )
    lines += [
        "",
        "## Leaks planted in generated splits",
        "",
        "Each split has one leak in one fold. Found: the audit reports its kind, fold and subsets.",
        "",
        "| planted | splits | found |",
        "|---|---|---|",
    ]
    leaks = result["planted_leaks"]
    lines += [f"| {kind} | {n['planted']} | {n['found']} |" for kind, n in leaks.items()]
    planted, found = (sum(n[key] for n in leaks.values()) for key in ("planted", "found"))
    clean = result["clean_splits"]
    lines += [
        f"| all | {planted} | {found} |",
        f"| none | {clean['clean']} | {clean['false_alarms']} false alarms |",
    ]
    titles = {
        "audio_copies": "Modified copies of RAVDESS audio files",
        "image_copies": "Modified copies of FER2013 test images",
        "video_copies": "Modified copies of javanese-av videos, without audio",
    }
    for key, title in titles.items():
        lines += _copies(title, result[key])
        if key == "audio_copies":
            lines += ["", "This pair is not a false alarm: the two files are identical."]
    lines += _duplicates(result["fer2013_duplicates"]) if "fer2013_duplicates" in result else []
    lines += ["", "## Run time on one core", "", "| what | measured |", "|---|---|"]
    lines += [f"| {what} | {value:,.2f} |" for what, value in result["times"].items()]
    return "\n".join(lines) + "\n"


def _copies(title: str, found: dict[str, Any]) -> list[str]:
    total, pairs = found["originals"], found["pairs_of_originals"]
    lines = [
        "",
        f"## {title}",
        "",
        f"Searched among all {total:,} originals.",
        "",
        "| copy | planted | found |",
        "|---|---|---|",
    ]
    lines += [f"| {kind} | {n['planted']} | {n['found']} |" for kind, n in found["kinds"].items()]
    if "other_pairs" in found:
        others = "; ".join(found["other_pairs"]) or "none"
        lines += ["", f"Reported among the {pairs:,} pairs of different originals: {others}."]
    return lines


def _duplicates(found: dict[str, Any]) -> list[str]:
    """Duplicates in FER2013 itself."""
    lines = ["", "## Duplicates in the official subsets of FER2013", "", "| what | found |"]
    lines += ["|---|---|"]
    lines += [f"| {what} | {value} |" for what, value in found.items()]
    return lines


if __name__ == "__main__":
    main()
