"""The summary holds every figure, defined or not, as JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from drawn_runs import CLASSES, drawn_run

from aver.evaluation.intervals import binomial_interval
from aver.evaluation.summary import summarize


def test_figures_agree_with_counts_by_hand() -> None:
    run = drawn_run(seeds=(0, 1))
    found = summarize(run)
    assert found.clips_of_class == {label: run.truth[:72].count(label) for label in CLASSES}
    assert set(found.clips_of_speaker.values()) == {12}
    assert found.confusion.sum() == pytest.approx(72)
    females = [c for c, sex in zip(run.correct, run.sexes, strict=True) if sex == "female"]
    assert found.sex_accuracy["female"].value == pytest.approx(np.mean(females))
    assert found.fold_accuracy["1"] == pytest.approx(run.correct[run.folds == 1].mean())
    assert found.seed_accuracy["1"] == pytest.approx(run.correct[run.seeds == 1].mean())


def test_one_class_predicted_always_has_no_binomial_interval_of_f1() -> None:
    run = drawn_run()
    constant = np.zeros_like(run.probabilities)
    constant[:, 0] = 1.0
    found = summarize(run.with_predictions(constant)).metrics
    # Every speaker has a quarter of each class: F1 of the class answered is 2 / 5, of others 0.
    assert found["macro_f1"].value == pytest.approx(0.1)
    assert (found["macro_f1"].low, found["macro_f1"].method) == (None, "none")
    assert found["accuracy"].method == found["unweighted_recall"].method == "binomial"
    assert (found["accuracy"].low, found["accuracy"].high) == pytest.approx(
        binomial_interval(18, 72)
    )
    perfect = np.eye(4)[run.truth_index]
    assert summarize(run.with_predictions(perfect)).metrics["macro_f1"].method == "binomial"


def test_undefined_figures_become_null() -> None:
    run = drawn_run(speakers=1, clips=6)
    run = run.with_predictions(np.tile([1.0, 0, 0, 0], (6, 1)))
    values = summarize(run).as_json()
    json.dumps(values, allow_nan=False)
    assert values["metrics"]["accuracy"]["low"] is None
    assert values["precision"]["sad"] is None
