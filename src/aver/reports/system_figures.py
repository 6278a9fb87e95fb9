"""Figures of runs: accuracy along a setting, learning, confusions, tolerance of offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aver.corpora.clip import Clip
from aver.evaluation.combine import pool_seeds
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.incongruent import predict_incongruent
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy, confusion_matrix
from aver.evaluation.predict_again import OFFSETS_S, shift_audio
from aver.evaluation.reproduce import RunCache, RunRequest, reproduce_table
from aver.evaluation.reproduction import ProtocolKind, Reproduction, SystemPlan
from aver.features.store import FeatureSource
from aver.reports.plots.charts import plot_confusion, plot_curves
from aver.reports.plots.style import save_figure
from aver.reports.plots.training import LearningCurve, plot_losses, read_learning_curves
from aver.reports.run_tables import incongruent_table
from aver.reports.statements import describe_data, interval_note
from aver.reports.table import Cell, Estimate, Table, write_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PROTOCOLS: dict[ProtocolKind, str] = {"paper": "paper protocol (LEAKS)", "clean": "clean"}


class SystemFigures:
    """Draws the figures of one reproduction; runs that are missing are made.

    Parameters
    ----------
    reproduction : Reproduction
    shelf : RunCache
    corpus_key : str
    folder : Path
        Where figures go, as PNG and SVG, and the numbers of curves as tables.
    protocols : sequence of {"paper", "clean"}
        Each gets a line, or a figure of its own.
    """

    def __init__(
        self,
        reproduction: Reproduction,
        shelf: RunCache,
        corpus_key: str,
        folder: Path,
        protocols: Sequence[ProtocolKind] = ("clean",),
    ) -> None:
        self.reproduction, self.shelf, self.corpus_key = reproduction, shelf, corpus_key
        self.folder, self.protocols = folder, tuple(protocols)

    def curve(self, number: str) -> tuple[Path, ...]:
        """Accuracy along a setting: a line for each protocol, or a figure, if it has several."""
        plan = self.reproduction.curve(number)
        found = reproduce_table(
            self.reproduction,
            plan.table,
            self.shelf,
            corpus_key=self.corpus_key,
            protocols=self.protocols,
        )
        words = {k: _PROTOCOLS[k] + found.plan.protocols[k].mark for k in self.protocols}
        runs: dict[str, list[Evaluation]] = {
            words[kind]: [row.runs[kind] for row in found.rows if row.runs]
            for kind in self.protocols
        }
        if not plan.lines:
            return self._write_curves(number, plan.title, plan.along, plan.places, runs)
        written: list[Path] = []
        for kind in self.protocols:
            rows, count = runs[words[kind]], len(plan.places)
            lines = {
                line: rows[first : first + count]
                for line, first in zip(plan.lines, range(0, len(rows), count), strict=True)
            }
            title = f"{plan.title}, {words[kind]}"
            name = f"{number}-{kind}"
            written += self._write_curves(name, title, plan.along, plan.places, lines)
        return tuple(written)

    def learning(self, number: str) -> tuple[Path, ...]:
        """Losses and accuracies over epochs, of every fold."""
        plan = self.reproduction.one_system(number)
        written: list[Path] = []
        for kind in self.protocols:
            curves: list[LearningCurve] = []
            for request in self._requests(plan, kind):
                self.shelf.get(request)
                curves += read_learning_curves(self.shelf.run(request).folder)
            for quantity in ("loss", "accuracy"):
                title = f"Figure {number}, {_PROTOCOLS[kind]}"  # the legend stands beside it
                figure = plot_losses(curves, title=title, quantity=quantity)
                written += self._save(figure, f"{number}-{quantity}-{kind}")
        return tuple(written)

    def confusion(self, number: str) -> tuple[Path, ...]:
        """Which class is taken for which."""
        plan = self.reproduction.one_system(number)
        written: list[Path] = []
        for kind in self.protocols:
            run = pool_seeds([self.shelf.get(r) for r in self._requests(plan, kind)])
            title = f"{self._title(plan)}, {_PROTOCOLS[kind]}"
            figure = plot_confusion(confusion_matrix(run), run.classes, title=title)
            written += self._save(figure, f"{number}-{kind}")
        return tuple(written)

    def asynchrony(
        self,
        number: str,
        clips: Sequence[Clip],
        store: FeatureSource,
        offsets_s: Sequence[float] = OFFSETS_S,
    ) -> tuple[Path, ...]:
        """Accuracy against the offset between sound and picture, of networks as they are."""
        plan = self.reproduction.one_system(number)
        runs: dict[str, list[Evaluation]] = {}
        for kind in self.protocols:
            moved = []
            for request in self._requests(plan, kind):
                run, place = self.shelf.get(request), self.shelf.run(request).folder
                moved.append(shift_audio(run, place, clips, store, offsets_s))
            runs[_PROTOCOLS[kind]] = [
                pool_seeds([by_offset[offset_s] for by_offset in moved]) for offset_s in offsets_s
            ]
        along = "sound taken later than the picture, in s"
        return self._write_curves(number, plan.title, along, offsets_s, runs)

    def incongruent(
        self, number: str, clips: Sequence[Clip], store: FeatureSource
    ) -> tuple[Path, ...]:
        """Which modality wins, class by class, where voice and face tell different emotions."""
        plan = self.reproduction.one_system(number)
        written: list[Path] = []
        for kind in self.protocols:
            requests = self._requests(plan, kind)
            runs = [
                (self.shelf.get(request), self.shelf.run(request).folder) for request in requests
            ]
            found = [predict_incongruent(run, place, clips, store) for run, place in runs]
            title = f"{self._title(plan)}, {_PROTOCOLS[kind]}"
            table = incongruent_table(found, self._stem(f"{number}-{kind}"), title)
            written += write_table(table, self.folder)
        return tuple(written)

    def _requests(self, plan: SystemPlan, kind: ProtocolKind) -> list[RunRequest]:
        seeds = self.reproduction.settings.seeds
        return [RunRequest(plan.system, plan.protocols[kind], s, self.corpus_key) for s in seeds]

    def _title(self, plan: SystemPlan) -> str:
        return f"{self.reproduction.name}, Figure {plan.number}: {plan.title}"

    def _write_curves(
        self,
        number: str,
        title: str,
        along: str,
        places: Sequence[float],
        runs: Mapping[str, Sequence[Evaluation]],
    ) -> tuple[Path, ...]:
        curves = {
            label: [Estimate.of(interval(accuracy(run), clips=run.clip_count)) for run in found]
            for label, found in runs.items()
        }
        some = next(iter(runs.values()))[0]
        full = f"{self.reproduction.name}, Figure {number}: {title}"
        figure = plot_curves(
            places,
            curves,
            along=along,
            quantity="accuracy",
            chance=1 / len(some.classes),
            title=full,
        )
        rows: list[tuple[Cell, ...]] = [
            (f"{place:g}", *(estimates[row] for estimates in curves.values()))
            for row, place in enumerate(places)
        ]
        notes = dict.fromkeys(
            f"LEAKS: {leak}" for found in runs.values() for run in found for leak in run.leaks
        )
        columns = (along, *curves)
        over = interval_note(
            columns,
            rows,
            unknown_speakers=not some.knows_speakers,
            further=", all folds pooled",
        )
        table = Table.of(
            self._stem(number),
            f"{full}. Accuracy in %",
            columns,
            tuple(rows),
            (
                f"{describe_data(some)}; {self.reproduction.settings.sizes}.",
                over,
                *notes,
            ),
        )
        return (*self._save(figure, number), *write_table(table, self.folder))

    def _stem(self, name: str) -> str:
        return f"{self.reproduction.name}-figure-{name}"

    def _save(self, figure: Figure, name: str) -> tuple[Path, ...]:
        return save_figure(figure, self.folder / self._stem(name))
