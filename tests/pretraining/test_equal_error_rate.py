"""The equal error rate, against scikit-learn's ROC curve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from sklearn.metrics import roc_curve

from aver.errors import SettingsError
from aver.pretraining.equal_error_rate import equal_error_rate, error_rate_interval


@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0])
def test_it_equals_the_crossing_of_scikit_learns_roc_curve(spread: float) -> None:
    rng = np.random.default_rng(0)
    speakers = [f"s{i % 6}" for i in range(120)]
    centers = rng.normal(0, 1, (6, 8))
    rows = np.stack([centers[int(s[1])] for s in speakers]) + rng.normal(0, spread, (120, 8))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    one, two = np.triu_indices(120, 1)
    same = [speakers[i] == speakers[j] for i, j in zip(one, two, strict=True)]
    false, true, _ = roc_curve(same, (unit @ unit.T)[one, two])
    expected = brentq(lambda x: 1 - x - np.interp(x, false, true), 0, 1)
    assert equal_error_rate(rows, speakers) == pytest.approx(expected, abs=0.005)


def test_the_block_size_does_not_matter(monkeypatch) -> None:
    rows = np.random.default_rng(2).normal(0, 1, (50, 4))
    speakers = [f"s{i % 5}" for i in range(50)]
    whole = equal_error_rate(rows, speakers)
    monkeypatch.setattr("aver.pretraining.equal_error_rate._PAIRS_AT_ONCE", 170)
    assert equal_error_rate(rows, speakers) == whole


def test_one_speaker_is_an_error() -> None:
    with pytest.raises(SettingsError, match="at least two speakers"):
        equal_error_rate(np.eye(3), ["a", "a", "a"])


@pytest.mark.parametrize("clips", [(10, 2), (2, 10), (30, 30)])
def test_equal_embeddings_are_at_chance_level_in_any_order(clips):
    speakers = ["a"] * clips[0] + ["b"] * clips[1]
    assert equal_error_rate(np.ones((len(speakers), 3)), speakers) == pytest.approx(0.5)


def test_embeddings_that_are_not_finite_are_an_error():
    with pytest.raises(SettingsError, match="NaN"):
        equal_error_rate(np.full((4, 2), np.nan), ["a", "a", "b", "b"])


def _drawn(rng: np.random.Generator, speakers: int) -> tuple[np.ndarray, list[str]]:
    centers = rng.normal(0, 1, (speakers, 5))
    who = np.repeat(np.arange(speakers), 6)
    return centers[who] + rng.normal(0, 1, (len(who), 5)), [f"s{i}" for i in who]


def test_the_interval_covers_the_rate_of_many_speakers_and_narrows() -> None:
    truth = equal_error_rate(*_drawn(np.random.default_rng(100), 400))
    covered, widths = [], {6: [], 12: []}
    for seed in range(12):
        for speakers, values in widths.items():
            low, high = error_rate_interval(*_drawn(np.random.default_rng(seed), speakers))
            covered.append(low <= truth <= high)
            values.append(high - low)
    assert np.mean(covered) > 0.85
    assert np.mean(widths[12]) < np.mean(widths[6])


def test_two_speakers_give_no_interval() -> None:
    assert error_rate_interval(np.eye(4), ["a", "a", "b", "b"]) is None
