"""Two runs on the same clips: the difference, its interval, and tests of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special
from scipy.optimize import brentq

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import Interval, Method, SpeakerSums, interval, jackknife_error
from aver.evaluation.metrics import accuracy


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down correction, which keeps the family-wise error rate below alpha.

    Source: Holm, Scandinavian Journal of Statistics 6, 1979.

    Parameters
    ----------
    p_values : sequence of float in [0, 1]

    Returns
    -------
    tuple of float
        Corrected values, in the order given.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    stepped = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    corrected = np.empty_like(values)
    corrected[order] = stepped
    return tuple(corrected.tolist())


def minimum_detectable_difference(
    difference: SpeakerSums, *, power: float = 0.8, alpha: float = 0.05
) -> float:
    """Smallest true difference that a paired t test over these speakers would detect.

    Parameters
    ----------
    difference : SpeakerSums
        The paired difference of two runs; its spread over speakers is taken as the true one.
    power : float in (0, 1)
        Probability of detecting it.
    alpha : float in (0, 1)
        Significance level, two-sided.

    Returns
    -------
    float
        In the metric's unit; NaN for one speaker, and if the difference is the same for all
        speakers.
    """
    error = jackknife_error(difference)
    if error < 1e-12:
        return float("nan")
    return noncentrality(difference.freedom + 1, power, alpha) * error


def noncentrality(speakers: int, power: float = 0.8, alpha: float = 0.05) -> float:
    """How many standard errors a true difference must measure to be detected with this power.

    The noncentrality parameter at which a two-sided t test with `speakers` - 1 degrees of freedom
    has that power. With many speakers 2.80 for 80 % and 5 %.

    Source: Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988, chapter 2.

    Examples
    --------
    >>> round(noncentrality(8), 2)
    3.27
    >>> round(noncentrality(10_000), 2)
    2.8
    """
    if not 0 < alpha < power < 1:
        raise SettingsError(
            f"alpha and power must satisfy 0 < alpha < power < 1, not {alpha} and {power}."
        )
    if speakers < 2:
        return float("nan")
    freedom = speakers - 1
    bound = float(special.stdtrit(freedom, 1 - alpha / 2))

    def excess_power(shift: float) -> float:
        above = 1 - special.nctdtr(freedom, shift, bound)
        below = special.nctdtr(freedom, shift, -bound)
        # For large shifts SciPy gives NaN for the other tail, which is negligible there.
        return float(above + (below if np.isfinite(below) else 0.0) - power)

    reach = 1.0
    while excess_power(reach) < 0:
        reach += 1.0
    return float(brentq(excess_power, reach - 1.0, reach))


def minimum_p(speakers: int) -> float:
    """Smallest two-sided p value that swapping runs within speakers can give.

    With fewer than 6 speakers it is above 0.05: no difference, however large, is significant.

    Examples
    --------
    >>> minimum_p(8)
    0.0078125
    """
    return min(1.0, 2.0 ** (1 - speakers))


MAX_EXACT_SWAPS = 2**16
"""All swaps are tried up to this many (16 speakers); beyond, `RANDOM_SWAPS` are drawn."""
RANDOM_SWAPS = 19_999


@dataclass(frozen=True)
class PairedComparison:
    """First run minus second run, on the same clips.

    Parameters
    ----------
    first, second : str
        Systems compared.
    metric : str
    difference : Interval
        With its speaker-clustered interval.
    p_speakers : float
        Two-sided, by swapping the runs within whole speakers. Report this one.
    exact : bool
        Whether all swaps were tried.
    p_clips : float
        McNemar's exact test, which wrongly takes clips as independent; for comparison only.
    detectable : float
        Minimum detectable difference (power 80 %, two-sided 5 %); NaN if the difference is the
        same for all speakers.
    clips, speakers : int
        Tested by both.
    left_out : int
        Clips that only one of the runs tested; they do not count.
    knows_speakers : bool
        Whether speakers are known; otherwise every clip counts as a speaker.
    """

    first: str
    second: str
    metric: str
    difference: Interval
    p_speakers: float
    exact: bool
    p_clips: float
    detectable: float
    clips: int
    speakers: int
    left_out: int = 0
    knows_speakers: bool = True

    def verdict(self, p: float | None = None, alpha: float = 0.05) -> str:
        """``"higher"``, ``"lower"`` or ``"not significantly different"``.

        Parameters
        ----------
        p : float, optional
            The p value corrected for several comparisons; without it, `p_speakers`.
        alpha : float
        """
        p = self.p_speakers if p is None else p
        if not p <= alpha:
            return "not significantly different"
        return "higher" if self.difference.value > 0 else "lower"


def compare(
    first: Evaluation,
    second: Evaluation,
    metric: Callable[[Evaluation], SpeakerSums] = accuracy,
    *,
    level: float = 0.95,
    method: Method = "auto",
) -> PairedComparison:
    """Compare two runs on the clips that both tested.

    Parameters
    ----------
    first, second : Evaluation
        Numbers of seeds may differ; macro F1 needs equally many.
    metric : callable
        One of `aver.evaluation.metrics`, `calibration.calibration_error` ...
    level : float in (0, 1)
    method : {"auto", "t", "bootstrap"}

    Returns
    -------
    PairedComparison

    Raises
    ------
    SettingsError
        If no clip is in both, speakers or true classes differ, the metric cannot be paired, or only
        one run uses unlabeled clips of test speakers.
    """
    _check_adaptation(first, second)
    first, second, left_out = _on_same_clips(first, second)
    one, two = metric(first), metric(second)
    if one.sums.shape != two.sums.shape:
        raise SettingsError(
            f"{one.name} of {first.system} and {second.system} cannot be paired: the runs differ "
            "in their classes or number of seeds."
        )
    both = difference_sums(one, two)
    difference = difference_interval(both, level, method=method)
    p, exact = sign_flip_test(one, two)
    return PairedComparison(
        first.system,
        second.system,
        one.name,
        difference,
        p,
        exact,
        mcnemar_test(first, second),
        minimum_detectable_difference(both),
        first.clip_count,
        len(one.speakers),
        left_out,
        first.knows_speakers,
    )


def _check_adaptation(first: Evaluation, second: Evaluation) -> None:
    """Refuse to compare a run that uses unlabeled clips of test speakers with one that does not."""
    adapted = [bool(one.facts.get("adapt")) for one in (first, second)]
    if adapted[0] != adapted[1]:
        one, other = (first, second) if adapted[0] else (second, first)
        raise SettingsError(
            f"{one.system} {one.facts['adaptation']}, and {other.system} does not. Compare runs "
            "that both do (--adapt speaker), or runs that both do not."
        )


def difference_sums(one: SpeakerSums, two: SpeakerSums) -> SpeakerSums:
    """First metric minus second, both over the same speakers."""
    half = one.sums.shape[1]

    def formula(sums: np.ndarray) -> np.ndarray:
        return one.formula(sums[..., :half]) - two.formula(sums[..., half:])

    reach = max(one.high, two.high) - min(one.low, two.low)
    joined = np.concatenate([one.sums, two.sums], axis=1)
    name = f"difference of {one.name}"
    return SpeakerSums(name, one.speakers, joined, formula, -reach, reach, one.strata)


def difference_interval(
    difference: SpeakerSums, level: float = 0.95, *, method: Method = "auto"
) -> Interval:
    """Interval of a paired difference; none if the difference is the same for all speakers.

    An interval of no width would claim that all other speakers differ by the same amount.
    """
    found = interval(difference, level, method=method)
    return replace(found, low=None, high=None, method="none") if found.is_a_point else found


def sign_flip_test(one: SpeakerSums, two: SpeakerSums, *, seed: int = 0) -> tuple[float, bool]:
    """Permutation test that swaps two runs within whole speakers.

    If the runs were equally good, each speaker's two sets of predictions could be swapped. For
    accuracy with equally many clips this flips the signs of the speakers' differences.

    Returns
    -------
    p : float
        Two-sided share of swaps with a difference at least as large.
    exact : bool
        Whether all swaps were tried (up to `MAX_EXACT_SWAPS`).
    """
    speakers = len(one.speakers)
    total = one.sums.sum(axis=0), two.sums.sum(axis=0)
    move = two.sums - one.sums
    observed = abs(one.value - two.value)
    if not np.isfinite(observed):
        return float("nan"), False
    exact = 2**speakers <= MAX_EXACT_SWAPS
    generator = np.random.default_rng(seed)
    count = 2**speakers if exact else RANDOM_SWAPS
    reached = 0
    for start in range(0, count, 4096):
        size = min(4096, count - start)
        if exact:
            codes = np.arange(start, start + size)
            swap = (codes[:, None] >> np.arange(speakers)) & 1
        else:
            swap = generator.integers(0, 2, size=(size, speakers))
        moved = swap.astype(float) @ move  # (swaps, sums)
        differences = one.formula(total[0] + moved) - two.formula(total[1] - moved)
        reached += int((np.abs(differences) >= observed - 1e-12).sum())
    return (reached / count, True) if exact else ((reached + 1) / (count + 1), False)


def mcnemar_test(first: Evaluation, second: Evaluation) -> float:
    """McNemar's exact test over clips, which wrongly takes a speaker's clips as independent.

    With several seeds a clip counts for the run that predicted it correctly in more of them.

    Source: McNemar, Psychometrika 12, 1947; exact binomial form.

    Returns
    -------
    float
        Two-sided p; 1 if the runs agree on all clips.
    """
    one, two = _correct_by_clip(first), _correct_by_clip(second)
    wins = int((one > two + 1e-12).sum())
    losses = int((two > one + 1e-12).sum())
    if wins + losses == 0:
        return 1.0
    return float(min(1.0, 2 * special.bdtr(min(wins, losses), wins + losses, 0.5)))


def _correct_by_clip(evaluation: Evaluation) -> np.ndarray:
    """Share of seeds that predicted a clip correctly, in the order of the sorted clip ids."""
    share = pd.Series(evaluation.correct).groupby(list(evaluation.clip_ids)).mean()
    return share.to_numpy()


def _on_same_clips(first: Evaluation, second: Evaluation) -> tuple[Evaluation, Evaluation, int]:
    """Both runs on the clips that both tested, and how many clips that leaves out."""
    one, two = (
        run.predictions.drop_duplicates("clip_id").set_index("clip_id")[["speaker", "truth"]]
        for run in (first, second)
    )
    shared = one.index.intersection(two.index)
    if shared.empty:
        raise SettingsError(
            f"{first.system} and {second.system} were not tested on the same clips: they have none "
            "in common. Compare runs of the same corpus."
        )
    differing = (one.loc[shared] != two.loc[shared]).any(axis=1)
    if differing.any():
        raise SettingsError(
            f"{first.system} and {second.system} give clip {min(shared[differing])} another "
            "speaker or another true class."
        )
    left_out = len(one.index.symmetric_difference(two.index))
    if not left_out:
        return first, second, 0
    kept = [run.rows(run.predictions["clip_id"].isin(shared)) for run in (first, second)]
    return kept[0], kept[1], left_out
