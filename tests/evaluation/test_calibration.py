"""Calibration and regression metrics equal torchmetrics' and scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_runs import drawn_run
from sklearn.metrics import mean_absolute_error as sk_mean_absolute_error

from aver.errors import SettingsError
from aver.evaluation.calibration import (
    calibration_error,
    concordance,
    mean_absolute_error,
    reliability,
    selective_accuracy,
)
from aver.evaluation.evaluation import Evaluation, TargetPredictions
from aver.evaluation.metrics import accuracy


@pytest.mark.parametrize("draw", range(4))
def test_calibration_error_equals_torchmetrics(draw: int) -> None:
    import torch
    from torchmetrics.functional.classification import multiclass_calibration_error

    run = drawn_run(draw=draw, skill=0.5, clips=40)
    expected = multiclass_calibration_error(
        torch.tensor(run.probabilities), torch.tensor(run.truth_index), 4, n_bins=15, norm="l1"
    )
    assert calibration_error(run).value == pytest.approx(float(expected), abs=1e-6)


def test_reliability_equals_scikit_learns_curve() -> None:
    from sklearn.calibration import calibration_curve

    run = drawn_run(draw=8, clips=60)
    found = reliability(run, bins=10)
    accuracies, confidences = calibration_curve(
        run.correct, run.probabilities.max(axis=1), n_bins=10
    )
    filled = found.clips > 0
    assert found.accuracy[filled] == pytest.approx(accuracies)
    assert found.confidence[filled] == pytest.approx(confidences)
    assert found.clips.sum() == pytest.approx(run.clip_count)


def test_selective_accuracy_equals_sorting_by_hand() -> None:
    run = drawn_run(draw=2, clips=20)
    order = np.argsort(-run.probabilities.max(axis=1))
    half = run.correct[order[: len(order) // 2]].mean()
    curve = selective_accuracy(run, (0.5, 1.0))
    assert curve[0].value == pytest.approx(half)
    assert curve[1].value == pytest.approx(accuracy(run).value)
    assert curve[0].name == "accuracy on the most confident 50%"


def test_equal_confidences_are_predicted_together() -> None:
    run = drawn_run(draw=2)
    flat = run.with_predictions(np.tile([0.4, 0.2, 0.2, 0.2], (len(run.clip_ids), 1)))
    (curve,) = selective_accuracy(flat, (0.1,))
    assert curve.value == pytest.approx(accuracy(flat).value)


def test_refuses_shares_and_bins_out_of_range() -> None:
    with pytest.raises(SettingsError, match=r"\(0, 1\]"):
        selective_accuracy(drawn_run(), (0.0,))
    with pytest.raises(SettingsError, match="bins"):
        reliability(drawn_run(), bins=0)


@pytest.fixture
def voted_run() -> Evaluation:
    run = drawn_run()
    rng = np.random.default_rng(0)
    truth = rng.dirichlet([1, 1], size=len(run.clip_ids))
    truth[3] = np.nan
    predictions = 0.6 * truth + 0.4 * rng.random(truth.shape)
    predictions[3] = 0.5
    votes = TargetPredictions("regression", ("a", "b"), truth, predictions)
    return run.with_predictions(run.probabilities, targets={"votes": votes})


def test_equal_torchmetrics_and_scikit_learn(voted_run: Evaluation) -> None:
    import torch
    from torchmetrics.functional.regression import concordance_corrcoef

    target = voted_run.target_predictions["votes"]
    truth, predictions = target.truth[target.known], target.predictions[target.known]
    n = len(truth)
    for column, output in enumerate(target.outputs):
        x, y = truth[:, column], predictions[:, column]
        lin = 2 * np.cov(x, y, bias=True)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
        found = concordance(voted_run, "votes", output).value
        assert found == pytest.approx(lin)
        theirs = float(concordance_corrcoef(torch.tensor(y), torch.tensor(x)))
        assert found == pytest.approx(theirs, abs=2 / n)  # theirs divides by n - 1
        assert mean_absolute_error(voted_run, "votes", output).value == pytest.approx(
            sk_mean_absolute_error(x, y)
        )


def test_perfect_and_opposite_predictions() -> None:
    run = drawn_run()
    truth = np.random.default_rng(1).normal(size=(len(run.clip_ids), 1))
    for sign in (1, -1):
        target = TargetPredictions(
            "regression", ("x",), truth - truth.mean(), sign * (truth - truth.mean())
        )
        found = concordance(
            run.with_predictions(run.probabilities, targets={"t": target}), "t", "x"
        )
        assert found.value == pytest.approx(sign)


def test_refuses_unknown_targets_and_outputs(voted_run: Evaluation) -> None:
    with pytest.raises(SettingsError, match=r"no regression target 'x'. It has: votes"):
        concordance(voted_run, "x", "a")
    with pytest.raises(SettingsError, match="'c' is not among the outputs a, b"):
        mean_absolute_error(voted_run, "votes", "c")
