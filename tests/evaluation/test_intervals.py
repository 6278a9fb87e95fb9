"""Intervals equal closed forms where there are any, and hold the truth as often as they say."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from drawn_runs import drawn_run, with_columns
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from aver.errors import SettingsError
from aver.evaluation.calibration import calibration_error
from aver.evaluation.intervals import (
    SpeakerSums,
    binomial_interval,
    bootstrap_interval,
    divide,
    interval,
    jackknife_error,
    t_interval,
)
from aver.evaluation.metrics import accuracy, macro_f1, unweighted_recall


def mean_of(values: np.ndarray, counts: np.ndarray | None = None) -> SpeakerSums:
    counts = np.ones(len(values)) if counts is None else counts
    sums = np.stack([values * counts, counts], axis=1)
    names = tuple(str(index) for index in range(len(values)))
    formula = lambda s: divide(s[..., 0], s[..., 1])  # noqa: E731
    return SpeakerSums("mean", names, sums, formula, -np.inf, np.inf)


def test_t_interval_of_equal_speakers_is_the_textbook_one() -> None:
    values = np.array([0.4, 0.55, 0.62, 0.3, 0.71])
    found = t_interval(mean_of(values), 0.9)
    expected = stats.t.interval(0.9, 4, loc=values.mean(), scale=stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)


def test_jackknife_error_equals_one_left_out_by_hand() -> None:
    run = drawn_run(draw=4)
    kept = [
        macro_f1(run.rows(np.array([name != out for name in run.speakers]))).value
        for out in run.speaker_ids
    ]
    n = len(kept)
    expected = np.sqrt((n - 1) / n * np.sum((np.array(kept) - np.mean(kept)) ** 2))
    assert jackknife_error(macro_f1(run)) == pytest.approx(expected)


def test_bootstrap_without_correction_terms_agrees_with_scipys() -> None:
    rng = np.random.default_rng(2)
    values = rng.exponential(size=60)
    found = bootstrap_interval(mean_of(values), resamples=20_000)
    scipys = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(3)
    ).confidence_interval
    # Ours widens the tails as t is wider than the normal: by 2.9 % of the reach at 60 speakers.
    widen = stats.t.ppf(0.975, 59) / stats.norm.ppf(0.975) * np.sqrt(60 / 59)
    assert found.low == pytest.approx(
        values.mean() - widen * (values.mean() - scipys.low), abs=0.008
    )
    assert found.high == pytest.approx(
        values.mean() + widen * (scipys.high - values.mean()), abs=0.008
    )


@pytest.mark.parametrize("speakers", [4, 5, 6])
def test_bootstrap_tails_are_those_of_students_t_with_one_degree_less(speakers: int) -> None:
    """All resamples of a few symmetric values: no bias, no acceleration, tails by closed form."""
    half = np.array([0.31, 1.0, 1.9])[: speakers // 2]
    values = np.concatenate([-half, half, [0.0] * (speakers % 2)])
    every = np.sort([np.mean(drawn) for drawn in product(values, repeat=speakers)])
    for level in (0.5, 0.7, 0.8):
        reach = stats.t.ppf((1 + level) / 2, speakers - 1) * np.sqrt(speakers / (speakers - 1))
        low, high = np.quantile(every, stats.norm.cdf([-reach, reach]))
        found = bootstrap_interval(mean_of(values), level, resamples=100_000)
        assert (found.low, found.high) == pytest.approx((low, high), abs=0.012)


def test_two_speakers_are_enough_for_an_interval() -> None:
    values = np.array([0.4, 0.6])
    found = t_interval(mean_of(values))
    assert (found.low, found.high) == pytest.approx(
        stats.t.interval(0.95, 1, loc=0.5, scale=stats.sem(values))
    )
    assert found.method == "t"
    # Both speakers drawn twice are the outermost resamples, and 12.7 errors reach beyond them.
    drawn = bootstrap_interval(mean_of(values))
    assert (drawn.low, drawn.high, drawn.method) == (0.4, 0.6, "bootstrap")
    assert jackknife_error(mean_of(values)) == pytest.approx(0.1)
    assert np.isnan(jackknife_error(mean_of(values[:1])))


def test_binomial_interval_equals_statsmodels() -> None:
    for hits, clips in ((0, 9), (3, 9), (9, 9), (40, 100)):
        expected = proportion_confint(hits, clips, method="beta")
        assert binomial_interval(hits, clips) == pytest.approx(expected)


def test_few_speakers_get_t_and_many_bootstrap() -> None:
    assert interval(mean_of(np.arange(29.0))).method == "t"
    assert interval(mean_of(np.arange(30.0))).method == "bootstrap"
    assert interval(mean_of(np.arange(30.0)), method="t").method == "t"


def test_one_speaker_has_no_interval_and_agreement_the_binomial_one() -> None:
    alone = interval(mean_of(np.array([0.5])))
    assert (alone.low, alone.high, alone.method) == (None, None, "none")
    perfect = drawn_run(skill=100.0)
    assert t_interval(accuracy(perfect)).low == 1.0
    honest = interval(accuracy(perfect), clips=perfect.clip_count)
    assert honest.method == "binomial"
    assert honest.low == pytest.approx(stats.beta.ppf(0.025, 72, 1))


def test_clustered_speakers_widen_the_interval() -> None:
    together = interval(mean_of(np.repeat([0.0, 1.0], 4), np.full(8, 50.0)))
    assert together.high - together.low > 0.8


def test_refuses_levels_and_methods_that_are_none() -> None:
    with pytest.raises(SettingsError, match="not 95"):
        interval(mean_of(np.arange(3.0)), 95)
    with pytest.raises(SettingsError, match="'percentile'"):
        interval(mean_of(np.arange(3.0)), method="percentile")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="resamples"):
        bootstrap_interval(mean_of(np.arange(3.0)), resamples=10)


@pytest.mark.parametrize(("speakers", "trials"), [(8, 1500), (24, 1500), (91, 500)])
def test_nominal_95_percent_holds_the_truth_in_92_to_97_percent(speakers: int, trials: int) -> None:
    rng = np.random.default_rng(speakers)
    logit = rng.normal(0.2, 0.6, size=(200_000,))
    truth = (1 / (1 + np.exp(-logit))).mean()
    held = 0
    for _ in range(trials):
        chance = 1 / (1 + np.exp(-rng.normal(0.2, 0.6, size=speakers)))
        clips = rng.integers(20, 31, size=speakers)
        hits = rng.binomial(clips, chance)
        sums = mean_of(hits / clips, clips.astype(float))
        found = (
            bootstrap_interval(sums, resamples=1000, seed=int(rng.integers(2**31)))
            if speakers >= 30
            else interval(sums)
        )
        held += found.low <= truth <= found.high
    assert 0.92 <= held / trials <= 0.97


def in_strata(*strata: np.ndarray) -> SpeakerSums:
    """The mean over speakers of several corpora, each speaker with one clip."""
    names = tuple(f"{name}" for name, values in enumerate(strata) for _ in values)
    return replace(mean_of(np.concatenate(strata)), strata=names)


def test_t_interval_over_corpora_is_that_of_a_stratified_sample() -> None:
    """Cochran, Sampling Techniques, 1977, equation 5.12, without a finite population."""
    one, two = np.array([0.4, 0.5, 0.45, 0.6, 0.52]), np.array([0.8, 0.9, 0.7])
    found = t_interval(in_strata(one, two))
    shares = np.array([5, 3]) / 8
    error = np.sqrt((shares**2 * [one.var(ddof=1) / 5, two.var(ddof=1) / 3]).sum())
    reach = stats.t.ppf(0.975, 6) * error
    value = np.concatenate([one, two]).mean()
    assert (found.low, found.high) == pytest.approx((value - reach, value + reach))
    pooled = t_interval(mean_of(np.concatenate([one, two])))
    assert pooled.low < found.low  # the difference between the corpora is no sampling error


def test_bootstrap_over_corpora_draws_from_each_as_many_as_it_has() -> None:
    rng = np.random.default_rng(5)
    one, two = rng.normal(0.3, 0.05, 40), rng.normal(0.8, 0.1, 40)
    found = bootstrap_interval(in_strata(one, two), resamples=20_000)
    drawn = [
        np.concatenate([rng.choice(one, 40), rng.choice(two, 40)]).mean() for _ in range(20_000)
    ]
    widen = stats.t.ppf(0.975, 78) / stats.norm.ppf(0.975) * np.sqrt(80 / 78)
    middle = np.mean(drawn)
    low, high = middle + widen * (np.quantile(drawn, [0.025, 0.975]) - middle)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.0015)


def test_a_corpus_of_one_speaker_among_others_leaves_no_interval() -> None:
    sums = in_strata(np.array([0.4, 0.5, 0.45]), np.array([0.8]))
    for found in (t_interval(sums), bootstrap_interval(sums)):
        assert (found.low, found.high, found.method) == (None, None, "none")
        assert found.value == pytest.approx(0.5375)


def test_one_stratum_is_no_stratum() -> None:
    values = np.array([0.4, 0.55, 0.62, 0.3, 0.71])
    for method in (t_interval, bootstrap_interval):
        one, all_together = method(in_strata(values)), method(mean_of(values))
        assert (one.low, one.high) == pytest.approx((all_together.low, all_together.high))


def test_the_corpora_of_speakers_are_strata_only_if_several_are_tested() -> None:
    run = drawn_run(speakers=5)
    names = {
        name: f"{'a' if number < 3 else 'b'}/{name}" for number, name in enumerate(run.speaker_ids)
    }
    joined = with_columns(
        replace(run, facts={"corpora": {"trained": {"0": ["c"]}}}),
        speaker=[names[name] for name in run.speakers],
        clip_id=[
            f"{names[name]}-{clip}" for name, clip in zip(run.speakers, run.clip_ids, strict=True)
        ],
    )
    assert joined.speaker_corpora == ("a", "a", "a", "b", "b")
    for metric in (accuracy, macro_f1, unweighted_recall, calibration_error):
        assert metric(joined).strata == joined.speaker_corpora
    assert run.speaker_corpora == ()
    one = joined.rows(joined.clip_corpora == "a")
    assert one.speaker_corpora == ()
    expected = interval(accuracy(run.rows(np.isin(run.speakers, ["s0", "s1", "s2"]))))
    assert interval(accuracy(one)) == expected


def test_intervals_over_corpora_hold_the_truth_as_often_as_they_say() -> None:
    """Three corpora of few speakers, with other means and spreads; the corpora are given."""
    rng = np.random.default_rng(0)
    sizes, means, spreads = (4, 9, 8), (0.3, 0.6, 0.5), (0.05, 0.15, 0.1)
    truth = np.average(means, weights=sizes)
    held = 0
    for _ in range(1500):
        drawn = (rng.normal(m, s, n) for m, s, n in zip(means, spreads, sizes, strict=True))
        found = t_interval(in_strata(*drawn))
        held += found.low <= truth <= found.high
    assert 0.925 < held / 1500 < 0.97
