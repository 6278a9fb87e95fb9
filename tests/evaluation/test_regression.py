"""Concordance and mean absolute error equal torchmetrics' and scikit-learn's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_runs import drawn_run
from sklearn.metrics import mean_absolute_error as sk_mean_absolute_error

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.regression import concordance, mean_absolute_error
from aver.evaluation.target_answers import TargetAnswers


@pytest.fixture
def voted_run() -> Evaluation:
    run = drawn_run()
    rng = np.random.default_rng(0)
    truth = rng.dirichlet([1, 1], size=len(run.clip_ids))
    truth[3] = np.nan
    answers = 0.6 * truth + 0.4 * rng.random(truth.shape)
    answers[3] = 0.5
    return replace(run, targets={"votes": TargetAnswers("regression", ("a", "b"), truth, answers)})


def test_equal_torchmetrics_and_scikit_learn(voted_run: Evaluation) -> None:
    import torch
    from torchmetrics.functional.regression import concordance_corrcoef

    target = voted_run.targets["votes"]
    truth, answers = target.truth[target.known], target.answers[target.known]
    n = len(truth)
    for column, output in enumerate(target.outputs):
        x, y = truth[:, column], answers[:, column]
        lin = 2 * np.cov(x, y, bias=True)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
        found = concordance(voted_run, "votes", output).value
        assert found == pytest.approx(lin)
        theirs = float(concordance_corrcoef(torch.tensor(y), torch.tensor(x)))
        assert found == pytest.approx(theirs, abs=2 / n)  # theirs divides by n - 1
        assert mean_absolute_error(voted_run, "votes", output).value == pytest.approx(
            sk_mean_absolute_error(x, y)
        )


def test_perfect_and_opposite_answers() -> None:
    run = drawn_run()
    truth = np.random.default_rng(1).normal(size=(len(run.clip_ids), 1))
    for sign in (1, -1):
        target = TargetAnswers(
            "regression", ("x",), truth - truth.mean(), sign * (truth - truth.mean())
        )
        found = concordance(replace(run, targets={"t": target}), "t", "x")
        assert found.value == pytest.approx(sign)


def test_refuses_unknown_targets_and_outputs(voted_run: Evaluation) -> None:
    with pytest.raises(SettingsError, match=r"no regression target 'x'. It has: votes"):
        concordance(voted_run, "x", "a")
    with pytest.raises(SettingsError, match="'c' is not among the outputs a, b"):
        mean_absolute_error(voted_run, "votes", "c")
