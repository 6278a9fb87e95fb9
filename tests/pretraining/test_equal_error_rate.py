"""The equal error rate, against scikit-learn's ROC curve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from sklearn.metrics import roc_curve

from aver.errors import SettingsError
from aver.pretraining.equal_error_rate import equal_error_rate


@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0])
def test_where_scikit_learns_curve_crosses_the_diagonal(spread: float) -> None:
    rng = np.random.default_rng(0)
    speakers = [f"s{i % 6}" for i in range(120)]
    centres = rng.normal(0, 1, (6, 8))
    rows = np.stack([centres[int(s[1])] for s in speakers]) + rng.normal(0, spread, (120, 8))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    one, two = np.triu_indices(120, 1)
    same = [speakers[i] == speakers[j] for i, j in zip(one, two, strict=True)]
    false, true, _ = roc_curve(same, (unit @ unit.T)[one, two])
    wanted = brentq(lambda x: 1 - x - np.interp(x, false, true), 0, 1)
    assert equal_error_rate(rows, speakers) == pytest.approx(wanted, abs=0.005)


def test_it_counts_the_same_pairs_whatever_it_compares_at_a_time(monkeypatch) -> None:
    rows = np.random.default_rng(2).normal(0, 1, (50, 4))
    speakers = [f"s{i % 5}" for i in range(50)]
    whole = equal_error_rate(rows, speakers)
    monkeypatch.setattr("aver.pretraining.equal_error_rate._PAIRS_AT_ONCE", 170)
    assert equal_error_rate(rows, speakers) == whole


def test_one_speaker_is_an_error() -> None:
    with pytest.raises(SettingsError, match="at least two speakers"):
        equal_error_rate(np.eye(3), ["a", "a", "a"])


@pytest.mark.parametrize("clips", [(10, 2), (2, 10), (30, 30)])
def test_embeddings_that_are_all_alike_are_chance_in_any_order(clips):
    speakers = ["a"] * clips[0] + ["b"] * clips[1]
    assert equal_error_rate(np.ones((len(speakers), 3)), speakers) == pytest.approx(0.5)


def test_embeddings_that_are_not_finite_are_refused():
    with pytest.raises(SettingsError, match="NaN"):
        equal_error_rate(np.full((4, 2), np.nan), ["a", "a", "b", "b"])
