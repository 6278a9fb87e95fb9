"""A repeated table as text, CSV, LaTeX, Markdown, JSON and plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError, SettingsError
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy, unweighted_recall
from aver.evaluation.published import human_raters
from aver.evaluation.reproduce import ReproducedRow, ReproducedTable, RunCache, fold_accuracies
from aver.evaluation.reproduction import ProtocolKind, Reproduction
from aver.features.store import FeatureStore
from aver.reports.augmentation_strips import write_strips
from aver.reports.deep_features import write_embeddings
from aver.reports.plots.charts import IntervalRow, plot_intervals
from aver.reports.plots.style import save_figure
from aver.reports.run_tables import paired_table
from aver.reports.statements import describe_data, interval_note, run_notes
from aver.reports.system_figures import SystemFigures
from aver.reports.table import Cell, Estimate, Table, as_text, write_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from aver.evaluation.evaluation import Evaluation


@dataclass(frozen=True)
class FigureRequest:
    """What a figure may be drawn from.

    Parameters
    ----------
    reproduction : Reproduction
    number : str
        As in the paper.
    shelf : RunCache
        Runs are made where they are not there.
    corpus_key : str
    clip : Clip or None
        A clip of the user's, for figures that show one.
    store : FeatureStore
    folder : Path
        Where the figure goes.
    clips : sequence of Clip
        Of the corpus, for figures that ask trained recognisers again.
    protocols : sequence of {"paper", "clean"}
        For figures that show both.
    """

    reproduction: Reproduction
    number: str
    shelf: RunCache
    corpus_key: str
    clip: Clip | None
    store: FeatureStore
    folder: Path
    clips: Sequence[Clip] = ()
    protocols: Sequence[ProtocolKind] = ("clean",)

    @property
    def of_runs(self) -> SystemFigures:
        """What draws figures of runs."""
        return SystemFigures(
            self.reproduction, self.shelf, self.corpus_key, self.folder, self.protocols
        )


def write_figure(request: FigureRequest) -> tuple[Path, ...]:
    """Draw a figure and write it as PNG and SVG.

    Raises
    ------
    SettingsError
        If the paper has no such figure, or it needs a clip and none was given.
    MissingModalityError
        If that clip shows no face.
    """
    name = request.reproduction.name
    writer = _WRITERS.get((name, request.number))
    if writer is None:
        known = ", ".join(number for paper, number in _WRITERS if paper == name)
        raise SettingsError(f"{name} has no figure {request.number!r} to repeat. It has: {known}.")
    return writer(request)


def _embeddings(request: FigureRequest) -> tuple[Path, ...]:
    return write_embeddings(
        request.reproduction,
        request.number,
        request.shelf,
        request.folder,
        corpus_key=request.corpus_key,
    )


def _strips(request: FigureRequest) -> tuple[Path, ...]:
    from aver.features.face_crops import FaceCrops

    if request.clip is None:
        raise SettingsError(
            f"Figure {request.number} shows frames of a clip: name one of yours with --clip."
        )
    feature = FaceCrops(size_px=112, rate_hz=10.0)
    record = request.store.get(request.clip, feature)
    if record.missing:
        raise MissingModalityError(
            f"Figure {request.number} needs a face, and {request.clip.video} has none: "
            f"{record.missing}."
        )
    crops = record.arrays["crops"]
    return write_strips(request.number, crops, feature.rate_hz, request.folder)


def _learning(request: FigureRequest) -> tuple[Path, ...]:
    return request.of_runs.learning(request.number)


def _confusion(request: FigureRequest) -> tuple[Path, ...]:
    return request.of_runs.confusion(request.number)


def _curve(request: FigureRequest) -> tuple[Path, ...]:
    return request.of_runs.curve(request.number)


def _asynchrony(request: FigureRequest) -> tuple[Path, ...]:
    return request.of_runs.asynchrony(request.number, request.clips, request.store)


def _incongruent(request: FigureRequest) -> tuple[Path, ...]:
    return request.of_runs.incongruent(request.number, request.clips, request.store)


_WRITERS: dict[tuple[str, str], Callable[[FigureRequest], tuple[Path, ...]]] = {
    ("mrpn", "5"): _embeddings,
    ("mrpn", "9"): _strips,
    ("mrpn", "10"): _strips,
    ("snn-cross-modal", "3"): _curve,
    ("snn-cross-modal", "4"): _confusion,
    ("snn-cross-modal", "5"): _confusion,
    ("snn-cross-modal", "incongruent"): _incongruent,
    ("synch-graph", "3"): _learning,
    ("synch-graph", "4"): _learning,
    ("synch-graph", "5"): _confusion,
    ("synch-graph", "6"): _confusion,
    ("synch-graph", "7"): _confusion,
    ("synch-graph", "windows"): _curve,
    ("temporal-aggregation", "3"): _learning,
    ("temporal-aggregation", "4"): _confusion,
    ("temporal-aggregation", "5"): _curve,
    ("temporal-aggregation", "b"): _curve,
    ("temporal-aggregation", "asynchrony"): _asynchrony,
}


_PROTOCOL_TITLES: dict[ProtocolKind, str] = {
    "paper": "paper protocol (LEAKS)",
    "clean": "clean protocol",
}


def reproduction_tables(found: ReproducedTable) -> tuple[Table, ...]:
    """The repeated table, its folds where the paper prints folds, and the paired differences."""
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
    return _PROTOCOL_TITLES[kind] + found.plan.protocols[kind].mark


def _stem(found: ReproducedTable) -> str:
    return f"{found.system}-table-{found.plan.number}"


def _estimate(row: ReproducedRow, kind: ProtocolKind) -> Estimate | None:
    run = row.runs.get(kind)
    return Estimate.of(interval(accuracy(run), clips=run.clip_count)) if run else None


def _main_table(found: ReproducedTable) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for row in found.rows:
        paper = Estimate(row.published.value / 100) if row.published else None
        clean = row.runs.get("clean")
        recall = (
            Estimate.of(interval(unweighted_recall(clean), clips=clean.clip_count))
            if clean
            else None
        )
        rows.append((row.label, paper, _estimate(row, "paper"), _estimate(row, "clean"), recall))
    for number in human_raters(found.settings.corpus):
        label = f"human raters ({number.modality})"
        rows.append((label, Estimate(number.value / 100), None, None, None))
    title = f"{found.system}, Table {found.plan.number}: {found.plan.title}. Accuracy in %"
    titles = (_protocol_title(found, kind) for kind in _PROTOCOL_TITLES)
    columns = ("row", "paper", *titles, "clean: UAR")
    everything = [run for row in found.rows for run in row.runs.values()]
    some = max(everything, key=lambda run: len(run.seed_values), default=None)
    notes = list(found.plan.notes)
    if some is not None:
        notes.append(f"Ours: {describe_data(some)}; {found.settings.sizes}.")
        unknown = not some.knows_speakers
        further = ", all folds pooled"
        notes.append(interval_note(columns, rows, unknown_speakers=unknown, further=further))
    notes += _notes(found, some)
    return Table.of(_stem(found), title, columns, tuple(rows), tuple(notes))


def _notes(found: ReproducedTable, some: Evaluation | None) -> list[str]:
    """What the runs leave out and leak, and what is to be known of the paper's own numbers."""
    runs = {kind: run for row in found.rows for kind, run in row.runs.items()}
    notes: list[str] = []
    for kind in _PROTOCOL_TITLES:
        shown = [row.runs[kind] for row in found.rows if kind in row.runs]
        if shown:
            notes += [f"{_PROTOCOL_TITLES[kind]}: {note}" for note in run_notes(shown)]
    for kind, run in runs.items():
        rule = run.protocol.removeprefix("LEAKS: ").removeprefix("clean: ")
        notes.append(f"{_PROTOCOL_TITLES[kind]}: {rule}.")
        notes += _leak_notes(found, kind)
    numbers = [row.published for row in found.rows if row.published]
    if some is not None and any(set(n.classes) != set(some.classes) for n in numbers):
        notes.append("The paper's numbers are over other classes and are not comparable.")
    if not numbers:
        notes.append(f"The paper prints no number of this table for {found.settings.corpus}.")
    leaks = dict.fromkeys(leak for number in numbers for leak in number.leaks)
    notes += [f"The paper's own numbers LEAK: {leak}" for leak in leaks]
    notes += [f"{number.row}: {number.note}" for number in numbers if number.note]
    notes += [n.note for n in human_raters(found.settings.corpus) if n.note]
    return notes + [f"Contradiction: {said}" for said in found.contradictions]


def _leak_notes(found: ReproducedTable, kind: ProtocolKind) -> list[str]:
    """What leaks under a protocol, each sentence once; and in which rows, if not in all."""
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
                said = ", ".join(f"{k} {v}" for k, v in row.published.folds.items())
                notes.append(f"{row.label} in the paper: {said}.")
    if found.plan.inferior:
        notes.insert(0, "* joint is below the best single modality in this fold.")
    title = f"Table {found.plan.number} by test fold, {_PROTOCOL_TITLES[kind]}. Accuracy in %"
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
        for row in found.rows
    ]
    rows += [
        IntervalRow(f"human raters ({number.modality})", published=number.value / 100)
        for number in human_raters(found.settings.corpus)
    ]
    title = f"{found.system}, Table {found.plan.number}, on {found.settings.corpus}"
    return plot_intervals(rows, chance=1 / len(runs[0].classes), title=title)
