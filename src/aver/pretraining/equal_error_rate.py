"""`equal_error_rate`: how well embeddings tell whether two clips are of one speaker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from aver.errors import SettingsError

_STEPS = 1_000_000  # of the cosine from 0 to 1: equal pairs differ in their last digits
_PAIRS_AT_ONCE = 4_000_000
_GROUPS = 20  # of speakers, left out in turn


def equal_error_rate(embeddings: np.ndarray, speakers: Sequence[str]) -> float:
    """Share of errors where as many pairs of one speaker are refused as of two are accepted.

    All pairs of clips are compared by the cosine of their embeddings; between two thresholds that
    the pairs tell apart the rate is interpolated, so that embeddings that are all alike give 0.5.

    Parameters
    ----------
    embeddings : np.ndarray [shape=(clips, size)]
    speakers : sequence of str
        Of each clip.

    Returns
    -------
    float in [0, 1]
        0.5 is chance.

    Raises
    ------
    SettingsError
        If there is no pair of one speaker, or none of two; or if an embedding is not finite.

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
    accepted_wrongly, accepted_rightly = (
        np.concatenate([[0.0], np.cumsum(counts[::-1]) / counts.sum()]) for counts in (other, same)
    )
    excess = accepted_wrongly - (1 - accepted_rightly)  # rises from -1 to 1
    after = int(np.argmax(excess >= 0))
    share = -excess[after - 1] / (excess[after] - excess[after - 1])
    before, behind = accepted_wrongly[after - 1], accepted_wrongly[after]
    return float(before + share * (behind - before))


def error_rate_interval(
    embeddings: np.ndarray, speakers: Sequence[str], level: float = 0.95
) -> tuple[float, float] | None:
    """How the equal error rate would vary with other speakers.

    Speakers are dealt into at most 20 groups, each group is left out in turn, and Student's t with
    one degree less than groups gives the width.

    Parameters
    ----------
    embeddings, speakers
        As `equal_error_rate` takes them.
    level : float in (0, 1)

    Returns
    -------
    tuple of float, or None
        Lower and upper end; None where too few speakers are left without a group.

    Notes
    -----
    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, equation 11.5, with
    groups of speakers in place of single observations.
    """
    names, who = np.unique(speakers, return_inverse=True)
    groups = min(len(names), _GROUPS)
    if groups < 3:
        return None
    words = np.asarray(speakers)
    without = []
    for group in range(groups):
        kept = who % groups != group
        try:
            without.append(equal_error_rate(embeddings[kept], words[kept].tolist()))
        except SettingsError:
            return None
    rates = np.array(without)
    error = np.sqrt((groups - 1) / groups * np.square(rates - rates.mean()).sum())
    reach = float(special.stdtrit(groups - 1, (1 + level) / 2) * error)
    value = equal_error_rate(embeddings, speakers)
    return max(0.0, value - reach), min(1.0, value + reach)


def _counts_by_similarity(unit: np.ndarray, who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of one speaker, and of two, by their cosine in steps from -1 to 1.

    Only some rows are compared at a time, so that memory does not grow with the pairs.
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
