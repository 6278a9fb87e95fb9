"""Figures of the papers: from cached runs, with their numbers as tables; augmented frames."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from test_reproduce import Maker, mrpn
from test_temporal_aggregation_reproduction import paper

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy
from aver.evaluation.reproduce import RunCache, RunRequest, reproduce_table
from aver.features.store import FeatureStore
from aver.models.base.prediction import Prediction, save_prediction
from aver.reports.plots.style import as_svg
from aver.reports.plots.training import LearningCurve, plot_losses
from aver.reports.reproduction_figures import (
    ReproductionFigures,
    plot_augmentation,
    spatial_strips,
    time_strips,
)
from aver.reports.statements import describe_data


class MakerWithLogs(Maker):
    """Leaves the log of a training."""

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
def figures(tmp_path: Path) -> ReproductionFigures:
    cache = RunCache(tmp_path / "runs", MakerWithLogs())
    store = FeatureStore(tmp_path / "features")
    return ReproductionFigures(paper(), cache, "drawn", tmp_path, store, ("paper", "clean"))


def test_a_curve_holds_the_accuracies_of_its_table(
    figures: ReproductionFigures, tmp_path: Path
) -> None:
    written = {path.suffix: path for path in figures.write("5")}
    assert {".png", ".svg", ".csv", ".json", ".txt"} <= set(written)
    found = reproduce_table(paper(), "segments", figures.cache, corpus_key="drawn")
    text = written[".txt"].read_text()
    for row in found.rows:
        run = row.runs["clean"]
        whole = interval(accuracy(run), clips=run.clip_count)
        assert f"{100 * whole.value:.1f} [{100 * whole.low:.1f}, {100 * whole.high:.1f}]" in text
    assert "LEAKS" in text
    assert describe_data(found.rows[0].runs["clean"]) in text
    assert paper().settings.sizes() in text
    assert "segments N" in written[".svg"].read_text()


def test_learning_and_confusions_of_each_protocol(
    figures: ReproductionFigures, tmp_path: Path
) -> None:
    names = {path.name for path in (*figures.write("3"), *figures.write("4"))}
    for kind in ("paper", "clean"):
        assert f"temporal-aggregation-figure-3-loss-{kind}.png" in names
        assert f"temporal-aggregation-figure-3-accuracy-{kind}.svg" in names
        assert f"temporal-aggregation-figure-4-{kind}.png" in names
    assert all((tmp_path / name).stat().st_size > 0 for name in names)
    assert "accuracy" in (tmp_path / "temporal-aggregation-figure-3-accuracy-clean.svg").read_text()


def test_recalls_stand_beside_those_in_print(tmp_path: Path) -> None:
    """Paper 1, section VI-A: with audio alone all sad clips are recognized."""
    from test_snn_cross_modal_reproduction import paper as spiking

    cache, store = RunCache(tmp_path / "runs", Maker()), FeatureStore(tmp_path / "features")
    drawn = ReproductionFigures(spiking(), cache, "drawn", tmp_path, store, ("paper", "clean"))
    drawn.write("4")
    table = json.loads((tmp_path / "snn-cross-modal-figure-4-recall.json").read_text())
    rows = {row["class"]: row for row in table["rows"]}
    assert rows["sad"]["paper"]["value"] == 100.0
    assert rows["happy"]["paper"] is None
    plan = spiking().one_system("4")
    run = cache.get(RunRequest(plan.system, plan.protocols["clean"], 0, "drawn"))
    by_hand = run.correct[np.asarray(run.truth) == "sad"].mean()
    assert rows["sad"]["clean, snn-cross-modal-compact"]["value"] == pytest.approx(100 * by_hand)
    assert any("happy and disgust are the same" in note for note in table["notes"])


def test_training_times_stand_beside_those_in_print(
    figures: ReproductionFigures, tmp_path: Path
) -> None:
    figures.write("5")
    table = json.loads((tmp_path / "temporal-aggregation-figure-5-times.json").read_text())
    printed = {row["segments N"]: row["paper, training"] for row in table["rows"]}
    assert printed == {"1": "", "3": "3 h", "5": "", "8": "", "10": "about 5.5 h"}


def test_a_training_of_one_epoch_is_drawn_as_points() -> None:
    one = LearningCurve("seed-0/fold-00", (1.5,), (1.6,), 1)
    two = LearningCurve("seed-0/fold-01", (1.5, 1.2), (1.6, 1.4), 2)
    for curves, marker in (([one], "o"), ([two], "None")):
        (axes,) = plot_losses(curves, title="losses").axes
        lines = [line for line in axes.lines if line.get_label() != "epoch kept"]
        assert {line.get_marker() for line in lines} == {marker}


def test_every_figure_can_be_written(figures: ReproductionFigures) -> None:
    for number in ("3", "4", "5", "b"):
        assert all(path.is_file() for path in figures.write(number))


def test_an_unknown_figure_is_an_error(figures: ReproductionFigures) -> None:
    with pytest.raises(SettingsError, match=r"has no figure '99'\. It has: 3, 4, 5, b, async"):
        figures.write("99")


def test_a_figure_of_a_clip_needs_one(tmp_path: Path) -> None:
    cache, store = RunCache(tmp_path, Maker()), FeatureStore(tmp_path / "features")
    with pytest.raises(SettingsError, match="--clip"):
        ReproductionFigures(mrpn(), cache, "drawn", tmp_path, store).write("9")


@pytest.fixture
def crops() -> np.ndarray:
    """One image repeated, so that frames differ by augmentation only."""
    image = np.random.default_rng(0).integers(0, 256, size=(24, 24, 3), dtype=np.uint8)
    return np.repeat(image[None], 20, axis=0)


def test_same_parameters_for_all_frames_in_the_middle_strip_only(crops: np.ndarray) -> None:
    original, same, different = spatial_strips(crops).values()
    np.testing.assert_allclose(original, crops / 255, atol=1e-6)
    assert np.ptp(same, axis=0).max() < 1e-5
    assert not np.allclose(same, original)
    assert np.ptp(different, axis=0).max() > 0.2


def test_slices_last_at_least_a_second_and_keep_their_position(crops: np.ndarray) -> None:
    for seed in range(20):
        for name, frames in list(time_strips(crops, 6.0, seed=seed).items())[1:]:
            kept = np.flatnonzero(~np.isnan(frames).any(axis=(1, 2, 3)))
            assert len(kept) >= 6, name
            assert kept[-1] - kept[0] + 1 == len(kept)


@pytest.mark.parametrize("number", ["9", "10"])
def test_augmentation_is_drawn(number: str, crops: np.ndarray) -> None:
    assert "Augmentation" in as_svg(plot_augmentation(number, crops, 6.0))


class MakerWithFeatures(Maker):
    """Leaves what a run leaves: the first fold's predictions with deep features."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names

    def __call__(self, request: RunRequest, folder: Path) -> Evaluation:
        run = super().__call__(request, folder)
        first = run.rows(run.folds == 0)
        features = np.eye(4)[first.truth_index] + 0.1 * first.probabilities
        features[0] = np.nan  # a clip that lacks the modality
        fold = folder / "folds" / "seed-0" / "fold-00"
        fold.mkdir(parents=True)
        prediction = Prediction(
            first.clip_ids,
            first.classes,
            first.probabilities,
            embeddings=dict.fromkeys(self.names, features),
        )
        save_prediction(prediction, fold / "predictions.safetensors")
        return run


def test_three_panels_from_three_runs(tmp_path: Path) -> None:
    maker = MakerWithFeatures(("fused", "video", "audio"))
    cache = RunCache(tmp_path, maker)
    png, svg = ReproductionFigures(
        mrpn(), cache, "drawn", tmp_path / "out", FeatureStore(tmp_path / "features")
    ).write("5")
    assert len(maker.made) == 3
    assert png.stat().st_size > 0
    text = svg.read_text()
    for word in ("video only", "audio only", "both", "neutral", "angry"):
        assert word in text


def test_a_run_without_deep_features_is_an_error(tmp_path: Path) -> None:
    cache = RunCache(tmp_path, MakerWithFeatures(("fused",)))
    with pytest.raises(SettingsError, match="has no deep features named 'video'"):
        ReproductionFigures(
            mrpn(), cache, "drawn", tmp_path / "out", FeatureStore(tmp_path / "features")
        ).write("5")
