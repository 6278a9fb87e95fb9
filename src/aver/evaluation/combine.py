"""Evaluations put together: runs of several seeds, and late fusion of unimodal runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from aver.errors import SettingsError
from aver.evaluation.evaluation import CLIP_COLUMNS, ROW_KEYS, Evaluation
from aver.models.base.prediction import mean_of_known, probability_columns


def pool_seeds(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Concatenate the rows of several runs.

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
        If the runs differ in classes, protocol, modalities or targets.
    """
    first = evaluations[0]
    for other in evaluations[1:]:
        for name in ("corpus", "protocol", "classes", "leaks"):
            if getattr(other, name) != getattr(first, name):
                raise SettingsError(
                    f"Seeds can be pooled within one protocol only; {name} differs: "
                    f"{getattr(first, name)!r} and {getattr(other, name)!r}."
                )
        if set(other.predictions.columns) != set(first.predictions.columns):
            raise SettingsError("Seeds can be pooled only if modalities and targets are equal.")
    if len(evaluations) == 1:
        return first
    return replace(
        first,
        predictions=pd.concat([run.predictions for run in evaluations], ignore_index=True),
        training_s=sum(run.training_s or 0.0 for run in evaluations),
        prediction_s=sum(run.prediction_s or 0.0 for run in evaluations),
    )


def fuse_late(evaluations: Sequence[Evaluation], system: str) -> Evaluation:
    """Average the probabilities of runs over the rows that all of them tested.

    A baseline without parameters: unimodal networks that were trained independently. A clip that
    one of them could not use (for instance with unreadable audio) is left out.

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
        If the runs have no row in common, other classes, or only some use unlabeled clips of test
        speakers.
    """
    first = evaluations[0]
    for other in evaluations[1:]:
        if other.classes != first.classes:
            raise SettingsError(
                f"{first.system!r} and {other.system!r} have different classes: "
                f"{', '.join(first.classes)}, and {', '.join(other.classes)}."
            )
        if other.facts.get("adapt") != first.facts.get("adapt"):
            raise SettingsError(
                f"Of {first.system!r} and {other.system!r} one uses unlabeled clips of test "
                "speakers and one does not. Fuse runs that both do, or that both do not."
            )
    tables = [run.predictions.set_index(ROW_KEYS) for run in evaluations]
    shared = tables[0].index
    for table in tables[1:]:
        shared = shared[shared.isin(table.index)]
    if shared.empty:
        raise SettingsError(
            f"{' and '.join(repr(run.system) for run in evaluations)} have no clip, fold and seed "
            "in common; run them on one split."
        )
    columns = probability_columns(first.classes)
    fused = tables[0].loc[shared].reset_index()[list(CLIP_COLUMNS)]
    fused[columns] = mean_of_known([table.loc[shared, columns].to_numpy() for table in tables])
    tested = pd.concat([run.predictions["clip_id"] for run in evaluations]).nunique()
    return replace(
        first,
        system=system,
        predictions=fused,
        modalities=(),
        targets=(),
        training_s=sum(run.training_s or 0.0 for run in evaluations),
        prediction_s=sum(run.prediction_s or 0.0 for run in evaluations),
        parameters=sum(run.parameters or 0 for run in evaluations) or None,
        facts={
            **{key: first.facts[key] for key in ("adapt", "adaptation") if key in first.facts},
            "fused": [run.system for run in evaluations],
            "left_out_clips": tested - fused["clip_id"].nunique(),
        },
    )
