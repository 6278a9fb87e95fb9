"""Curves of robustness: figures are those of the statistics, and the axis runs to the worst."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from drawn_runs import drawn_run

from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy
from aver.evaluation.paired import compare
from aver.evaluation.robustness import DegradedRuns
from aver.media.degradation import degradation
from aver.reports.robustness_report import (
    MeasuredRun,
    robustness_plots,
    robustness_tables,
    write_robustness,
)
from aver.reports.table import Estimate

RUN = drawn_run(speakers=8, skill=2.0)


def damaged(name: str, *levels: float | str, system: str = "drawn") -> MeasuredRun:
    runs = {
        level: drawn_run(speakers=8, skill=1.0, draw=place + 1)
        for place, level in enumerate(levels)
    }
    return MeasuredRun(replace(RUN, system=system), (DegradedRuns(degradation(name), runs),))


def test_tables_say_what_the_statistics_say() -> None:
    measured = damaged("white-noise", -5.0, 20.0)
    (table,) = robustness_tables([measured])
    assert [row[0] for row in table.rows] == ["none", "20", "-5"]  # from little noise to much
    run = measured.damaged[0].runs[-5.0]
    assert table.rows[2][1] == Estimate.of(interval(accuracy(run), clips=run.clip_count))
    assert table.rows[2][2] == Estimate.of(compare(run, RUN).difference, signed=True)


def test_no_damage_is_a_place_on_the_axis_where_it_has_one() -> None:
    ((_, _, figure),) = robustness_plots([damaged("offset", -0.5, 0.5)])
    line = figure.axes[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(), [-0.5, 0.0, 0.5])
    np.testing.assert_allclose(line.get_ydata()[1], 100 * accuracy(RUN).value)
    ((_, _, figure),) = robustness_plots([damaged("babble", 10.0, 0.0)])
    drawn = figure.axes[0].lines
    assert [line.get_label() for line in drawn] == ["drawn", "not degraded", "chance"]
    np.testing.assert_allclose(drawn[1].get_ydata()[0], 100 * accuracy(RUN).value)


def test_the_legend_of_many_systems_lies_beside_the_curves() -> None:
    measured = [damaged("babble", 10.0, 0.0, system=name) for name in ("one", "two", "three")]
    ((_, _, figure),) = robustness_plots(measured)
    assert figure.axes[0].get_legend() is None
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["one", "two", "three", "not degraded, same color", "chance"]
    figure.canvas.draw()
    below = figure.legends[0].get_window_extent()
    assert below.y1 < figure.axes[0].get_window_extent().y0


def test_systems_are_drawn_together_at_levels_they_share() -> None:
    one = damaged("blur", 1.0, 2.0)
    two, three = (
        damaged("blur", 2.0, 1.0, 4.0, system="two"),
        damaged("blur", 4.0, system="three"),
    )
    ((_, _, figure),) = robustness_plots([one, two, three])
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["drawn", "two", "chance"]
    (table,) = robustness_tables([one, two, three])
    assert [row[0] for row in table.rows] == ["none", "1", "2", "4"]
    assert table.rows[1][5] is None  # the third was not measured there


def test_files_lie_in_the_run_folder(tmp_path: Path) -> None:
    measured = damaged("lost-modality", "audio", "video")
    written = write_robustness(measured, tmp_path)
    assert all(path.exists() and path.parent == tmp_path / "robustness" for path in written)
    numbers = json.loads((tmp_path / "robustness" / "curves.json").read_text())
    assert [row["modality lost"] for row in numbers["kinds"]["lost-modality"]["rows"]] == [
        "none",
        "audio",
        "video",
    ]


def test_the_only_measured_system_is_named_where_it_is_not_the_pages_own() -> None:
    other = damaged("lost-modality", "audio", system="another")
    (table,) = robustness_tables([other], named=True)
    assert table.columns[1:] == ("another: accuracy", "another: change")
    ((_, _, figure),) = robustness_plots([other], named=True)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert {"another: nothing lost", "another: without audio"} <= set(labels)
