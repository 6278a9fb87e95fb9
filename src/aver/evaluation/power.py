"""What a corpus could have shown: the smallest true difference that a test would have found."""

from __future__ import annotations

import numpy as np
from scipy import special
from scipy.optimize import brentq

from aver.errors import SettingsError
from aver.evaluation.intervals import jackknife_error
from aver.evaluation.speaker_sums import SpeakerSums


def smallest_difference(
    difference: SpeakerSums, *, power: float = 0.8, alpha: float = 0.05
) -> float:
    """Smallest true difference that a paired t test over these speakers would have found.

    Parameters
    ----------
    difference : SpeakerSums
        The paired difference of two runs; its spread over speakers is taken as the true one.
    power : float in (0, 1)
        Chance of finding it.
    alpha : float in (0, 1)
        Two-sided.

    Returns
    -------
    float
        In the metric's unit; NaN for one speaker, and where all speakers differ alike.
    """
    error = jackknife_error(difference)
    if error < 1e-12:
        return float("nan")
    return shift_in_errors(len(difference.speakers), power, alpha) * error


def shift_in_errors(speakers: int, power: float = 0.8, alpha: float = 0.05) -> float:
    """How many standard errors a difference must measure to be found with this power.

    The noncentrality at which a two-sided t test with `speakers` - 1 degrees of freedom has the
    power asked for. With many speakers 2.80 for 80 % and 5 %.

    Source: Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988, chapter 2.

    Examples
    --------
    >>> round(shift_in_errors(8), 2)
    3.27
    >>> round(shift_in_errors(10_000), 2)
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

    def missing(shift: float) -> float:
        above = 1 - special.nctdtr(freedom, shift, bound)
        below = special.nctdtr(freedom, shift, -bound)
        # Far out SciPy gives NaN for the other tail, which is nothing there.
        return float(above + (below if np.isfinite(below) else 0.0) - power)

    reach = 1.0
    while missing(reach) < 0:
        reach += 1.0
    return float(brentq(missing, reach - 1.0, reach))


def smallest_p(speakers: int) -> float:
    """Smallest two-sided p that swapping runs within speakers can give at all.

    With fewer than 6 speakers it stays above 0.05: no difference, however large, can be shown.

    Examples
    --------
    >>> smallest_p(8)
    0.0078125
    """
    return min(1.0, 2.0 ** (1 - speakers))
