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
        "# The leak audit, measured",
        "",
        "Made by `python benchmarks/audit.py --data DIR` (`benchmarks/results/audit.json`)",
        "and `python benchmarks/audit_table.py` (this page). What the words mean:",
        "[leaks](../explanation/leaks.md).",
        "",
        "## Published rules, on CREMA-D's real list of 7,442 clips and 91 actors",
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
        "One leak in one fold of each; found means: its kind, in its fold, between its subsets.",
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
        "audio_copies": "Changed copies of RAVDESS sound files",
        "image_copies": "Changed copies of FER2013 test pictures",
        "film_copies": "Changed copies of javanese-av films, without sound",
    }
    for key, title in titles.items():
        lines += _copies(title, result[key])
        if key == "audio_copies":
            lines += ["", "That pair is no false alarm: the two files are equal byte for byte."]
    lines += _doubles(result["fer2013_doubles"]) if "fer2013_doubles" in result else []
    lines += ["", "## Times, in seconds of one core", "", "| what | measured |", "|---|---|"]
    lines += [f"| {what} | {value:,.2f} |" for what, value in result["times"].items()]
    return "\n".join(lines) + "\n"


def _copies(title: str, found: dict[str, Any]) -> list[str]:
    total, pairs = found["originals"], found["pairs_of_originals"]
    lines = [
        "",
        f"## {title}",
        "",
        f"Searched for among all {total:,} originals.",
        "",
        "| copy | planted | found |",
        "|---|---|---|",
    ]
    lines += [f"| {kind} | {n['planted']} | {n['found']} |" for kind, n in found["kinds"].items()]
    if "other_pairs" in found:
        others = "; ".join(found["other_pairs"]) or "none"
        lines += ["", f"Reported among the {pairs:,} pairs of different originals: {others}."]
    return lines


def _doubles(found: dict[str, Any]) -> list[str]:
    """FER2013's own doubles."""
    lines = ["", "## FER2013's own doubles, in its official subsets", "", "| what | found |"]
    lines += ["|---|---|"]
    lines += [f"| {what} | {value} |" for what, value in found.items()]
    return lines


if __name__ == "__main__":
    main()
