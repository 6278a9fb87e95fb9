"""`equal_error_rate`: how well embeddings verify whether two clips are of the same speaker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from aver.errors import SettingsError

_STEPS = 1_000_000  # of the cosine from 0 to 1, because equal pairs differ in the last digits
_PAIRS_AT_ONCE = 4_000_000
_GROUPS = 20  # groups of speakers in the jackknife


def equal_error_rate(embeddings: np.ndarray, speakers: Sequence[str]) -> float:
    """The error rate at the threshold with equally many false acceptances and false rejections.

    All pairs of clips are compared by the cosine of their embeddings. Between neighboring
    thresholds the rate is interpolated, so that equal embeddings give 0.5.

    Parameters
    ----------
    embeddings : np.ndarray [shape=(clips, size)]
    speakers : sequence of str
        One per clip.

    Returns
    -------
    float in [0, 1]
        0.5 is chance level.

    Raises
    ------
    SettingsError
        If no pair of clips has the same speaker or none has different ones, or if an embedding is
        not finite.

    Notes
    -----
    Source: Nagrani et al. 2017, "VoxCeleb: a large-scale speaker identification dataset",
    section 5.

    Examples
    --------
    >>> equal_error_rate(np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]]), ["a", "a", "b", "b"])
    0.0
    """
    if not np.isfinite(embeddings).all():
        raise SettingsError("An equal error rate needs embeddings without NaN or infinity.")
    rows = embeddings.astype(np.float64)
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    same, other = _counts_by_similarity(unit, np.unique(speakers, return_inverse=True)[1])
    if not same.sum() or not other.sum():
        raise SettingsError("An equal error rate needs at least two speakers with two clips.")
    false_acceptance, true_acceptance = (  # for thresholds from high to low
        np.concatenate([[0.0], np.cumsum(counts[::-1]) / counts.sum()]) for counts in (other, same)
    )
    excess = false_acceptance - (1 - true_acceptance)  # rises from -1 to 1
    after = int(np.argmax(excess >= 0))
    share = -excess[after - 1] / (excess[after] - excess[after - 1])
    low, high = false_acceptance[after - 1], false_acceptance[after]
    return float(low + share * (high - low))


def error_rate_interval(
    embeddings: np.ndarray, speakers: Sequence[str], level: float = 0.95
) -> tuple[float, float] | None:
    """Confidence interval of the equal error rate over speakers, by a grouped jackknife.

    Speakers are divided into at most 20 groups and each group is left out once. Student's t has as
    many degrees of freedom as groups minus one.

    Parameters
    ----------
    embeddings, speakers
        As for `equal_error_rate`.
    level : float in (0, 1)

    Returns
    -------
    tuple of float, or None
        Lower and upper bound; None if a group leaves too few speakers.

    Notes
    -----
    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, equation 11.5, with
    groups of speakers in place of single observations.
    """
    names, who = np.unique(speakers, return_inverse=True)
    groups = min(len(names), _GROUPS)
    if groups < 3:
        return None
    names_of_clips = np.asarray(speakers)
    without = []
    for group in range(groups):
        kept = who % groups != group
        try:
            without.append(equal_error_rate(embeddings[kept], names_of_clips[kept].tolist()))
        except SettingsError:
            return None
    rates = np.array(without)
    error = np.sqrt((groups - 1) / groups * np.square(rates - rates.mean()).sum())
    reach = float(special.stdtrit(groups - 1, (1 + level) / 2) * error)
    value = equal_error_rate(embeddings, speakers)
    return max(0.0, value - reach), min(1.0, value + reach)


def _counts_by_similarity(unit: np.ndarray, who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of pairs of the same and of different speakers per step of the cosine, ascending.

    Rows are compared in blocks, so that memory does not grow with the number of pairs.
    """
    same, other = (np.zeros(2 * _STEPS + 1, np.int64) for _ in range(2))
    at_once = max(1, _PAIRS_AT_ONCE // len(unit))
    for start in range(0, len(unit), at_once):
        rows = np.arange(start, min(start + at_once, len(unit)))
        later = rows[:, None] < np.arange(len(unit))[None]
        similarity = np.clip(unit[rows] @ unit.T, -1, 1)[later]
        steps = np.rint(similarity * _STEPS).astype(np.int64) + _STEPS
        alike = (who[rows][:, None] == who[None])[later]
        same += np.bincount(steps[alike], minlength=len(same))
        other += np.bincount(steps[~alike], minlength=len(other))
    occupied = np.flatnonzero(same + other)  # the others change no rate
    return same[occupied], other[occupied]
