"""Late fusion of finished runs: the mean of the unimodal probabilities, clip by clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation


def fuse_late(evaluations: Sequence[Evaluation], system: str) -> Evaluation:
    """Average the probabilities of runs that tested the same rows.

    A baseline without a parameter: what two networks that never met say together.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        Usually one per modality; same clips, folds and seeds.
    system : str
        Name for tables.

    Returns
    -------
    Evaluation

    Raises
    ------
    SettingsError
        If the runs do not test the same rows.
    """
    first = evaluations[0]
    rows = _rows(first)
    probabilities = [first.probabilities]
    for other in evaluations[1:]:
        place = {row: index for index, row in enumerate(_rows(other))}
        if set(place) != set(rows) or other.classes != first.classes:
            raise SettingsError(
                f"{first.system!r} and {other.system!r} were not tested on the same clips, folds "
                "and seeds; run both on one split."
            )
        probabilities.append(other.probabilities[[place[row] for row in rows]])
    return replace(
        first,
        system=system,
        probabilities=np.mean(probabilities, axis=0),
        by_modality={},
        targets={},
        training_s=sum(evaluation.training_s or 0.0 for evaluation in evaluations),
        prediction_s=sum(evaluation.prediction_s or 0.0 for evaluation in evaluations),
        parameters=sum(evaluation.parameters or 0 for evaluation in evaluations) or None,
        facts={"fused": [evaluation.system for evaluation in evaluations]},
    )


def _rows(evaluation: Evaluation) -> list[tuple[str, int, int]]:
    return list(
        zip(
            evaluation.clip_ids,
            evaluation.folds.tolist(),
            evaluation.seeds.tolist(),
            strict=True,
        )
    )
