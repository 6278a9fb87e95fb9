"""Regressed targets, such as shares of raters' votes: concordance and mean absolute error."""

from __future__ import annotations

import numpy as np

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.speaker_sums import SpeakerSums, divide, sum_by_speaker
from aver.evaluation.target_answers import TargetAnswers


def _target(evaluation: Evaluation, name: str) -> TargetAnswers:
    target = evaluation.targets.get(name)
    if target is None or target.kind != "regression":
        known = [key for key, value in evaluation.targets.items() if value.kind == "regression"]
        raise SettingsError(
            f"{evaluation.system} has no regression target {name!r}. "
            f"It has: {', '.join(known) or 'none'}."
        )
    return target


def _column(target: TargetAnswers, output: str) -> int:
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
        NaN where truth and answers are both constant and equal.
    """
    target = _target(evaluation, name)
    column, known = _column(target, output), target.known
    truth, answers = target.truth[known, column], target.answers[known, column]
    weights = evaluation.clip_weights[known]
    values = np.stack(
        [np.ones_like(truth), truth, answers, truth**2, answers**2, truth * answers], axis=1
    )
    sums = sum_by_speaker(
        evaluation.speaker_index[known],
        len(evaluation.speaker_ids),
        values * weights[:, None],
    )
    return SpeakerSums(
        f"concordance of {output}", evaluation.speaker_ids, sums, _concordance_formula, -1.0, 1.0
    )


def _concordance_formula(sums: np.ndarray) -> np.ndarray:
    means = divide(sums, sums[..., :1])
    x, y = means[..., 1], means[..., 2]
    covariance = means[..., 5] - x * y
    spread = means[..., 3] - x**2 + means[..., 4] - y**2 + (x - y) ** 2
    return divide(2 * covariance, spread)


def mean_absolute_error(evaluation: Evaluation, name: str, output: str) -> SpeakerSums:
    """Mean distance between answer and truth of one output, in the target's unit."""
    target = _target(evaluation, name)
    column, known = _column(target, output), target.known
    distance = np.abs(target.answers[known, column] - target.truth[known, column])
    weights = evaluation.clip_weights[known]
    sums = sum_by_speaker(
        evaluation.speaker_index[known],
        len(evaluation.speaker_ids),
        np.stack([distance * weights, weights], axis=1),
    )
    return SpeakerSums(
        f"mean absolute error of {output}",
        evaluation.speaker_ids,
        sums,
        lambda s: divide(s[..., 0], s[..., 1]),
        0.0,
        np.inf,
    )
