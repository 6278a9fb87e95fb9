"""Tables of the reproduced papers, as text, CSV, LaTeX, Markdown, JSON and plot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy, unweighted_recall
from aver.evaluation.published import PublishedNumber, human_raters, remarks
from aver.evaluation.reproduce import ReproducedRow, ReproducedTable, fold_accuracies
from aver.evaluation.reproduction import PROTOCOL_TITLES, ProtocolKind
from aver.reports.plots.charts import IntervalRow, plot_intervals
from aver.reports.plots.style import save_figure
from aver.reports.run_tables import paired_table
from aver.reports.statements import describe_data, interval_note, run_notes
from aver.reports.table import Cell, Estimate, Table, as_text, write_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from aver.evaluation.evaluation import Evaluation


def reproduction_tables(found: ReproducedTable) -> tuple[Table, ...]:
    """The reproduced table, its folds if the paper prints folds, and the paired differences."""
    tables = [_main_table(found)]
    if found.plan.by_fold:
        tables += [_fold_table(found, kind) for kind in found.fold_names]
    for kind, comparisons in found.comparisons.items():
        if comparisons:
            table = paired_table(comparisons)
            rows = tuple(
                (f"{entry.first} against {entry.second}", *row[1:])
                for (entry, _), row in zip(comparisons, table.rows, strict=True)
            )
            title = f"{table.title}, {_protocol_title(found, kind)}"
            tables.append(
                Table.of(f"{_stem(found)}-paired-{kind}", title, table.columns, rows, table.notes)
            )
    return tuple(tables)


def describe_reproduction(found: ReproducedTable) -> str:
    """All tables for a terminal."""
    return "\n".join(as_text(table) for table in reproduction_tables(found))


def write_reproduction(found: ReproducedTable, folder: Path) -> list[Path]:
    """Write all tables and the plot.

    Returns
    -------
    list of Path
        ``<system>-table-<number>.txt``, ``.md``, ``.tex``, ``.csv``, ``.json``, ``.png``, ``.svg``
        and the same for folds and differences.
    """
    written = [path for table in reproduction_tables(found) for path in write_table(table, folder)]
    return [*written, *save_figure(_plot(found), folder / _stem(found))]


def _protocol_title(found: ReproducedTable, kind: ProtocolKind) -> str:
    return PROTOCOL_TITLES[kind] + found.plan.protocols[kind].mark


def _column(found: ReproducedTable, kind: ProtocolKind) -> str:
    """The protocol and the network, since a number of the paper is for the network of the paper."""
    return f"{_protocol_title(found, kind)}, {found.settings.network(found.plan.preset)}"


def _humans(found: ReproducedTable) -> tuple[PublishedNumber, ...]:
    """Accuracies of human raters over the classes of our runs."""
    classes = {name for row in found.rows for run in row.runs.values() for name in run.classes}
    return human_raters(found.settings.corpus, classes)


def _shown(found: ReproducedTable) -> list[ReproducedRow]:
    """All rows but those of human raters over other classes than those of our runs."""
    humans = {number.value for number in _humans(found)}
    return [
        row
        for row in found.rows
        if row.published is None or row.published.by != "humans" or row.published.value in humans
    ]


def _stem(found: ReproducedTable) -> str:
    return f"{found.system}-table-{found.plan.number}"


def _estimate(row: ReproducedRow, kind: ProtocolKind) -> Estimate | None:
    run = row.runs.get(kind)
    return Estimate.of(interval(accuracy(run), clips=run.clip_count)) if run else None


def _main_table(found: ReproducedTable) -> Table:
    rows: list[tuple[Cell, ...]] = []
    kinds = tuple(found.plan.protocols)
    for row in _shown(found):
        paper = Estimate(row.published.value / 100) if row.published else None
        clean = row.runs.get("clean")
        recall = (
            Estimate.of(interval(unweighted_recall(clean), clips=clean.clip_count))
            if clean
            else None
        )
        rows.append((row.label, paper, *(_estimate(row, kind) for kind in kinds), recall))
    for number in _humans(found):
        label = f"human raters ({number.modality})"
        rows.append((label, Estimate(number.value / 100), *[None] * len(kinds), None))
    title = f"{found.system}, Table {found.plan.number}: {found.plan.title}. Accuracy in %"
    columns = ("row", "paper", *(_column(found, kind) for kind in kinds), "clean: UAR")
    everything = [run for row in found.rows for run in row.runs.values()]
    some = max(everything, key=lambda run: len(run.seed_values), default=None)
    notes = list(found.plan.notes)
    if some is not None:
        notes += _data_notes(found)
        unknown = not some.knows_speakers
        further = ", all folds pooled"
        notes.append(interval_note(columns, rows, unknown_speakers=unknown, further=further))
    notes += _notes(found, some)
    return Table.of(_stem(found), title, columns, tuple(rows), tuple(notes))


def _notes(found: ReproducedTable, some: Evaluation | None) -> list[str]:
    """Notes on the runs, their leaks, and the numbers of the paper."""
    runs = {kind: run for row in found.rows for kind, run in row.runs.items()}
    notes: list[str] = []
    for kind, title in PROTOCOL_TITLES.items():
        shown = [row.runs[kind] for row in found.rows if kind in row.runs]
        if shown:
            notes += [f"{title}: {note}" for note in run_notes(shown)]
    for kind, run in runs.items():
        rule = run.protocol.removeprefix("LEAKS: ").removeprefix("clean: ")
        notes.append(f"{PROTOCOL_TITLES[kind]}: {rule}.")
        notes += _leak_notes(found, kind)
    numbers = [row.published for row in _shown(found) if row.published]
    if some is not None and any(set(n.classes) != set(some.classes) for n in numbers):
        notes.append("The numbers of the paper are for other classes and are not comparable.")
    if not numbers:
        notes.append(f"The paper has no number of this table for {found.settings.corpus}.")
    leaks = dict.fromkeys(leak for number in numbers for leak in number.leaks)
    notes += [f"The numbers of the paper LEAK: {leak}" for leak in leaks]
    notes += [f"{number.row}: {number.note}" for number in numbers if number.note]
    notes += [number.note for number in _humans(found) if number.note]
    notes += remarks(tuple(number.key for number in numbers))
    return notes + [f"Contradiction: {sentence}" for sentence in found.contradictions]


def _data_notes(found: ReproducedTable) -> list[str]:
    """Corpus, clips, classes and sizes of our runs, for each protocol if they differ."""
    data = {}
    for kind in PROTOCOL_TITLES:
        runs = [row.runs[kind] for row in found.rows if kind in row.runs]
        if runs:
            data[kind] = describe_data(max(runs, key=lambda run: len(run.seed_values)))
    sizes = found.settings.sizes(found.plan.preset)
    if len(set(data.values())) == 1:
        return [f"Ours: {next(iter(data.values()))}; {sizes}."]
    named = [f"Ours, {PROTOCOL_TITLES[kind]}: {text}." for kind, text in data.items()]
    return [*named, f"Ours: {sizes}."]


def _leak_notes(found: ReproducedTable, kind: ProtocolKind) -> list[str]:
    """The leaks of a protocol, each once, with their rows if they are not in all."""
    leaking: dict[str, list[str]] = {}
    run_rows = [row for row in found.rows if kind in row.runs]
    for row in run_rows:
        for leak in row.runs[kind].leaks:
            leaking.setdefault(leak, []).append(row.label)
    return [
        f"LEAKS: {leak}" if len(rows) == len(run_rows) else f"LEAKS in {', '.join(rows)}: {leak}"
        for leak, rows in leaking.items()
    ]


def _fold_table(found: ReproducedTable, kind: ProtocolKind) -> Table:
    names = found.fold_names[kind]
    rows: list[tuple[Cell, ...]] = []
    notes: list[str] = []
    for row in found.rows:
        run = row.runs.get(kind)
        if run is not None:
            low = row.inferior_folds.get(kind, ())
            shares = fold_accuracies(run)
            cells = [
                Estimate(shares[fold], mark="*" if name in low else "") if fold in shares else None
                for fold, name in names.items()
            ]
            rows.append((row.label, *cells, Estimate(accuracy(run).value)))
        if row.published and row.published.folds:
            if set(row.published.folds) & set(names.values()):
                rows.append(_published_folds(row, tuple(names.values())))
            else:
                folds = ", ".join(f"{k} {v}" for k, v in row.published.folds.items())
                notes.append(f"{row.label} in the paper: {folds}.")
    if found.plan.inferior:
        notes.insert(0, "* The joint model is below the best single modality in this fold.")
    title = f"Table {found.plan.number} by test fold, {_column(found, kind)}. Accuracy in %"
    columns = ("row", *names.values(), "all")
    return Table.of(f"{_stem(found)}-folds-{kind}", title, columns, tuple(rows), tuple(notes))


def _published_folds(row: ReproducedRow, names: tuple[str, ...]) -> tuple[Cell, ...]:
    assert row.published is not None
    low = row.inferior_folds.get("published", ())
    cells = [
        Estimate(row.published.folds[name] / 100, mark="*" if name in low else "")
        if name in row.published.folds
        else None
        for name in names
    ]
    return (f"{row.label}, paper", *cells, Estimate(row.published.value / 100))


def _plot(found: ReproducedTable) -> Figure:
    runs = [run for row in found.rows for run in row.runs.values()]
    rows = [
        IntervalRow(
            row.label,
            clean=_estimate(row, "clean"),
            leaking=_estimate(row, "paper"),
            published=row.published.value / 100 if row.published else None,
        )
        for row in _shown(found)
    ]
    rows += [
        IntervalRow(f"{row.label}: public scripts", leaking=_estimate(row, "scripts"))
        for row in found.rows
        if "scripts" in row.runs
    ]
    rows += [
        IntervalRow(f"human raters ({number.modality})", published=number.value / 100)
        for number in _humans(found)
    ]
    network = found.settings.network(found.plan.preset)
    title = f"{found.system}, Table {found.plan.number}, {network} on {found.settings.corpus}"
    return plot_intervals(rows, chance=1 / len(runs[0].classes), title=title)
