"""Runs that differ in their seed alone, under each other in one `Evaluation`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.target_answers import TargetAnswers


def pool_seeds(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Put the rows of several runs under each other.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        Same system, corpus and split; different seeds.

    Returns
    -------
    Evaluation
        Rows of the first run first. A clip counts once, with its mean over seeds.

    Raises
    ------
    SettingsError
        If the runs have other classes, protocols, modalities or targets.
    """
    first = evaluations[0]
    for other in evaluations[1:]:
        for what in ("corpus", "protocol", "classes", "leaks"):
            if getattr(other, what) != getattr(first, what):
                raise SettingsError(
                    f"Seeds can be pooled within one protocol only; {what} differs: "
                    f"{getattr(first, what)!r} and {getattr(other, what)!r}."
                )
        if set(other.by_modality) != set(first.by_modality) or set(other.targets) != set(
            first.targets
        ):
            raise SettingsError("Seeds can be pooled only where modalities and targets are equal.")
    if len(evaluations) == 1:
        return first
    return replace(
        first,
        clip_ids=tuple(clip_id for one in evaluations for clip_id in one.clip_ids),
        speakers=tuple(speaker for one in evaluations for speaker in one.speakers),
        sexes=tuple(sex for one in evaluations for sex in one.sexes),
        folds=np.concatenate([one.folds for one in evaluations]),
        seeds=np.concatenate([one.seeds for one in evaluations]),
        truth=tuple(label for one in evaluations for label in one.truth),
        probabilities=np.concatenate([one.probabilities for one in evaluations]),
        by_modality={
            name: np.concatenate([one.by_modality[name] for one in evaluations])
            for name in first.by_modality
        },
        flags=tuple(flags for one in evaluations for flags in one.flags),
        targets={
            name: _pool_target([o.targets[name] for o in evaluations]) for name in first.targets
        },
        training_s=sum(one.training_s or 0.0 for one in evaluations),
        prediction_s=sum(one.prediction_s or 0.0 for one in evaluations),
    )


def _pool_target(answers: Sequence[TargetAnswers]) -> TargetAnswers:
    return TargetAnswers(
        answers[0].kind,
        answers[0].outputs,
        np.concatenate([one.truth for one in answers]),
        np.concatenate([one.answers for one in answers]),
    )
