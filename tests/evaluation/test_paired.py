"""Paired tests equal SciPy's and statsmodels', and keep their error rate if clips cluster."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_runs import CLASSES, drawn_run, with_columns
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import SpeakerSums, divide
from aver.evaluation.metrics import accuracy, macro_f1, unweighted_recall
from aver.evaluation.paired import (
    compare,
    holm,
    mcnemar_test,
    minimum_detectable_difference,
    minimum_p,
    noncentrality,
    sign_flip_test,
)


def by_speaker(run: Evaluation) -> np.ndarray:
    return accuracy(run).by_speaker


def test_difference_and_interval_equal_the_paired_t_interval() -> None:
    first, second = drawn_run(draw=1, skill=1.5), drawn_run(draw=2, skill=0.8, system="other")
    found = compare(first, second)
    gaps = by_speaker(first) - by_speaker(second)
    expected = stats.t.interval(0.95, len(gaps) - 1, loc=gaps.mean(), scale=stats.sem(gaps))
    assert found.difference.value == pytest.approx(gaps.mean())
    assert (found.difference.low, found.difference.high) == pytest.approx(expected)
    assert (found.clips, found.speakers, found.exact) == (72, 6, True)


def test_swapping_speakers_equals_scipys_permutation_test() -> None:
    first, second = drawn_run(draw=3, skill=1.2), drawn_run(draw=4, skill=0.9)
    p, exact = sign_flip_test(accuracy(first), accuracy(second))
    expected = stats.permutation_test(
        (by_speaker(first), by_speaker(second)),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
    )
    assert exact
    assert p == pytest.approx(expected.pvalue)


def test_random_swaps_of_many_speakers_agree_with_the_t_test() -> None:
    first = drawn_run(draw=5, skill=1.2, speakers=40, clips=20)
    second = drawn_run(draw=6, skill=1.05, speakers=40, clips=20)
    p, exact = sign_flip_test(accuracy(first), accuracy(second))
    assert not exact
    assert p == pytest.approx(
        stats.ttest_rel(by_speaker(first), by_speaker(second)).pvalue, abs=0.02
    )


@pytest.mark.parametrize("draw", range(5))
def test_mcnemar_equals_statsmodels(draw: int) -> None:
    first, second = drawn_run(draw=draw, skill=1.4), drawn_run(draw=draw + 50, skill=0.7)
    table = [
        [np.sum(a & b) for b in (second.correct, ~second.correct)]
        for a in (first.correct, ~first.correct)
    ]
    assert mcnemar_test(first, second) == pytest.approx(mcnemar(table, exact=True).pvalue)


def test_exchanging_the_runs_changes_the_sign_and_keeps_p() -> None:
    first, second = drawn_run(draw=7, skill=1.5), drawn_run(draw=8, system="other")
    for metric in (accuracy, unweighted_recall, macro_f1):
        one, two = compare(first, second, metric), compare(second, first, metric)
        assert one.difference.value == pytest.approx(-two.difference.value)
        assert one.p_speakers == two.p_speakers
        assert one.detectable == pytest.approx(two.detectable)


def test_a_run_compared_with_itself_is_not_significantly_different() -> None:
    run = drawn_run(seeds=(0, 1))
    found = compare(run, run)
    assert found.difference.value == 0
    assert found.p_speakers == 1
    assert found.p_clips == 1
    assert found.verdict() == "not significantly different"
    assert (found.difference.low, found.difference.method) == (None, "none")
    assert np.isnan(found.detectable)


def test_numbers_of_seeds_may_differ_but_not_for_f1() -> None:
    three, one = drawn_run(seeds=(0, 1, 2), draw=1), drawn_run(draw=9, system="other")
    found = compare(three, one)
    assert found.difference.value == pytest.approx(accuracy(three).value - accuracy(one).value)
    with pytest.raises(SettingsError, match="number of seeds"):
        compare(three, one, macro_f1)


def test_clips_of_one_run_only_are_left_out_and_counted() -> None:
    first, second = drawn_run(draw=1, seeds=(0, 1)), drawn_run(draw=2, system="other")
    kept = np.array([clip not in ("s0-00", "s3-05") for clip in first.clip_ids])
    found = compare(first.rows(kept), second.rows(np.arange(1, 72)))
    both = compare(first.rows(kept), second.rows(kept[:72]))
    assert (found.left_out, found.clips, both.left_out) == (1, 70, 0)
    assert replace(found, left_out=0) == both


def test_refuses_other_clips_speakers_and_labels() -> None:
    run = drawn_run()
    with pytest.raises(SettingsError, match="they have none in common"):
        compare(run.rows(np.arange(0, 36)), run.rows(np.arange(36, 72)))
    with pytest.raises(SettingsError, match="clip s0-00 another speaker"):
        compare(run, with_columns(run, speaker=("s1", *run.speakers[1:])))


def test_if_clips_cluster_by_speaker_only_mcnemar_finds_differences_that_are_not_there() -> None:
    """Each run is good on a random half of the speakers: no true difference."""
    rng = np.random.default_rng(0)
    template = drawn_run(speakers=12, clips=20)
    found = {"speakers": 0, "clips": 0}
    trials = 120
    for _ in range(trials):
        runs = []
        for _ in range(2):
            good = rng.random(12) < 0.5
            hit = rng.random(240) < np.where(good, 0.9, 0.4)[template.speaker_index]
            predictions = np.where(hit, template.truth_index, (template.truth_index + 1) % 4)
            runs.append(template.with_predictions(np.eye(len(CLASSES))[predictions]))
        p, _ = sign_flip_test(accuracy(runs[0]), accuracy(runs[1]))
        found["speakers"] += p <= 0.05
        found["clips"] += mcnemar_test(runs[0], runs[1]) <= 0.05
    assert found["speakers"] / trials <= 0.11  # 5 %, and three standard errors
    assert found["clips"] / trials > 0.3


@pytest.mark.parametrize("count", range(1, 12))
def test_holms_correction_equals_statsmodels(count: int) -> None:
    # Rounded, so that some are equal.
    p_values = np.random.default_rng(count).random(count).round(1).tolist()
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_no_comparison_needs_no_correction() -> None:
    assert holm([]) == ()


@pytest.mark.parametrize("speakers", [3, 8, 24, 91])
@pytest.mark.parametrize("power", [0.8, 0.9])
def test_the_noncentrality_equals_statsmodels(speakers: int, power: float) -> None:
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
