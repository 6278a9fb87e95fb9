"""The minimum detectable difference equals statsmodels' and is detected with its power."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from aver.errors import SettingsError
from aver.evaluation.intervals import SpeakerSums, divide
from aver.evaluation.paired import minimum_detectable_difference, minimum_p, noncentrality


@pytest.mark.parametrize("speakers", [3, 8, 24, 91])
@pytest.mark.parametrize("power", [0.8, 0.9])
def test_equals_statsmodels(speakers: int, power: float) -> None:
    effect = TTestPower().solve_power(nobs=speakers, alpha=0.05, power=power)
    assert noncentrality(speakers, power) == pytest.approx(effect * np.sqrt(speakers), rel=1e-4)


def test_a_difference_of_this_size_is_detected_with_80_percent_power() -> None:
    rng = np.random.default_rng(0)
    shift = noncentrality(8) / np.sqrt(8)
    found = stats.ttest_1samp(rng.normal(shift, 1, size=(20_000, 8)), 0, axis=1).pvalue <= 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.01)


def test_the_difference_is_in_the_metrics_unit() -> None:
    gaps = np.array([0.1, -0.05, 0.2, 0.0, 0.07])
    sums = SpeakerSums(
        "difference",
        tuple("abcde"),
        np.stack([gaps, np.ones(5)], axis=1),
        lambda s: divide(s[..., 0], s[..., 1]),
    )
    assert minimum_detectable_difference(sums) == pytest.approx(noncentrality(5) * stats.sem(gaps))


def test_a_difference_that_is_equal_for_all_speakers_has_none() -> None:
    gaps = np.stack([np.full(5, 0.1), np.ones(5)], axis=1)
    sums = SpeakerSums("difference", tuple("abcde"), gaps, lambda s: divide(s[..., 0], s[..., 1]))
    assert np.isnan(minimum_detectable_difference(sums))


def test_fewer_than_six_speakers_never_reach_five_percent() -> None:
    assert minimum_p(5) > 0.05 > minimum_p(6)
    assert np.isnan(noncentrality(1))
    with pytest.raises(SettingsError, match="alpha and power"):
        noncentrality(8, power=1.2)
