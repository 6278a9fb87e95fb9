"""`shift_sound`: what trained recognisers answer when sound and picture run apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import CheckpointError, SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.execution.progress import progress_bar
from aver.features.store import FeatureSource
from aver.models.load import load_recognizer

OFFSETS_S = (-1.0, -0.5, -0.2, -0.1, 0.0, 0.1, 0.2, 0.5, 1.0)


def shift_sound(
    run: Evaluation,
    folder: Path,
    clips: Sequence[Clip],
    store: FeatureSource,
    offsets_s: Sequence[float] = OFFSETS_S,
) -> dict[float, Evaluation]:
    """Let the recognisers of a finished run answer again, with the sound of another moment.

    Nothing is trained: each fold's checkpoint answers for its own test clips.

    Parameters
    ----------
    run : Evaluation
        The run as it was.
    folder : Path
        Its run folder, with the checkpoints.
    clips : sequence of Clip
        Of the corpus; those that were tested must be among them.
    store : FeatureSource
    offsets_s : sequence of float
        How much later than the pictures the sound is taken; negative for earlier.

    Returns
    -------
    dict of float to Evaluation
        By offset, with the same rows as `run`.

    Raises
    ------
    SettingsError
        If the recogniser does not relate sound to single pictures.
    CheckpointError
        If a fold kept no checkpoint, or a tested clip is not among `clips`.

    Notes
    -----
    Source: Birhala et al. 2020, section I, claims that asynchronous inputs are learnt; the curve
    against the offset is ours.
    """
    by_id = {clip.clip_id: clip for clip in clips}
    missing = [clip_id for clip_id in run.clip_ids if clip_id not in by_id]
    if missing:
        raise CheckpointError(
            f"The run tested {missing[0]!r}, which the corpus does not hold. Name the corpus that "
            "the run was made on."
        )
    answers = {offset_s: np.full_like(run.probabilities, np.nan) for offset_s in offsets_s}
    parts = sorted(set(zip(run.seeds.tolist(), run.folds.tolist(), strict=True)))
    with progress_bar("Moving the sound", len(parts) * len(answers)) as bar:
        for seed, fold in parts:
            place = folder / "folds" / f"seed-{seed}" / f"fold-{fold:02d}" / "checkpoint"
            recognizer = _movable(load_recognizer(place, store))
            rows = np.flatnonzero((run.seeds == seed) & (run.folds == fold))
            asked = [by_id[run.clip_ids[row]].without_labels() for row in rows]
            columns = np.array([run.classes.index(label) for label in recognizer.classes])
            for offset_s, probabilities in answers.items():
                probabilities[rows] = 0.0
                found = recognizer.with_offset(offset_s).predict_proba(asked)
                probabilities[np.ix_(rows, columns)] = found
                bar.advance()
    return {
        offset_s: replace(
            run,
            system=f"{run.system}, sound {offset_s:+g} s",
            probabilities=probabilities,
            by_modality={},
            flags=(),
            targets={},
        )
        for offset_s, probabilities in answers.items()
    }


def _movable(recognizer: Any) -> Any:
    if not hasattr(recognizer, "with_offset"):
        raise SettingsError(
            f"{recognizer.name} does not take its sound around single pictures, so that it cannot "
            "be moved. Use temporal-aggregation."
        )
    return recognizer
