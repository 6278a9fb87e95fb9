"""Late fusion of finished runs: the mean of the unimodal probabilities, clip by clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation, TargetPredictions


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


def _pool_target(predictions: Sequence[TargetPredictions]) -> TargetPredictions:
    return TargetPredictions(
        predictions[0].kind,
        predictions[0].outputs,
        np.concatenate([one.truth for one in predictions]),
        np.concatenate([one.predictions for one in predictions]),
    )


def fuse_late(evaluations: Sequence[Evaluation], system: str) -> Evaluation:
    """Average the probabilities of runs over the rows that all of them tested.

    A baseline without a parameter: what two networks that never met say together. A clip that one
    of them could not use (a broken sound track) is left out.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        Usually one per modality; the same folds and seeds.
    system : str
        Name for tables.

    Returns
    -------
    Evaluation
        Its facts hold the names of the runs (``"fused"``) and how many clips were tested by some
        of them only (``"left_out_clips"``).

    Raises
    ------
    SettingsError
        If the runs have no row in common, or other classes.
    """
    first = evaluations[0]
    places = [_places(evaluation) for evaluation in evaluations]
    rows = [row for row in places[0] if all(row in place for place in places)]
    for other in evaluations[1:]:
        if other.classes != first.classes:
            raise SettingsError(
                f"{first.system!r} and {other.system!r} tell other classes apart: "
                f"{', '.join(first.classes)}, and {', '.join(other.classes)}."
            )
        if other.facts.get("adapt") != first.facts.get("adapt"):
            raise SettingsError(
                f"Of {first.system!r} and {other.system!r} one uses unlabelled clips of test "
                "speakers and one does not. Fuse runs that both do, or that both do not."
            )
    if not rows:
        raise SettingsError(
            f"{' and '.join(repr(evaluation.system) for evaluation in evaluations)} have no clip, "
            "fold and seed in common; run them on one split."
        )
    tested = {clip_id for evaluation in evaluations for clip_id in evaluation.clip_ids}
    probabilities = [
        evaluation.probabilities[[place[row] for row in rows]]
        for evaluation, place in zip(evaluations, places, strict=True)
    ]
    return replace(
        first.rows(np.array([places[0][row] for row in rows])),
        system=system,
        probabilities=np.mean(probabilities, axis=0),
        by_modality={},
        targets={},
        training_s=sum(evaluation.training_s or 0.0 for evaluation in evaluations),
        prediction_s=sum(evaluation.prediction_s or 0.0 for evaluation in evaluations),
        parameters=sum(evaluation.parameters or 0 for evaluation in evaluations) or None,
        facts={
            **{key: first.facts[key] for key in ("adapt", "adaptation") if key in first.facts},
            "fused": [evaluation.system for evaluation in evaluations],
            "left_out_clips": len(tested - {clip_id for clip_id, _, _ in rows}),
        },
    )


def _places(evaluation: Evaluation) -> dict[tuple[str, int, int], int]:
    """Clip, fold and seed to the row's index, in the order of the rows."""
    rows = zip(
        evaluation.clip_ids, evaluation.folds.tolist(), evaluation.seeds.tolist(), strict=True
    )
    return {row: index for index, row in enumerate(rows)}
