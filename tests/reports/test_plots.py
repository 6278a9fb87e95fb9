"""Plots are written as PNG and SVG, twice the same, and fit into a page without a request."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from drawn_runs import CLASSES, drawn_run
from matplotlib.collections import LineCollection, PathCollection

from aver.errors import SettingsError
from aver.evaluation.calibration import reliability
from aver.evaluation.metrics import confusion_matrix
from aver.models.synch_graph.graph import ClipSpikes, synchrony_graph
from aver.reports.plots.charts import (
    IntervalRow,
    plot_confusion,
    plot_curves,
    plot_groups,
    plot_intervals,
    plot_matrix,
    plot_reliability,
)
from aver.reports.plots.clips import lay_out, plot_embeddings, plot_strips, plot_synchrony_graph
from aver.reports.plots.style import PALETTE, as_svg, inline_svg, save_figure
from aver.reports.plots.training import LearningCurve, plot_losses, read_learning_curves
from aver.reports.table import Estimate
from aver.spiking import Spikes


def intervals() -> object:
    rows = [
        IntervalRow("ours", Estimate(0.5, 0.4, 0.6), Estimate(0.7, 0.6, 0.8), 0.9),
        IntervalRow("theirs", published=0.4),
    ]
    return plot_intervals(rows, chance=0.25, title="t")


def curves() -> object:
    estimates = [Estimate(0.8, 0.7, 0.9), Estimate(0.6), Estimate(0.4, 0.2, 0.6)]
    return plot_curves(
        [20, 5, -5], {"a": estimates}, along="SNR in dB", quantity="accuracy", chance=0.2, title="t"
    )


def losses() -> object:
    curve = [LearningCurve("a", (2.0, 1.0), (2.0, 1.5), 2), LearningCurve("b", (1.0,), (), None)]
    return plot_losses(curve, title="t")


def embeddings() -> object:
    rng = np.random.default_rng(0)
    places = {"a": (rng.normal(size=(9, 2)), ["sad"] * 4 + ["happy"] * 5)}
    return plot_embeddings(places, ("happy", "sad"), title="t")


PLOTS: dict[str, Callable[[], object]] = {
    "intervals": intervals,
    "matrix": lambda: plot_matrix(
        np.array([[np.nan, 0.4], [0.6, np.nan]]),
        ["one", "two"],
        ["one", "two"],
        down="trained on",
        across="tested on",
        title="t",
    ),
    "confusion": lambda: plot_confusion(confusion_matrix(drawn_run()), CLASSES, title="t"),
    "groups": lambda: plot_groups(
        {"s1": Estimate(0.5), "s2": Estimate(0.7, 0.6, 0.8)},
        overall=0.6, chance=0.25, quantity="accuracy", title="t",
    ),
    "curves": curves,
    "losses": losses,
    "reliability": lambda: plot_reliability(reliability(drawn_run()), title="t"),
    "embeddings": embeddings,
}  # fmt: skip


@pytest.mark.parametrize("name", PLOTS)
def test_written_as_image_and_vector_and_the_same_twice(name: str, tmp_path: Path) -> None:
    png, svg = save_figure(PLOTS[name](), tmp_path / name)
    assert png.read_bytes()[:4] == b"\x89PNG"
    text = svg.read_text()
    ET.fromstring(text)
    assert "<text" in text  # text stays text: found by searching, read aloud
    assert "<image" not in text
    assert text == as_svg(PLOTS[name]())


def test_inside_a_page_ids_do_not_clash_and_nothing_is_fetched() -> None:
    svg = as_svg(intervals())
    first, second = inline_svg(svg, "one", 'a "b" <c>'), inline_svg(svg, "two", "d")
    ids = [re.findall(r'\bid="([^"]+)"', text) for text in (first, second)]
    assert not set(ids[0]) & set(ids[1])
    assert set(re.findall(r"url\(#([^)]+)\)", first)) <= set(ids[0])
    assert set(re.findall(r'href="#([^"]+)"', first)) <= set(ids[0])
    assert not re.findall(r'(?:href|src)="(?!#)', first)
    assert "currentColor" in first
    assert 'aria-label="a &quot;b&quot; &lt;c>"' in first
    ET.fromstring(first.replace("var(", "("))


def test_axis_that_falls_is_drawn_falling() -> None:
    axes = curves().axes[0]  # type: ignore[attr-defined]
    assert axes.xaxis_inverted()


def test_every_cell_of_a_confusion_matrix_can_be_read() -> None:
    """Contrast of at least 4.5 to 1 (WCAG 2.1, 1.4.3) between figure and cell."""
    shares = np.array([[100, 0], [0, 1.0]])
    for share in range(0, 101, 4):
        shares[0] = share, 100 - share
        figure = plot_confusion(shares, ("a", "b"), title="t")
        axes = figure.axes[0]
        mesh = axes.collections[0]
        mesh.update_scalarmappable()
        for text, color in zip(axes.texts[:2], mesh.get_facecolors()[:2], strict=True):
            assert contrast(text.get_color(), color[:3]) >= 4.5, share


def contrast(ink: str, paper: np.ndarray) -> float:
    from matplotlib.colors import to_rgb

    lights = []
    for color in (to_rgb(ink), paper):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
        lights.append(np.dot(linear, [0.2126, 0.7152, 0.0722]))
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def test_clean_and_leaking_differ_for_the_color_blind() -> None:
    """Simulated red- and green-blindness (Vienot et al. 1999) keeps the two apart."""
    from matplotlib.colors import to_rgb

    to_lms = np.array(
        [[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]]
    )
    blind = {
        "red": np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]]),
        "green": np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]]),
    }
    for matrix in blind.values():
        seen = [np.linalg.solve(to_lms, matrix @ to_lms @ np.array(to_rgb(c))) for c in PALETTE[:2]]
        assert np.linalg.norm(seen[0] - seen[1]) > 0.4


def test_tsne_keeps_clusters_together() -> None:
    rng = np.random.default_rng(0)
    centers = rng.normal(scale=8, size=(3, 16))
    owner = np.repeat([0, 1, 2], 20)
    places = lay_out(centers[owner] + rng.normal(size=(60, 16)))
    distance = np.linalg.norm(places[:, None] - places[None], axis=2) + 1e9 * np.eye(60)
    assert (owner[distance.argmin(axis=1)] == owner).mean() > 0.95
    with pytest.raises(SettingsError, match="at least 5 clips, not 3"):
        lay_out(np.zeros((3, 2)))


def test_a_strip_without_frames_is_refused() -> None:
    with pytest.raises(SettingsError, match="'x' has no frame"):
        plot_strips({"x": np.zeros((0, 4, 4, 3))}, columns=3, title="t")


def test_reads_every_fold_in_order(tmp_path: Path) -> None:
    for name, losses in (("seed-0/fold-01", [3.0, 2.0, 2.5]), ("seed-0/fold-00", [1.0])):
        log = tmp_path / "folds" / name / "training.jsonl"
        log.parent.mkdir(parents=True)
        lines = [
            {"epoch": i + 1, "training_loss": loss, "validation_loss": loss + 1}
            for i, loss in enumerate(losses)
        ]
        log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    first, second = read_learning_curves(tmp_path)
    assert first.name == "seed-0/fold-00"
    assert second.validation_loss == (4.0, 3.0, 3.5)
    assert second.best_epoch == 2


def test_a_run_without_epochs_has_none(tmp_path: Path) -> None:
    assert read_learning_curves(tmp_path) == ()


def drawn(window_ms):
    chance = np.random.default_rng(0)
    trains = {
        name: Spikes(chance.uniform(0, 350, 40), chance.integers(0, 30, 40))
        for name in ("video", "audio")
    }
    return synchrony_graph(ClipSpikes.of(trains, maps=20), window_ms)


def test_every_node_and_edge_is_drawn(tmp_path):
    graph = drawn(20.0)
    figure = plot_synchrony_graph(graph, title="One clip")
    axes = figure.axes[0]
    points = [c for c in axes.collections if isinstance(c, PathCollection)]
    (lines,) = (c for c in axes.collections if isinstance(c, LineCollection))
    assert sum(len(c.get_offsets()) for c in points) == graph.nodes
    assert len(lines.get_segments()) == graph.edges
    np.testing.assert_allclose(np.sort(lines.get_array()), np.sort(np.abs(graph.lag_ms)))
    png, svg = save_figure(figure, tmp_path / "graph")
    assert png.stat().st_size > 10_000
    assert "20 ms" in svg.read_text("utf-8")


def test_a_clip_without_spikes_is_a_image_too():
    plot_synchrony_graph(synchrony_graph(ClipSpikes.of({}, maps=20)), title="Nothing")
