"""Concordance and mean absolute error equal torchmetrics' and scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_runs import drawn_run
from sklearn.metrics import mean_absolute_error as sk_mean_absolute_error

from aver.errors import SettingsError
from aver.evaluation.calibration import concordance, mean_absolute_error
from aver.evaluation.evaluation import Evaluation, TargetPredictions


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
