"""Predictions as a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aver.models.base.prediction import Prediction


def test_the_table_holds_every_array_by_name() -> None:
    prediction = Prediction(
        clip_ids=("a", "b"),
        classes=("happy", "sad"),
        probabilities=np.array([[0.75, 0.25], [0.5, 0.5]]),
        by_modality={"audio": np.array([[0.125, 0.875], [np.nan, np.nan]])},
        coverage={"audio": np.array([1.0, 0.0])},
        flags=((), ("no audio", "short")),
        other_targets={"intensity": np.array([[0.1, 0.9], [0.2, 0.8]])},
        other_outputs={"intensity": ("normal", "strong")},
    )
    table = prediction.to_frame()
    assert list(table["clip"]) == ["a", "b"]
    assert list(table["emotion"]) == ["happy", "happy"]
    assert list(table["flags"]) == ["", "no audio; short"]
    assert list(table["p sad"]) == [0.25, 0.5]
    assert table["audio: p sad"][0] == 0.875
    assert np.isnan(table["audio: p happy"][1])
    assert list(table["intensity: predicted strong"]) == [0.9, 0.8]
    assert list(table["audio: coverage"]) == [1.0, 0.0]
    assert len(table.columns) == 3 + 2 + 2 + 2 + 1


def test_without_flags_the_column_is_empty() -> None:
    prediction = Prediction(("a",), ("happy", "sad"), np.array([[0.3, 0.7]]))
    assert list(prediction.to_frame()["flags"]) == [""]


def _prediction(count: int = 2) -> Prediction:
    return Prediction(
        clip_ids=tuple(f"clip-{number}" for number in range(count)),
        classes=("happy", "sad"),
        probabilities=np.tile([0.75, 0.25], (count, 1)),
        coverage={"audio": np.linspace(0, 1, count)},
        flags=tuple((f"flag {number}",) for number in range(count)),
    )


def test_rows_are_taken_in_any_order_and_repeatedly_and_none_is_an_empty_row() -> None:
    taken = _prediction().take([1, None, 0, 1])
    assert taken.clip_ids == ("clip-1", "", "clip-0", "clip-1")
    assert taken.labels == ("happy", "", "happy", "happy")
    assert taken.flags == (("flag 1",), (), ("flag 0",), ("flag 1",))
    assert np.array_equal(taken.coverage["audio"], [1, np.nan, 0, 1], equal_nan=True)
    assert np.isnan(taken.probabilities[1]).all()


def test_a_printed_prediction_is_a_short_table() -> None:
    shown = repr(_prediction(30))
    assert "array" not in shown
    assert len(shown.splitlines()) == 12
    assert shown.splitlines()[1].split() == ["clip-0", "happy", "75.0%", "flag", "0"]
    assert "and 20 more" in shown
    assert repr(_prediction(0)).split() == ["clip", "emotion", "probability", "remarks"]


def test_a_notebook_shows_names_as_text() -> None:
    page = replace(_prediction(1), clip_ids=("<b>bold</b>",))._repr_html_()
    assert "&lt;b&gt;bold" in page
    assert "<b>" not in page
