"""Figures of runs are drawn from runs on the shelf, with their numbers beside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_reproduce import Maker
from test_temporal_aggregation_reproduction import paper

from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy
from aver.evaluation.reproduce import RunCache, RunRequest, reproduce_table
from aver.reports.reproduction_report import FigureRequest, write_figure
from aver.reports.statements import describe_data
from aver.reports.system_figures import SystemFigures


class MakerWithLogs(Maker):
    """Leaves what a training leaves."""

    def __call__(self, request: RunRequest, folder: Path) -> Evaluation:
        run = super().__call__(request, folder)
        log = folder / "folds" / "seed-0" / "fold-00" / "training.jsonl"
        log.parent.mkdir(parents=True)
        rows = [
            {
                "epoch": epoch, "training_loss": 1 / epoch, "validation_loss": 1.2 / epoch,
                "training_accuracy": 0.3 * epoch, "validation_accuracy": 0.25 * epoch,
            }
            for epoch in (1, 2, 3)
        ]  # fmt: skip
        log.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return run


@pytest.fixture
def shelf(tmp_path: Path) -> RunCache:
    return RunCache(tmp_path / "runs", MakerWithLogs())


def test_a_curve_holds_the_accuracies_of_its_table(shelf: RunCache, tmp_path: Path) -> None:
    figures = SystemFigures(paper(), shelf, "drawn", tmp_path, ("paper", "clean"))
    written = {path.suffix: path for path in figures.curve("5")}
    assert {".png", ".svg", ".csv", ".json", ".txt"} <= set(written)
    found = reproduce_table(paper(), "segments", shelf, corpus_key="drawn")
    text = written[".txt"].read_text()
    for row in found.rows:
        run = row.runs["clean"]
        whole = interval(accuracy(run), clips=run.clip_count)
        assert f"{100 * whole.value:.1f} [{100 * whole.low:.1f}, {100 * whole.high:.1f}]" in text
    assert "LEAKS" in text
    assert describe_data(found.rows[0].runs["clean"]) in text
    assert paper().settings.sizes in text
    assert "segments N" in written[".svg"].read_text()


def test_learning_and_confusions_of_each_protocol(shelf: RunCache, tmp_path: Path) -> None:
    figures = SystemFigures(paper(), shelf, "drawn", tmp_path, ("paper", "clean"))
    names = {path.name for path in (*figures.learning("3"), *figures.confusion("4"))}
    for kind in ("paper", "clean"):
        assert f"temporal-aggregation-figure-3-loss-{kind}.png" in names
        assert f"temporal-aggregation-figure-3-accuracy-{kind}.svg" in names
        assert f"temporal-aggregation-figure-4-{kind}.png" in names
    assert all((tmp_path / name).stat().st_size > 0 for name in names)
    assert "accuracy" in (tmp_path / "temporal-aggregation-figure-3-accuracy-clean.svg").read_text()


def test_every_figure_named_has_somebody_to_draw_it(shelf: RunCache, tmp_path: Path) -> None:
    for number in ("3", "4", "5", "b"):
        request = FigureRequest(paper(), number, shelf, "drawn", None, None, tmp_path)  # type: ignore[arg-type]
        assert all(path.is_file() for path in write_figure(request))
