"""`shift_sound`: what trained recognisers answer when sound and picture run apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.fold_recognizers import fold_recognizers, parts_of, tested_clips
from aver.execution.progress import progress_bar
from aver.features.store import FeatureSource

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
    by_id = tested_clips(run, clips)
    answers = {offset_s: np.full_like(run.probabilities, np.nan) for offset_s in offsets_s}
    with progress_bar("Moving the sound", len(parts_of(run)) * len(answers)) as bar:
        for recognizer, rows, columns in fold_recognizers(run, folder, store):
            movable = _movable(recognizer)
            asked = [by_id[run.clip_ids[row]].without_labels() for row in rows]
            for offset_s, probabilities in answers.items():
                probabilities[rows] = 0.0
                found = movable.with_offset(offset_s).predict_proba(asked)
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
