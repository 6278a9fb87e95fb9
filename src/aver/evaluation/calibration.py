"""Calibration error, reliability, selective accuracy, and metrics of regression targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation, TargetPredictions
from aver.evaluation.intervals import Formula, SpeakerSums, divide, sum_by_speaker

BINS = 15
"""Bins of equal width over confidence, as Guo et al. (ICML 2017, section 4) use."""

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of clips predicted, for the curve of selective accuracy."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """Data of a reliability plot.

    Parameters
    ----------
    edges : np.ndarray [shape=(bins + 1,)]
        Of confidence, from 0 to 1.
    confidence, accuracy : np.ndarray [shape=(bins,)]
        Means in each bin; NaN if it is empty.
    clips : np.ndarray [shape=(bins,)]
        Clips in each bin; a clip tested with several seeds may be divided among bins.
    """

    edges: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    clips: np.ndarray


def _bin_sums(evaluation: Evaluation, bins: int) -> np.ndarray:
    """Weight, confidence and hits per speaker and bin; shape (speakers, bins, 3)."""
    if bins < 1:
        raise SettingsError(f"bins must be at least 1, not {bins}.")
    confidence = evaluation.probabilities.max(axis=1)
    # Bins hold their upper edge: (0, 1/bins], (1/bins, 2/bins] ...
    bin_index = np.clip(np.ceil(confidence * bins - 1e-12).astype(int) - 1, 0, bins - 1)
    weights = evaluation.clip_weights
    values = np.zeros((len(weights), bins, 3))
    rows = np.arange(len(weights))
    values[rows, bin_index, 0] = weights
    values[rows, bin_index, 1] = weights * confidence
    values[rows, bin_index, 2] = weights * evaluation.correct
    return sum_by_speaker(evaluation.speaker_index, len(evaluation.speaker_ids), values)


def calibration_error(evaluation: Evaluation, bins: int = BINS) -> SpeakerSums:
    """Expected calibration error (ECE): mean distance between confidence and accuracy over bins.

    Source: Guo et al., ICML 2017, equation 3. With few clips it is above 0 even for a
    perfectly calibrated system.
    """
    sums = _bin_sums(evaluation, bins)

    def formula(flat: np.ndarray) -> np.ndarray:
        cells = flat.reshape(*flat.shape[:-1], bins, 3)
        gaps = np.abs(cells[..., 1] - cells[..., 2]).sum(axis=-1)
        return divide(gaps, cells[..., 0].sum(axis=-1))

    flat = sums.reshape(len(sums), -1)
    return _sums(evaluation, "calibration_error", flat, formula)


def _sums(
    evaluation: Evaluation,
    name: str,
    sums: np.ndarray,
    formula: Formula,
    low: float = 0.0,
    high: float = 1.0,
) -> SpeakerSums:
    speakers, strata = evaluation.speaker_ids, evaluation.speaker_corpora
    return SpeakerSums(name, speakers, sums, formula, low, high, strata)


def reliability(evaluation: Evaluation, bins: int = 10) -> Reliability:
    """Confidence and accuracy in each bin.

    Parameters
    ----------
    evaluation : Evaluation
    bins : int >= 1
        Of equal width.

    Returns
    -------
    Reliability
    """
    cells = _bin_sums(evaluation, bins).sum(axis=0)
    return Reliability(
        np.linspace(0, 1, bins + 1),
        divide(cells[:, 1], cells[:, 0]),
        divide(cells[:, 2], cells[:, 0]),
        cells[:, 0],
    )


def selective_accuracy(
    evaluation: Evaluation, shares: tuple[float, ...] = SHARES
) -> tuple[SpeakerSums, ...]:
    """Accuracy on the share of clips with the highest confidence.

    Source: El-Yaniv and Wiener, JMLR 11, 2010 (risk against coverage).

    Parameters
    ----------
    evaluation : Evaluation
    shares : tuple of float in (0, 1]
        Shares of all clips that are kept.

    Returns
    -------
    tuple of SpeakerSums
        One per share. The threshold of confidence is that of all clips together; it is not changed
        when speakers are left out or resampled.

    Raises
    ------
    SettingsError
        If a share is outside (0, 1].
    """
    if any(not 0 < share <= 1 for share in shares):
        raise SettingsError(f"Shares of clips must be in (0, 1], not {shares}.")
    confidence = evaluation.probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    weights = evaluation.clip_weights
    reached = np.cumsum(weights[order]) / weights.sum()
    curves = []
    for share in shares:
        last = min(int(np.searchsorted(reached, share - 1e-9)), len(order) - 1)
        predicted = confidence >= confidence[order[last]]
        values = np.stack([weights * predicted * evaluation.correct, weights * predicted], axis=1)
        sums = sum_by_speaker(evaluation.speaker_index, len(evaluation.speaker_ids), values)
        name = f"accuracy on the most confident {share:.0%}"
        curves.append(_sums(evaluation, name, sums, _share_of_predicted))
    return tuple(curves)


def _share_of_predicted(sums: np.ndarray) -> np.ndarray:
    return divide(sums[..., 0], sums[..., 1])


def _target(evaluation: Evaluation, name: str) -> TargetPredictions:
    target = evaluation.target_predictions.get(name)
    if target is None or target.kind != "regression":
        names = ", ".join(one.name for one in evaluation.targets if one.kind == "regression")
        raise SettingsError(
            f"{evaluation.system} has no regression target {name!r}. It has: {names or 'none'}."
        )
    return target


def _column(target: TargetPredictions, output: str) -> int:
    if output not in target.outputs:
        raise SettingsError(f"{output!r} is not among the outputs {', '.join(target.outputs)}.")
    return target.outputs.index(output)


def concordance(evaluation: Evaluation, name: str, output: str) -> SpeakerSums:
    """Concordance correlation coefficient of one output (CCC), in [-1, 1].

    Source: Lin, Biometrics 45, 1989, with variances divided by the number of clips.

    Parameters
    ----------
    evaluation : Evaluation
    name : str
        Of the regression target.
    output : str
        One of its outputs.

    Returns
    -------
    SpeakerSums
        NaN if truth and predictions are both constant and equal.
    """
    target = _target(evaluation, name)
    column, known = _column(target, output), target.known
    truth, predictions = target.truth[known, column], target.predictions[known, column]
    weights = evaluation.clip_weights[known]
    values = np.stack(
        [np.ones_like(truth), truth, predictions, truth**2, predictions**2, truth * predictions],
        axis=1,
    )
    sums = sum_by_speaker(
        evaluation.speaker_index[known],
        len(evaluation.speaker_ids),
        values * weights[:, None],
    )
    return _sums(evaluation, f"concordance of {output}", sums, _concordance_formula, -1.0, 1.0)


def _concordance_formula(sums: np.ndarray) -> np.ndarray:
    means = divide(sums, sums[..., :1])
    x, y = means[..., 1], means[..., 2]
    covariance = means[..., 5] - x * y
    spread = means[..., 3] - x**2 + means[..., 4] - y**2 + (x - y) ** 2
    return divide(2 * covariance, spread)


def mean_absolute_error(evaluation: Evaluation, name: str, output: str) -> SpeakerSums:
    """Mean absolute difference between prediction and truth of one output, in the target's unit."""
    target = _target(evaluation, name)
    column, known = _column(target, output), target.known
    distance = np.abs(target.predictions[known, column] - target.truth[known, column])
    weights = evaluation.clip_weights[known]
    sums = sum_by_speaker(
        evaluation.speaker_index[known],
        len(evaluation.speaker_ids),
        np.stack([distance * weights, weights], axis=1),
    )
    return _sums(
        evaluation,
        f"mean absolute error of {output}",
        sums,
        lambda s: divide(s[..., 0], s[..., 1]),
        0.0,
        np.inf,
    )
