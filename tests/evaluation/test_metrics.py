"""Metrics equal scikit-learn's, and pool clips over seeds as they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawn_runs import CLASSES, drawn_run
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from aver.errors import SettingsError
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import (
    accuracy,
    brier,
    class_precision,
    class_recall,
    confusion_matrix,
    log_loss,
    macro_f1,
    unweighted_recall,
)


@settings(max_examples=25, deadline=None)
@given(draw=st.integers(0, 10_000), skill=st.floats(0, 3), clips=st.integers(4, 30))
def test_metrics_equal_scikit_learn(draw: int, skill: float, clips: int) -> None:
    run = drawn_run(draw=draw, skill=skill, clips=clips)
    truth, prediction = run.truth_index, run.prediction_index
    labels = list(range(len(CLASSES)))
    assert accuracy(run).value == pytest.approx(sk.accuracy_score(truth, prediction))
    assert unweighted_recall(run).value == pytest.approx(
        sk.balanced_accuracy_score(truth, prediction)
    )
    assert macro_f1(run).value == pytest.approx(sk.f1_score(truth, prediction, average="macro"))
    assert log_loss(run).value == pytest.approx(
        sk.log_loss(truth, run.probabilities, labels=labels)
    )
    assert brier(run).value == pytest.approx(
        sk.brier_score_loss(truth, run.probabilities, labels=labels, scale_by_half=False)
    )
    assert confusion_matrix(run) == pytest.approx(
        sk.confusion_matrix(truth, prediction, labels=labels)
    )


def test_the_brier_score_reaches_two_and_its_interval_is_cut_there() -> None:
    """Certain and wrong: the squared distance is 1 in the true class and 1 in the other."""
    run = drawn_run()
    wrong = np.eye(4)[(run.truth_index + 1) % 4]
    assert brier(run.with_predictions(wrong)).value == pytest.approx(2)
    one_in_six_right = np.where(run.speaker_index[:, None] == 0, np.eye(4)[run.truth_index], wrong)
    found = interval(brier(run.with_predictions(one_in_six_right)))
    assert found.value == pytest.approx(10 / 6)
    assert found.low < found.value
    assert found.high == 2


def test_recall_and_precision_by_class_equal_scikit_learn() -> None:
    run = drawn_run(draw=3)
    recalls = sk.recall_score(run.truth_index, run.prediction_index, average=None)
    precisions = sk.precision_score(run.truth_index, run.prediction_index, average=None)
    for label, recall, precision in zip(CLASSES, recalls, precisions, strict=True):
        assert class_recall(run, label).value == pytest.approx(recall)
        assert class_precision(run, label).value == pytest.approx(precision)
    with pytest.raises(SettingsError, match="'calm' is not among the classes"):
        class_recall(run, "calm")


def test_several_seeds_are_the_mean_over_seeds() -> None:
    run = drawn_run(seeds=(0, 1, 2), draw=5)
    parts = [run.rows(run.seeds == seed) for seed in run.seed_values]
    for metric in (accuracy, unweighted_recall, macro_f1, log_loss, brier):
        assert metric(run).value == pytest.approx(np.mean([metric(p).value for p in parts]))
    assert confusion_matrix(run).sum() == pytest.approx(run.clip_count)


def test_a_clip_tested_more_often_counts_once() -> None:
    run = drawn_run(speakers=2, clips=4)
    again = pd.concat([run.predictions[:1].assign(seed=seed) for seed in range(1, 6)])
    both = replace(run, predictions=pd.concat([run.predictions, again]))
    assert accuracy(both).value == pytest.approx(accuracy(run).value)


def test_speakers_alone_equal_their_rows_alone() -> None:
    run = drawn_run(draw=9, seeds=(0, 1))
    for metric in (accuracy, unweighted_recall, macro_f1):
        values = metric(run).by_speaker
        for speaker, value in zip(run.speaker_ids, values, strict=True):
            alone = run.rows(np.array([name == speaker for name in run.speakers]))
            assert value == pytest.approx(metric(alone).value)


def test_a_class_that_no_clip_has_is_left_out() -> None:
    run = drawn_run()
    kept = run.rows(np.array([label != "sad" for label in run.truth]))
    present = [label for label in CLASSES if label != "sad"]
    expected = np.mean([class_recall(kept, label).value for label in present])
    assert unweighted_recall(kept).value == pytest.approx(expected)
    assert np.isnan(class_recall(kept, "sad").value)
