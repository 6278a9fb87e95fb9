"""95 % confidence intervals clustered by speaker.

Clips of one speaker resemble each other, so an interval that takes clips as independent is too
narrow. Both methods resample or leave out whole speakers:

- ``"t"``: jackknife over speakers with Student's t, for few speakers. For a mean over equally many
  clips per speaker this is the textbook t interval over speaker means.
- ``"bootstrap"``: speakers drawn with replacement, bias-corrected and accelerated (BCa), the
  tails widened as Student's t is wider than the normal, for many speakers. It follows a skewed
  metric better than the symmetric t interval.

If speakers of several corpora are tested together, they are left out and drawn within their corpus:
the corpora are given, their speakers are a sample.

``"auto"`` takes t below `FEW_SPEAKERS`. `benchmarks/interval_coverage.py` measures the coverage of
nominal 95 % intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from aver.errors import SettingsError

Formula = Callable[[np.ndarray], np.ndarray]
"""From sums of shape (..., sums) to the metric of shape (...,); NaN if undefined."""


@dataclass(frozen=True, eq=False)
class SpeakerSums:
    """One metric of one run as sums per speaker.

    Parameters
    ----------
    name : str
        Of the metric, for instance ``"accuracy"``.
    speakers : tuple of str
    sums : np.ndarray [shape=(speakers, sums)]
    formula : callable
        The metric as a function of the sums added over speakers.
    low, high : float
        Range of the metric; intervals are clipped to it.
    strata : tuple of str
        Corpus of each speaker, if they are of several; otherwise empty.
    """

    name: str
    speakers: tuple[str, ...]
    sums: np.ndarray
    formula: Formula
    low: float = 0.0
    high: float = 1.0
    strata: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        """The metric over all speakers."""
        return float(self.formula(self.sums.sum(axis=0)))

    @property
    def by_speaker(self) -> np.ndarray:
        """The metric of each speaker alone; shape (speakers,)."""
        return self.formula(self.sums)

    @property
    def groups(self) -> tuple[np.ndarray, ...]:
        """Places of the speakers of each stratum; all speakers are one group without strata."""
        if not self.strata:
            return (np.arange(len(self.speakers)),)
        strata = np.array(self.strata)
        return tuple(np.flatnonzero(strata == stratum) for stratum in np.unique(strata))

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the spread over speakers: their number minus that of the strata."""
        return len(self.speakers) - len(self.groups)

    def without_each(self) -> np.ndarray:
        """The metric with each speaker left out in turn; shape (speakers,).

        The other speakers of the stratum then count more, so that the stratum keeps its weight; a
        stratum of one speaker gives NaN.
        """
        rest = self.sums.sum(axis=0) - self.sums
        if self.strata:
            for group in self.groups:
                others = self.sums[group].sum(axis=0) - self.sums[group]
                share = 1 / (len(group) - 1) if len(group) > 1 else np.nan
                rest[group] += others * share
        return self.formula(rest)

    def weighted(self, weights: np.ndarray) -> np.ndarray:
        """The metric with each speaker counted `weights` times.

        Parameters
        ----------
        weights : np.ndarray [shape=(resamples, speakers)]

        Returns
        -------
        np.ndarray [shape=(resamples,)]
        """
        return self.formula(weights @ self.sums)


def sum_by_speaker(speaker_index: np.ndarray, speakers: int, values: np.ndarray) -> np.ndarray:
    """Add rows that belong to the same speaker.

    Parameters
    ----------
    speaker_index : np.ndarray of int [shape=(rows,)]
    speakers : int
    values : np.ndarray [shape=(rows, ...)]

    Returns
    -------
    np.ndarray [shape=(speakers, ...)]

    Examples
    --------
    >>> sum_by_speaker(np.array([0, 1, 0]), 2, np.array([1.0, 2.0, 3.0])).tolist()
    [4.0, 2.0]
    """
    total = np.zeros((speakers, *values.shape[1:]))
    np.add.at(total, speaker_index, values)
    return total


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide if the denominator is positive, else NaN, without a warning.

    A denominator below 1e-9 counts as zero: it is a rounding error.
    """
    positive = denominator > 1e-9
    return np.where(positive, numerator / np.where(positive, denominator, 1.0), np.nan)


FEW_SPEAKERS = 30
"""Below this many speakers `interval` takes the t interval."""

Method = Literal["auto", "t", "bootstrap"]


@dataclass(frozen=True)
class Interval:
    """A figure with its confidence interval over speakers.

    Parameters
    ----------
    value : float
    low, high : float or None
        None without an interval: one speaker only, or a figure that is undefined without some
        speaker.
    level : float
        For instance 0.95.
    method : {"t", "bootstrap", "binomial", "none"}
        ``"binomial"``: all speakers have the same score, so their spread is unknown; the exact
        interval over clips is given, which is too narrow if clips cluster.
    speakers : int
    """

    value: float
    low: float | None
    high: float | None
    level: float
    method: str
    speakers: int

    @property
    def standard_width(self) -> float | None:
        """Half the width; None without an interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    @property
    def is_a_point(self) -> bool:
        """Whether all speakers have the same score, so that the interval has no width."""
        return self.standard_width is not None and self.standard_width < 1e-9


def jackknife_error(sums: SpeakerSums) -> float:
    """Standard error of the metric over speakers, by leaving each out in turn.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, equation 11.5; over strata
    Wolter, Introduction to Variance Estimation, 2007, section 4.5.

    Returns
    -------
    float
        NaN for one speaker in a stratum, or if the metric is undefined without some speaker.
    """
    if sums.freedom < 1:
        return float("nan")
    without = sums.without_each()
    variance = sum(
        (len(group) - 1) / len(group) * ((without[group] - without[group].mean()) ** 2).sum()
        for group in sums.groups
    )
    return float(np.sqrt(variance))


