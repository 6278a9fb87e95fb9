"""Predictions as a table."""

from __future__ import annotations

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
    assert list(table["clip_id"]) == ["a", "b"]
    assert list(table["prediction"]) == ["happy", "happy"]
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
