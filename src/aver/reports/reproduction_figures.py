"""Figures of the reproduced papers: curves, learning, confusions, deep features, augmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError, SettingsError
from aver.evaluation.combine import pool_seeds
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.fold_run import read_fold
from aver.evaluation.incongruent import predict_incongruent
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy, class_recall, confusion_matrix
from aver.evaluation.predict_again import OFFSETS_S, shift_audio
from aver.evaluation.published import contradictions, published, remarks
from aver.evaluation.reproduce import RunCache, RunRequest, protocols_in, reproduce_table
from aver.evaluation.reproduction import (
    PROTOCOL_TITLES,
    CurvePlan,
    ProtocolKind,
    Reproduction,
    SystemPlan,
)
from aver.features.store import FeatureStore
from aver.reports.plots.charts import plot_confusion, plot_curves
from aver.reports.plots.clips import plot_embeddings, plot_strips
from aver.reports.plots.style import save_figure
from aver.reports.plots.training import LearningCurve, plot_losses, read_learning_curves
from aver.reports.run_plots import feature_panel
from aver.reports.run_tables import incongruent_table
from aver.reports.statements import describe_data, interval_note
from aver.reports.table import Cell, Estimate, Table, write_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PROTOCOLS: dict[ProtocolKind, str] = {**PROTOCOL_TITLES, "clean": "clean"}

_FIGURES: dict[tuple[str, str], str] = {
    ("mrpn", "5"): "embeddings",
    ("mrpn", "9"): "strips",
    ("mrpn", "10"): "strips",
    ("snn-cross-modal", "3"): "curve",
    ("snn-cross-modal", "4"): "confusion",
    ("snn-cross-modal", "5"): "confusion",
    ("snn-cross-modal", "incongruent"): "incongruent",
    ("synch-graph", "3"): "learning",
    ("synch-graph", "4"): "learning",
    ("synch-graph", "5"): "confusion",
    ("synch-graph", "6"): "confusion",
    ("synch-graph", "7"): "confusion",
    ("synch-graph", "windows"): "curve",
    ("temporal-aggregation", "3"): "learning",
    ("temporal-aggregation", "4"): "confusion",
    ("temporal-aggregation", "5"): "curve",
    ("temporal-aggregation", "b"): "curve",
    ("temporal-aggregation", "asynchrony"): "asynchrony",
}
"""Method of `ReproductionFigures` by paper and number."""


@dataclass(frozen=True)
class ReproductionFigures:
    """Writes the figures of a reproduction as PNG and SVG, and the numbers of curves as tables.

    Parameters
    ----------
    reproduction : Reproduction
    cache : RunCache
        Shared with the tables; runs that are missing are made.
    corpus_key : str
    folder : Path
        Folder to write to.
    store : FeatureStore
    protocols : tuple of {"paper", "scripts", "clean"}
        Each that a figure has gives a line, or a figure of its own.
    clips : sequence of Clip
        Of the corpus, for figures that predict again with trained recognizers.
    clip : Clip or None
        A clip of the user, for figures that show one.
    """

    reproduction: Reproduction
    cache: RunCache
    corpus_key: str
    folder: Path
    store: FeatureStore
    protocols: tuple[ProtocolKind, ...] = ("clean",)
    clips: Sequence[Clip] = ()
    clip: Clip | None = None

    def write(self, number: str) -> tuple[Path, ...]:
        """Write one figure.

        Parameters
        ----------
        number : str
            As in the paper.

        Raises
        ------
        SettingsError
            If the paper has no such figure, or it needs a clip and none was given.
        MissingModalityError
            If that clip shows no face.
        """
        name = self.reproduction.name
        method = _FIGURES.get((name, number))
        if method is None:
            numbers = ", ".join(other for paper, other in _FIGURES if paper == name)
            raise SettingsError(f"{name} has no figure {number!r}. It has: {numbers}.")
        return getattr(self, method)(number)

    def curve(self, number: str) -> tuple[Path, ...]:
        """Accuracy by a setting, with a line or a figure per protocol."""
        plan = self.reproduction.curve(number)
        found = reproduce_table(
            self.reproduction,
            plan.table,
            self.cache,
            corpus_key=self.corpus_key,
            protocols=self.protocols,
        )
        kinds = tuple(found.fold_names)
        words = {k: _PROTOCOLS[k] + found.plan.protocols[k].mark for k in kinds}
        sizes = self.reproduction.settings.sizes(found.plan.preset)
        runs: dict[str, list[Evaluation]] = {
            words[kind]: [row.runs[kind] for row in found.rows if row.runs] for kind in kinds
        }
        if not plan.lines:
            times = self._write_times(plan, runs, sizes)
            curves = self._write_curves(number, plan.title, plan.along, plan.places, runs, sizes)
            return (*times, *curves)
        written: list[Path] = []
        for kind in kinds:
            rows, count = runs[words[kind]], len(plan.places)
            lines = {
                line: rows[first : first + count]
                for line, first in zip(plan.lines, range(0, len(rows), count), strict=True)
            }
            title = f"{plan.title}, {words[kind]}"
            name = f"{number}-{kind}"
            written += self._write_curves(name, title, plan.along, plan.places, lines, sizes)
        return tuple(written)

    def learning(self, number: str) -> tuple[Path, ...]:
        """Losses and accuracies by epoch, of every fold."""
        plan = self.reproduction.one_system(number)
        written: list[Path] = []
        for kind in self._kinds(plan):
            curves: list[LearningCurve] = []
            for request in self._requests(plan, kind):
                self.cache.get(request)
                curves += read_learning_curves(self.cache.run(request).folder)
            for quantity in ("loss", "accuracy"):
                title = f"Figure {number}, {self._words(kind)}"  # the legend stands beside it
                figure = plot_losses(curves, title=title, quantity=quantity)
                written += self._save(figure, f"{number}-{quantity}-{kind}")
        return tuple(written)

    def confusion(self, number: str) -> tuple[Path, ...]:
        """Confusion matrices, and the recalls as a table beside those that the paper prints."""
        plan = self.reproduction.one_system(number)
        written: list[Path] = []
        runs: dict[str, Evaluation] = {}
        for kind in self._kinds(plan):
            run = pool_seeds([self.cache.get(r) for r in self._requests(plan, kind)])
            title = f"{self._title(plan)}, {self._words(kind)}"
            figure = plot_confusion(confusion_matrix(run), run.classes, title=title)
            written += self._save(figure, f"{number}-{kind}")
            runs[self._words(kind)] = run
        return (*written, *write_table(self._recalls(plan, runs), self.folder))

    def asynchrony(self, number: str, offsets_s: Sequence[float] = OFFSETS_S) -> tuple[Path, ...]:
        """Accuracy of the trained networks by the offset between audio and video."""
        plan = self.reproduction.one_system(number)
        runs: dict[str, list[Evaluation]] = {}
        for kind in self._kinds(plan):
            moved = []
            for request in self._requests(plan, kind):
                run, place = self.cache.get(request), self.cache.run(request).folder
                moved.append(shift_audio(run, place, self.clips, self.store, offsets_s))
            runs[_PROTOCOLS[kind]] = [
                pool_seeds([by_offset[offset_s] for by_offset in moved]) for offset_s in offsets_s
            ]
        along = "delay of the audio in s"
        sizes = self.reproduction.settings.sizes()
        return self._write_curves(number, plan.title, along, offsets_s, runs, sizes)

    def incongruent(self, number: str) -> tuple[Path, ...]:
        """Shares of predictions by voice and by face, if the two show different emotions."""
        plan = self.reproduction.one_system(number)
        written: list[Path] = []
        for kind in self._kinds(plan):
            requests = self._requests(plan, kind)
            runs = [
                (self.cache.get(request), self.cache.run(request).folder) for request in requests
            ]
            found = [predict_incongruent(run, place, self.clips, self.store) for run, place in runs]
            title = f"{self._title(plan)}, {self._words(kind)}"
            table = incongruent_table(found, self._stem(f"{number}-{kind}"), title)
            written += write_table(table, self.folder)
        return tuple(written)

    def embeddings(self, number: str) -> tuple[Path, ...]:
        """Deep features of the test clips of the first fold, in two dimensions by t-SNE.

        The networks of different folds have features of their own, so one fold is shown.

        Raises
        ------
        SettingsError
            If a run has no deep features.
        """
        plan = self.reproduction.embeddings(number)
        seed = self.reproduction.settings.seeds[0]
        panels = {}
        classes: tuple[str, ...] = ()
        for label, (system, name) in plan.panels.items():
            request = RunRequest(system, plan.protocol, seed, self.corpus_key)
            run = self.cache.get(request)
            classes = run.classes
            fold = self.cache.run(request).folder / "folds" / f"seed-{seed}" / "fold-00"
            panels[label] = feature_panel(run, read_fold(fold), name)
        title = f"{self.reproduction.name}, Figure {number}: {plan.title}"
        return self._save(plot_embeddings(panels, classes, title=title), number)

    def strips(self, number: str) -> tuple[Path, ...]:
        """Frames of a clip of the user, augmented.

        The files show the clip; share them only as its license allows.

        Raises
        ------
        SettingsError
            If no clip was given.
        MissingModalityError
            If the clip shows no face.
        """
        from aver.features.face_crops import FaceCrops

        if self.clip is None:
            raise SettingsError(
                f"Figure {number} shows frames of a clip: name one of yours with --clip."
            )
        feature = FaceCrops(size_px=112, rate_hz=10.0)
        record = self.store.get(self.clip, feature)
        if record.missing:
            raise MissingModalityError(
                f"Figure {number} needs a face, but {self.clip.video} has none: {record.missing}."
            )
        figure = plot_augmentation(number, record.arrays["crops"], feature.rate_hz)
        return self._save(figure, number)

    def _recalls(self, plan: SystemPlan, runs: Mapping[str, Evaluation]) -> Table:
        """Recall of every class, in print and in our runs."""
        some = next(iter(runs.values()))
        in_print = {column: keys for column, keys in plan.printed.items() if keys}
        columns = ("class", *in_print, *runs)
        rows: list[tuple[Cell, ...]] = []
        for label in some.classes:
            printed = (keys.get(label) for keys in in_print.values())
            numbers = (Estimate(published(key).value / 100) if key else None for key in printed)
            ours = (
                Estimate.of(interval(class_recall(run, label), clips=_clips_of(run, label)))
                for run in runs.values()
            )
            rows.append((label, *numbers, *ours))
        keys = tuple(key for column in in_print.values() for key in column.values())
        leaks = dict.fromkeys(f"LEAKS: {leak}" for run in runs.values() for leak in run.leaks)
        notes = (
            f"{describe_data(some)}; {self.reproduction.settings.sizes()}.",
            interval_note(columns, rows, unknown_speakers=not some.knows_speakers),
            *leaks,
            *remarks(keys),
            *(f"Contradiction: {sentence}" for sentence in contradictions(keys)),
        )
        title = f"{self._title(plan)}. Recall in %"
        return Table.of(self._stem(f"{plan.number}-recall"), title, columns, tuple(rows), notes)

    def _write_times(
        self, plan: CurvePlan, runs: Mapping[str, Sequence[Evaluation]], sizes: str
    ) -> Sequence[Path]:
        """Training times of the runs beside those in print, if the paper prints any."""
        if not plan.printed_times:
            return ()
        columns = (plan.along, "paper, training", *(f"{name}, s per fold" for name in runs))
        rows = tuple(
            (
                f"{place:g}",
                plan.printed_times.get(place, ""),
                *(_seconds_per_fold(found[row]) for found in runs.values()),
            )
            for row, place in enumerate(plan.places)
        )
        notes = (
            f"{describe_data(next(iter(runs.values()))[0])}; {sizes}.",
            "The paper's time is that of a model on its GPU. Ours is the mean wall-clock time of a "
            "fold and seed on this machine, which may have had other work.",
        )
        title = f"{self.reproduction.name}, Figure {plan.number}: training time"
        table = Table.of(self._stem(f"{plan.number}-times"), title, columns, rows, notes)
        return write_table(table, self.folder)

    def _kinds(self, plan: SystemPlan) -> tuple[ProtocolKind, ...]:
        return protocols_in(plan.protocols, self.protocols, f"Figure {plan.number}")

    def _words(self, kind: ProtocolKind) -> str:
        """The protocol, and the network that the figure shows."""
        return f"{_PROTOCOLS[kind]}, {self.reproduction.settings.network()}"

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
        sizes: str,
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
                f"{describe_data(some)}; {sizes}.",
                over,
                *notes,
            ),
        )
        return (*self._save(figure, number), *write_table(table, self.folder))

    def _stem(self, name: str) -> str:
        return f"{self.reproduction.name}-figure-{name}"

    def _save(self, figure: Figure, name: str) -> tuple[Path, ...]:
        return save_figure(figure, self.folder / self._stem(name))


def _clips_of(run: Evaluation, label: str) -> int:
    """Number of different clips of a class."""
    return len({c for c, true in zip(run.clip_ids, run.truth, strict=True) if true == label})


def _seconds_per_fold(run: Evaluation) -> str:
    """Mean training time of a fold and seed; empty if it was not measured."""
    if not run.training_s:
        return ""
    folds = len(set(zip(run.folds.tolist(), run.predictions["seed"], strict=True)))
    return f"{run.training_s / folds:.1f}"


def plot_augmentation(number: str, crops: np.ndarray, rate_hz: float, *, seed: int = 0) -> Figure:
    """Draw Figure 9 or 10 of the MRPN paper.

    Parameters
    ----------
    number : {"9", "10"}
    crops, rate_hz, seed
        As for `spatial_strips` and `time_strips`.
    """
    if number == "9":
        strips, title = spatial_strips(crops, seed=seed), "Augmentation of the image"
    else:
        strips, title = time_strips(crops, rate_hz, seed=seed), "Augmentation in time"
    return plot_strips(strips, columns=min(10, len(crops)), title=title)


def spatial_strips(crops: np.ndarray, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Frames as they are, augmented alike, and augmented one by one (MRPN, Figure 9).

    Parameters
    ----------
    crops : np.ndarray of uint8 [shape=(frames, size, size, 3)]
        Face crops of one clip.
    seed : int

    Returns
    -------
    dict of str to np.ndarray [shape=(frames, size, size, 3)]
        Colors in [0, 1].
    """
    import torch

    from aver.models.data.batches import ClipSequences
    from aver.models.layers.augmentation import ImageAugmentation, ImageAugmentationSettings

    frames = torch.from_numpy(crops.astype(np.float32) / 255).permute(0, 3, 1, 2)
    clip = ClipSequences.of([frames])
    strips = {"original": frames}
    for name, per_frame in (
        ("same random parameters for all frames: used", False),
        ("different parameters for each frame: not used", True),
    ):
        augmentation = ImageAugmentation(ImageAugmentationSettings(per_frame=per_frame)).train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            strips[name] = augmentation(frames, clip)
    return {name: np.clip(s.permute(0, 2, 3, 1).numpy(), 0, 1) for name, s in strips.items()}


def time_strips(crops: np.ndarray, rate_hz: float, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Frames, and two random slices of them at their positions in time (MRPN, Figure 10).

    Parameters
    ----------
    crops : np.ndarray of uint8 [shape=(frames, size, size, 3)]
    rate_hz : float > 0
        Frames per second; slices last at least one second.
    seed : int

    Returns
    -------
    dict of str to np.ndarray [shape=(frames, size, size, 3)]
        NaN outside of a slice.
    """
    import torch

    from aver.models.data.sampler import random_slice

    frames = crops.astype(np.float32) / 255
    generator = torch.Generator().manual_seed(seed)
    strips = {"original": frames}
    for draw in (1, 2):
        start, stop = random_slice(len(frames), max(1, round(rate_hz)), generator)
        kept = np.full_like(frames, np.nan)
        kept[start:stop] = frames[start:stop]
        name = f"random slice {draw}: {start / rate_hz:.1f} to {stop / rate_hz:.1f} s"
        strips[name] = kept
    return strips
