"""Metrics of predictions: accuracy, unweighted recall, macro F1, log loss, Brier score.

With several seeds a clip counts once, with the mean of its scores over seeds. For accuracy, recall
and the losses this equals the mean of the metric over seeds if every seed tests every clip. Macro
F1 is not a mean over clips: it is computed per seed, then averaged over seeds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import SpeakerSums, divide, sum_by_speaker

MIN_PROBABILITY = float(np.finfo(np.float64).eps)
"""Lower bound of the true class's probability in the log loss, which keeps it finite."""


def _mean_over_clips(
    evaluation: Evaluation, name: str, scores: np.ndarray, high: float
) -> SpeakerSums:
    weights = evaluation.clip_weights
    sums = sum_by_speaker(
        evaluation.speaker_index,
        len(evaluation.speaker_ids),
        np.stack([scores * weights, weights], axis=1),
    )
    return SpeakerSums(
        name,
        evaluation.speaker_ids,
        sums,
        lambda s: divide(s[..., 0], s[..., 1]),
        high=high,
        strata=evaluation.speaker_corpora,
    )


def accuracy(evaluation: Evaluation) -> SpeakerSums:
    """Share of clips predicted correctly."""
    return _mean_over_clips(evaluation, "accuracy", evaluation.correct.astype(float), 1.0)


def log_loss(evaluation: Evaluation) -> SpeakerSums:
    """Mean of minus the natural logarithm of the true class's probability, in nats."""
    true = evaluation.probabilities[np.arange(len(evaluation.truth)), evaluation.truth_index]
    losses = -np.log(np.maximum(true, MIN_PROBABILITY))
    return _mean_over_clips(evaluation, "log_loss", losses, np.inf)


def brier(evaluation: Evaluation) -> SpeakerSums:
    """Squared distance between the probabilities and the truth, summed over classes; 0 to 2.

    Source: Brier, Monthly Weather Review 78, 1950, equation 2.
    """
    one_hot = np.eye(len(evaluation.classes))[evaluation.truth_index]
    scores = ((evaluation.probabilities - one_hot) ** 2).sum(axis=1)
    return _mean_over_clips(evaluation, "brier", scores, 2.0)


def confusion_sums(evaluation: Evaluation, *, by_seed: bool = False) -> np.ndarray:
    """Confusion matrices per speaker.

    Parameters
    ----------
    evaluation : Evaluation
    by_seed : bool
        One matrix per seed, in which every row counts once; otherwise one matrix, in which each
        clip counts once over its rows.

    Returns
    -------
    np.ndarray [shape=(speakers, seeds or 1, classes, classes)]
        True class by predicted class.
    """
    classes = len(evaluation.classes)
    seeds, seed_index = np.unique(evaluation.seeds, return_inverse=True)
    matrices = np.zeros(
        (len(evaluation.speaker_ids), len(seeds) if by_seed else 1, classes, classes)
    )
    cells = (
        evaluation.speaker_index,
        seed_index if by_seed else np.zeros_like(seed_index),
        evaluation.truth_index,
        evaluation.prediction_index,
    )
    np.add.at(matrices, cells, 1.0 if by_seed else evaluation.clip_weights)
    return matrices


def _recalls(matrices: np.ndarray) -> np.ndarray:
    return divide(np.diagonal(matrices, axis1=-2, axis2=-1), matrices.sum(axis=-1))


def _mean_of_defined(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without NaN; NaN if all are."""
    defined = ~np.isnan(values)
    return divide(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


def _from_confusion(
    evaluation: Evaluation,
    name: str,
    of_matrices: Callable[[np.ndarray], np.ndarray],
    *,
    by_seed: bool = False,
) -> SpeakerSums:
    matrices = confusion_sums(evaluation, by_seed=by_seed)
    shape = matrices.shape[1:]

    def formula(sums: np.ndarray) -> np.ndarray:
        return _mean_of_defined(of_matrices(sums.reshape(*sums.shape[:-1], *shape)))

    flat = matrices.reshape(len(matrices), -1)
    return SpeakerSums(
        name, evaluation.speaker_ids, flat, formula, strata=evaluation.speaker_corpora
    )


def unweighted_recall(evaluation: Evaluation) -> SpeakerSums:
    """Mean over classes of the share of the class's clips that are predicted correctly (UAR)."""
    return _from_confusion(evaluation, "unweighted_recall", lambda m: _mean_of_defined(_recalls(m)))


def macro_f1(evaluation: Evaluation) -> SpeakerSums:
    """Mean over classes of F1, per seed, then over seeds.

    A class that is neither present nor predicted is left out; one that is present but never
    predicted counts 0.
    """

    def of_matrices(matrices: np.ndarray) -> np.ndarray:
        hits = np.diagonal(matrices, axis1=-2, axis2=-1)
        return _mean_of_defined(divide(2 * hits, matrices.sum(axis=-1) + matrices.sum(axis=-2)))

    return _from_confusion(evaluation, "macro_f1", of_matrices, by_seed=True)


def class_recall(evaluation: Evaluation, label: str) -> SpeakerSums:
    """Share of one class's clips that are predicted correctly."""
    column = _column(evaluation, label)
    return _from_confusion(evaluation, f"recall of {label}", lambda m: _recalls(m)[..., column])


def class_precision(evaluation: Evaluation, label: str) -> SpeakerSums:
    """Share of the predictions of one class that are correct; undefined if there are none."""
    column = _column(evaluation, label)

    def of_matrices(matrices: np.ndarray) -> np.ndarray:
        return divide(matrices[..., column, column], matrices[..., column].sum(axis=-1))

    return _from_confusion(evaluation, f"precision of {label}", of_matrices)


def _column(evaluation: Evaluation, label: str) -> int:
    if label not in evaluation.classes:
        raise SettingsError(f"{label!r} is not among the classes {', '.join(evaluation.classes)}.")
    return evaluation.classes.index(label)


METRICS: dict[str, Callable[[Evaluation], SpeakerSums]] = {
    "accuracy": accuracy,
    "unweighted_recall": unweighted_recall,
    "macro_f1": macro_f1,
    "log_loss": log_loss,
    "brier": brier,
}
"""Metrics of a classification by name; `summary` adds the calibration error."""


def confusion_matrix(evaluation: Evaluation) -> np.ndarray:
    """Clips by true and predicted class; each clip counts once over its seeds.

    Returns
    -------
    np.ndarray [shape=(classes, classes)]
        Rows are true classes; each sums to the number of clips of its class.
    """
    return confusion_sums(evaluation).sum(axis=(0, 1))
