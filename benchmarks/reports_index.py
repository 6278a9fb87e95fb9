"""Tables of the runs of `benchmarks/reports_results.sh`: every system, and every page's size.

    python benchmarks/reports_index.py --runs runs/reports [--out docs/results/reports]

Writes ``systems`` and ``robustness`` as Markdown and CSV, and copies each page's table of paired
differences; pages themselves are too large to be kept here.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy
from aver.evaluation.paired import difference_sums
from aver.evaluation.robustness import read_robustness
from aver.execution.files import write_text
from aver.reports.statements import describe_data
from aver.reports.table import Cell, Estimate, Table, as_csv, as_markdown

CORPORA = ("javanese", "ravdess")
SYSTEMS = ("mrpn", "temporal-aggregation", "snn-cross-modal", "synch-graph", "late-fusion")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs/reports"))
    parser.add_argument("--out", type=Path, default=Path("docs/results/reports"))
    arguments = parser.parse_args()
    for corpus in CORPORA:
        for table in (systems(arguments.runs / corpus), robustness(arguments.runs / corpus)):
            if table.rows:
                name = f"{corpus}-{table.name}"
                write_text(arguments.out / f"{name}.md", as_markdown(table))
                write_text(arguments.out / f"{name}.csv", as_csv(table))
        for paired in sorted((arguments.runs / corpus).glob("pages/*/tables/paired.md")):
            system = paired.parent.parent.name
            shutil.copyfile(paired, arguments.out / f"{corpus}-{system}-paired.md")


def systems(folder: Path) -> Table:
    """Every system under both protocols, the verdict of its clean run's audit, and its page."""
    rows: list[tuple[Cell, ...]] = []
    notes: list[str] = []
    for system in SYSTEMS:
        clean, paper = (_read(folder / f"{system}-{kind}") for kind in ("clean", "paper"))
        if clean is None:
            continue
        page = folder / "pages" / system / "report.html"
        size = f"{page.stat().st_size / 1e6:.1f} MB" if page.exists() else ""
        audit = json.loads((folder / f"{system}-clean" / "audit.json").read_text())["verdict"]
        rows.append((clean.system, _of(paper), _of(clean), audit, size))
        notes.append(f"{clean.system}: {describe_data(clean)}; {clean.protocol}.")
        if paper is not None:
            notes.append(f"{clean.system}, paper protocol: {paper.protocol}.")
            notes += [f"LEAKS: {leak}" for leak in paper.leaks]
    columns = (
        "system",
        "paper protocol (LEAKS)",
        "clean protocol",
        "audit of the clean run",
        "page",
    )
    title = "Accuracy in %, 95 % intervals over speakers"
    return Table.of("systems", title, columns, tuple(rows), tuple(dict.fromkeys(notes)))


def robustness(folder: Path) -> Table:
    """Every degradation by row: changes of each system in points."""
    changes: dict[tuple[str, str], dict[str, Cell]] = {}
    whole: dict[str, Cell] = {}
    for system in SYSTEMS:
        run = _read(folder / f"{system}-clean")
        if run is None:
            continue
        for damaged in read_robustness(run, folder / f"{system}-clean"):
            whole[run.system] = _of(run)
            for level, worse in damaged.runs.items():
                change = interval(difference_sums(accuracy(worse), accuracy(run)))
                shown = level if isinstance(level, str) else f"{level:g}"
                what = f"{damaged.kind.title}: {damaged.kind.along}", shown
                changes.setdefault(what, {})[run.system] = Estimate.of(change, signed=True)
    rows: list[tuple[Cell, ...]] = [
        (*what, *(found.get(system) for system in whole)) for what, found in changes.items()
    ]
    if rows:
        rows.insert(0, ("accuracy in %, undegraded", "", *whole.values()))
    title = "Clean runs on degraded media: changes in points"
    notes = ("Intervals: 95 % over speakers, of changes paired by clip.",)
    return Table.of("robustness", title, ("degradation", "level", *whole), tuple(rows), notes)


def _read(folder: Path) -> Evaluation | None:
    return load_evaluation(folder) if (folder / "evaluation.json").exists() else None


def _of(run: Evaluation | None) -> Cell:
    return None if run is None else Estimate.of(interval(accuracy(run), clips=run.clip_count))


if __name__ == "__main__":
    main()
