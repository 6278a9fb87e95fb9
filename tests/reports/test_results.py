"""What `aver.evaluate` returns, compared with what it is made of."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from drawn_runs import drawn_run

from aver.errors import SettingsError
from aver.evaluation.experiment import ExperimentResult
from aver.evaluation.paired import compare
from aver.reports.results import Results


@pytest.fixture
def results(tmp_path: Path) -> Results:
    runs = (
        drawn_run(skill=2.0, system="one"),
        drawn_run(skill=0.5, draw=1, system="two"),
        drawn_run(skill=0.5, draw=2, system="three"),
    )
    return Results(ExperimentResult(run, tmp_path, ()) for run in runs)


def test_the_summary_has_one_row_per_system(results: Results) -> None:
    table = results.summary().set_index("system")
    assert list(table.index) == ["one", "two", "three"]
    for result in results:
        row = table.loc[result.evaluation.system]
        assert row["accuracy"] == pytest.approx(100 * result.evaluation.correct.mean())
        assert row["accuracy: low"] <= row["accuracy"] <= row["accuracy: high"]
    first, second, third = (result.evaluation for result in results)
    assert table["difference"].isna().tolist() == [True, False, False]
    points = 100 * (first.correct.mean() - second.correct.mean())
    assert table.loc["two", "difference"] == pytest.approx(points)
    lowest = min(compare(first, other).p_speakers for other in (second, third))
    assert table["p"].min() == pytest.approx(2 * lowest)  # Holm, two comparisons


def test_predictions_are_those_of_every_system(results: Results) -> None:
    table = results.predictions
    assert len(table) == sum(len(result.evaluation.predictions) for result in results)
    shares = (table["truth"] == table["prediction"]).groupby(table["system"]).mean()
    assert shares["one"] == pytest.approx(results[0].evaluation.correct.mean())


def test_printed_it_is_a_short_table(results: Results) -> None:
    shown = repr(results)
    assert "ExperimentResult" not in shown
    assert len(shown.splitlines()) < 12
    assert re.search(r"^one +\d\d\.\d \[", shown, flags=re.MULTILINE)


def test_a_notebook_shows_the_pictures(results: Results) -> None:
    page = results._repr_html_()
    pictures = re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", page)
    assert len(pictures) >= 3
    assert all(b"<svg" in base64.b64decode(picture) for picture in pictures)
    assert "<table>" in page


def test_plots_have_the_names_of_the_report(results: Results) -> None:
    texts = [text.get_text() for axes in results.plot().axes for text in axes.get_yticklabels()]
    assert any("three" in text for text in texts)
    assert results.plot("confusion").axes
    with pytest.raises(SettingsError, match="Known are: intervals, confusion"):
        results.plot("nonsense")
