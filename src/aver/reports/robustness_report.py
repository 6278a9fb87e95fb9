"""Accuracy on degraded audio and video: curves and tables, of one system or several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy
from aver.evaluation.paired import difference_interval, difference_sums
from aver.evaluation.robustness import FOLDER, DegradedRuns
from aver.execution.files import write_json
from aver.media.degradation import DEGRADATIONS, Degradation, Level
from aver.reports.plots.charts import plot_curves, plot_groups
from aver.reports.plots.style import save_figure
from aver.reports.statements import describe_data, interval_note
from aver.reports.table import Cell, Estimate, Table, as_json, write_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NOTE = (
    "Change: difference to the same system on the same clips without degradation, with a paired "
    "interval. Nothing was trained again."
)

_MAX_NAMED = 3  # clips that could not be read


@dataclass(frozen=True)
class MeasuredRun:
    """A run, and the same run on degraded clips.

    Parameters
    ----------
    run : Evaluation
        Without degradation.
    damaged : tuple of DegradedRuns
    """

    run: Evaluation
    damaged: tuple[DegradedRuns, ...]

    def under(self, kind: Degradation) -> Mapping[Level, Evaluation]:
        """Runs by level; empty if this kind was not measured."""
        return next((d.runs for d in self.damaged if d.kind == kind), {})


def robustness_tables(measured: Sequence[MeasuredRun], *, named: bool = False) -> list[Table]:
    """One table per kind of degradation that was measured for any of the runs.

    Parameters
    ----------
    measured : sequence of MeasuredRun
    named : bool
        Name the system even if only one was measured; it may not be the system of the report.
    """
    return [_table(kind, measured, named) for kind in _kinds(measured)]


def robustness_plots(
    measured: Sequence[MeasuredRun], *, named: bool = False
) -> Iterator[tuple[str, str, Figure]]:
    """Draw the accuracy by level of each kind of degradation.

    Parameters
    ----------
    measured, named
        As for `robustness_tables`.

    Yields
    ------
    name, description, Figure
    """
    for kind in _kinds(measured):
        shown = [entry for entry in measured if entry.under(kind)]
        name, title = f"robustness-{kind.name}", kind.title
        if kind.name == "lost-modality":
            yield name, f"Accuracy with {title.lower()}", _plot_lost(kind, shown, named)
        else:
            yield name, f"Accuracy by {kind.along}", _plot_along(kind, shown)


def write_robustness(measured: MeasuredRun, folder: Path) -> list[Path]:
    """Write curves as PNG and SVG, tables in all formats, and all numbers as one JSON.

    Parameters
    ----------
    measured : MeasuredRun
    folder : Path
        Run folder; files go to ``robustness/`` in it.

    Returns
    -------
    list of Path
    """
    target = folder / FOLDER
    written: list[Path] = []
    tables = robustness_tables([measured])
    for table in tables:
        written += write_table(table, target)
    for name, _, figure in robustness_plots([measured]):
        written += save_figure(figure, target / name)
    numbers = target / "curves.json"
    values = {table.name.removeprefix("robustness-"): as_json(table) for table in tables}
    write_json(numbers, {"system": measured.run.system, "kinds": values})
    return [*written, numbers]


def _kinds(measured: Sequence[MeasuredRun]) -> list[Degradation]:
    return [kind for kind in DEGRADATIONS if any(entry.under(kind) for entry in measured)]


def _estimate(run: Evaluation) -> Estimate:
    return Estimate.of(interval(accuracy(run), clips=run.clip_count))


def _levels(kind: Degradation, measured: Sequence[MeasuredRun]) -> list[Level]:
    """All levels that were measured, from weak to strong."""
    found = {level for entry in measured for level in entry.under(kind)}
    if kind.name == "lost-modality":
        return [level for level in kind.levels if level in found]
    return sorted(found, key=float, reverse=kind.along.startswith("signal-to-noise"))


def _table(kind: Degradation, measured: Sequence[MeasuredRun], named: bool) -> Table:
    shown = [entry for entry in measured if entry.under(kind)]
    several = named or len(shown) > 1
    columns = [kind.along]
    undamaged: list[Cell] = ["none"]
    for entry in shown:
        columns.append(f"{entry.run.system}: accuracy" if several else "accuracy in %")
        columns.append(f"{entry.run.system}: change" if several else "change in points")
        undamaged += [_estimate(entry.run), None]
    rows = [tuple(undamaged)]
    for level in _levels(kind, shown):
        cells: list[Cell] = [level if isinstance(level, str) else f"{level:g}"]
        for entry in shown:
            run = entry.under(kind).get(level)
            if run is None:
                cells += [None, None]
                continue
            undegraded = _same_rows(entry.run, run)
            change = difference_interval(difference_sums(accuracy(run), accuracy(undegraded)))
            cells += [_estimate(run), Estimate.of(change, signed=True)]
        rows.append(tuple(cells))
    leaks = dict.fromkeys(f"LEAKS: {leak}" for entry in shown for leak in entry.run.leaks)
    title = f"{kind.title}: accuracy in % on {describe_data(shown[0].run)}"
    over = interval_note(
        columns,
        rows,
        unknown_speakers=not shown[0].run.knows_speakers,
        further=", all folds pooled",
    )
    notes = (f"{over} {_NOTE}", *_unreadable(kind, shown), *leaks)
    return Table.of(f"robustness-{kind.name}", title, tuple(columns), tuple(rows), notes)


def _same_rows(run: Evaluation, degraded: Evaluation) -> Evaluation:
    """The run on the clips of a degraded one, which lacks those that could not be read."""
    if len(degraded.clip_ids) == len(run.clip_ids):
        return run
    measured = {*degraded.clip_ids}
    return run.rows([clip_id in measured for clip_id in run.clip_ids])


def _unreadable(kind: Degradation, measured: Sequence[MeasuredRun]) -> list[str]:
    """One remark if clips could not be read when their media were degraded."""
    left_out = {
        clip_id
        for entry in measured
        for damaged in entry.damaged
        if damaged.kind == kind
        for clip_id in damaged.unreadable
    }
    if not left_out:
        return []
    names = sorted(left_out)
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return [
        f"Left out, since they could not be read: {', '.join(names[:_MAX_NAMED])}{more}. Each "
        "change is measured on the clips of its own row."
    ]


def _plot_along(kind: Degradation, measured: Sequence[MeasuredRun]) -> Figure:
    # A curve needs a value at every level. The levels are those of the first system; a system that
    # lacks some of them is only in the table.
    levels = _levels(kind, measured[:1])
    whole = [entry for entry in measured if set(levels) <= set(entry.under(kind))]
    places = [float(level) for level in levels]
    curves = {
        entry.run.system: [_estimate(entry.under(kind)[level]) for level in levels]
        for entry in whole
    }
    undamaged = {entry.run.system: accuracy(entry.run).value for entry in measured}
    if kind.none is not None and kind.none not in places:
        place = sum(level < kind.none for level in places)
        places.insert(place, kind.none)
        for entry in measured:
            if entry.run.system in curves:
                curves[entry.run.system].insert(place, _estimate(entry.run))
        undamaged = {}
    return plot_curves(
        places,
        curves,
        along=kind.along,
        quantity="accuracy",
        chance=1 / len(measured[0].run.classes),
        title=kind.title,
        undamaged=undamaged,
    )


def _plot_lost(kind: Degradation, measured: Sequence[MeasuredRun], named: bool) -> Figure:
    several = named or len(measured) > 1
    values = {}
    for entry in measured:
        before = f"{entry.run.system}: " if several else ""
        values[f"{before}nothing lost"] = _estimate(entry.run)
        for level in _levels(kind, [entry]):
            values[f"{before}without {level}"] = _estimate(entry.under(kind)[level])
    return plot_groups(
        values,
        overall=accuracy(measured[0].run).value,
        chance=1 / len(measured[0].run.classes),
        quantity="accuracy",
        title=kind.title,
    )
