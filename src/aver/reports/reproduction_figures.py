"""Figures of the papers: who draws which, and from what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError, SettingsError
from aver.evaluation.reproduction import Reproduction
from aver.evaluation.run_request import ProtocolKind
from aver.evaluation.run_shelf import RunShelf
from aver.features.store import FeatureStore
from aver.reports.augmentation_strips import write_strips
from aver.reports.embedding_report import write_embeddings
from aver.reports.system_figures import SystemFigures


@dataclass(frozen=True)
class FigureRequest:
    """What a figure may be drawn from.

    Parameters
    ----------
    reproduction : Reproduction
    number : str
        As in the paper.
    shelf : RunShelf
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
    shelf: RunShelf
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