def t_interval(sums: SpeakerSums, level: float = 0.95) -> Interval:
    """Interval by the jackknife over speakers and Student's t.

    The degrees of freedom are the number of speakers minus one, or minus the number of strata.

    Parameters
    ----------
    sums : SpeakerSums
    level : float in (0, 1)

    Returns
    -------
    Interval
        Clipped to the metric's range.
    """
    _check_level(level)
    value, speakers = sums.value, len(sums.speakers)
    error = jackknife_error(sums)
    if not np.isfinite(error) or not np.isfinite(value):
        return Interval(value, None, None, level, "none", speakers)
    reach = float(special.stdtrit(sums.freedom, (1 + level) / 2)) * error
    return _cut(sums, value - reach, value + reach, level, "t")


def bootstrap_interval(
    sums: SpeakerSums, level: float = 0.95, *, resamples: int = 4000, seed: int = 0
) -> Interval:
    """Interval by drawing speakers with replacement: BCa with tails as wide as Student's t.

    Of several strata, as many speakers are drawn from each as it has.

    Source: Efron, Journal of the American Statistical Association 82, 1987, section 3 (BCa);
    Hesterberg, The American Statistician 69, 2015, section 5.3 (tails for small samples).

    Parameters
    ----------
    sums : SpeakerSums
    level : float in (0, 1)
    resamples : int >= 100
    seed : int
        Of the resamples; the same seed gives the same interval.

    Returns
    -------
    Interval
    """
    _check_level(level)
    if resamples < 100:
        raise SettingsError(f"resamples must be at least 100, not {resamples}.")
    value, speakers = sums.value, len(sums.speakers)
    if sums.freedom < 1 or not np.isfinite(value):
        return Interval(value, None, None, level, "none", speakers)
    generator = np.random.default_rng(seed)
    weights = np.empty((resamples, speakers))
    for group in sums.groups:
        size = len(group)
        weights[:, group] = generator.multinomial(size, np.full(size, 1 / size), size=resamples)
    resampled = np.sort(sums.weighted(weights))
    resampled = resampled[np.isfinite(resampled)]
    without = sums.without_each()
    if len(resampled) < resamples / 2 or not np.isfinite(without).all():
        return Interval(value, None, None, level, "none", speakers)
    shares = _bca_shares(resampled, sums, without, level)
    low, high = np.quantile(resampled, shares)
    return _cut(sums, float(low), float(high), level, "bootstrap")


def _bca_shares(
    resampled: np.ndarray, sums: SpeakerSums, without: np.ndarray, level: float
) -> np.ndarray:
    """Quantiles of the resamples that bound the interval; shape (2,)."""
    value = sums.value
    # Resamples equal to the value count half: the metric is discrete.
    below = (resampled < value - 1e-12).mean() + 0.5 * np.isclose(
        resampled, value, rtol=0, atol=1e-12
    ).mean()
    bias = special.ndtri(np.clip(below, 0.5 / len(resampled), 1 - 0.5 / len(resampled)))
    influence = np.concatenate(
        [(1 - 1 / len(g)) * (without[g].mean() - without[g]) for g in sums.groups]
    )
    squares = (influence**2).sum()
    acceleration = (influence**3).sum() / (6 * squares**1.5) if squares > 0 else 0.0
    widening = np.sqrt(len(sums.speakers) / sums.freedom)
    reach = special.stdtrit(sums.freedom, (1 + level) / 2) * widening
    tails = bias + np.array([-reach, reach])
    return special.ndtr(bias + tails / (1 - acceleration * tails))


def interval(
    sums: SpeakerSums, level: float = 0.95, *, method: Method = "auto", clips: int | None = None
) -> Interval:
    """Interval by the method that suits the number of speakers.

    Parameters
    ----------
    sums : SpeakerSums
    level : float in (0, 1)
    method : {"auto", "t", "bootstrap"}
        ``"auto"``: t below `FEW_SPEAKERS`, else bootstrap.
    clips : int, optional
        Number of clips behind a proportion. If given, a proportion that is the same for all
        speakers (such as 0 % or 100 %) gets the exact binomial interval, not one of no width.

    Returns
    -------
    Interval

    Raises
    ------
    SettingsError
        If `level` or `method` is not one of the above.
    """
    _check_level(level)
    if method not in ("auto", "t", "bootstrap"):
        raise SettingsError(f"method must be 'auto', 't' or 'bootstrap', not {method!r}.")
    if method == "auto":
        method = "t" if len(sums.speakers) < FEW_SPEAKERS else "bootstrap"
    found = t_interval(sums, level) if method == "t" else bootstrap_interval(sums, level)
    if clips and found.is_a_point:
        low, high = binomial_interval(round(found.value * clips), clips, level)
        return Interval(found.value, low, high, level, "binomial", found.speakers)
    return found


def binomial_interval(hits: int, clips: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval for a proportion of independent clips.

    Source: Clopper and Pearson, Biometrika 26, 1934.

    Examples
    --------
    >>> low, high = binomial_interval(10, 10)
    >>> round(low, 3), high
    (0.692, 1.0)
    """
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(special.betaincinv(hits, clips - hits + 1, tail))
    high = 1.0 if hits == clips else float(special.betaincinv(hits + 1, clips - hits, 1 - tail))
    return low, high


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise SettingsError(f"level must lie between 0 and 1, for instance 0.95, not {level}.")


def _cut(sums: SpeakerSums, low: float, high: float, level: float, method: str) -> Interval:
    low, high = max(low, sums.low), min(high, sums.high)
    return Interval(sums.value, low, high, level, method, len(sums.speakers))
