"""Poisson input: rates, dispersion, independence, and streams of single neurons."""

import numpy as np
from scipy import stats

from aver.spiking.kernels.poisson import exponential, poisson_spikes


def draw(rates_hz, key, steps=20_000, dt_s=0.0005, frames=1):
    rates_hz = np.atleast_2d(np.asarray(rates_hz, float))
    edges = np.linspace(0, steps, len(rates_hz) + 1).astype(np.int64)
    room = int(rates_hz.sum() * steps * dt_s * 2) + 1000
    when, who = np.empty(room, np.int32), np.empty(room, np.int32)
    n = poisson_spikes(rates_hz, 1.0, edges, dt_s, np.uint64(key), when, who)
    assert n >= 0
    return when[:n], who[:n]


def test_counts_follow_the_binomial_of_rate_and_steps():
    rates_hz = np.full(2000, 40.0)
    counts = np.bincount(draw(rates_hz, key=7, steps=1000)[1], minlength=2000)
    p = 40.0 * 0.0005
    low, high = stats.binom.interval(0.9999, 2000 * 1000, p)
    assert low <= counts.sum() <= high
    # Dispersion: the sum of squared deviations over the variance is chi-squared.
    spread = ((counts - 1000 * p) ** 2 / (1000 * p * (1 - p))).sum()
    assert stats.chi2.ppf(5e-5, 2000) < spread < stats.chi2.ppf(1 - 5e-5, 2000)


def test_gaps_are_geometric():
    when, who = draw(np.full(200, 60.0), key=3)
    gaps = np.concatenate([np.diff(when[who == i]) for i in range(200)])
    p = 60.0 * 0.0005
    edges = np.array([1, 5, 10, 20, 30, 50, 80, 120])
    seen = np.histogram(gaps, [*edges, np.inf])[0]
    tail = (1 - p) ** (edges - 1.0)
    expected = -np.diff([*tail, 0.0])
    assert stats.chisquare(seen, expected * gaps.size).pvalue > 1e-4


def test_neurons_keys_and_times_are_independent():
    trains = np.zeros((400, 20_000), np.float32)
    when, who = draw(np.full(200, 60.0), key=11)
    trains[who, when] = 1
    when, who = draw(np.full(200, 60.0), key=12)
    trains[200 + who, when] = 1
    r = np.corrcoef(trains)[np.triu_indices(400, 1)] * np.sqrt(20_000)
    assert abs(r.mean()) < 4 / np.sqrt(r.size)
    assert abs(r.std() - 1) < 0.02
    lagged = (trains[:, 1:] * trains[:, :-1]).sum()
    p = 60.0 * 0.0005
    assert abs(lagged - 400 * 19_999 * p**2) < 4 * np.sqrt(400 * 19_999 * p**2)


def test_a_stream_does_not_depend_on_other_neurons():
    alone = draw([50.0], key=5)[0]
    when, who = draw([50.0, 10.0, 90.0], key=5)
    assert np.array_equal(alone, when[who == 0])


def test_rates_that_change_frame_by_frame():
    rates_hz = np.array([[80.0] * 500, [0.0] * 500, [20.0] * 500])
    when, _ = draw(rates_hz, key=2, steps=3000)
    counts = np.histogram(when, [0, 1000, 2000, 3000])[0]
    assert counts[1] == 0
    for seen, rate in ((counts[0], 80.0), (counts[2], 20.0)):
        low, high = stats.binom.interval(0.9999, 500 * 1000, rate * 0.0005)
        assert low <= seen <= high


def test_a_rate_of_one_spike_per_step():
    when, _ = draw([2000.0], key=1, steps=50)
    assert when.tolist() == list(range(50))


def test_waiting_times_are_exponential():
    draws, counter = np.empty(200_000), np.uint64(99)
    for k in range(draws.size):
        draws[k], counter = exponential(np.uint64(counter))
    assert stats.kstest(draws, "expon").pvalue > 1e-4
    # The far tail, which the body of the ziggurat never reaches.
    beyond = int((draws > 8.0).sum())
    low, high = stats.binom.interval(0.9999, draws.size, np.exp(-8.0))
    assert low <= beyond <= high
