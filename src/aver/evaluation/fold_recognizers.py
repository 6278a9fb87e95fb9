"""The recognisers that a finished run kept, each with the clips it was tested on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import CheckpointError
from aver.evaluation.evaluation import Evaluation
from aver.features.speaker_adaptation import SpeakerAdaptation
from aver.features.store import FeatureSource
from aver.models.load import load_recognizer


def tested_clips(run: Evaluation, clips: Sequence[Clip]) -> dict[str, Clip]:
    """The clips that a run tested, by id, in the order of the run.

    Raises
    ------
    CheckpointError
        If one is not among `clips`.
    """
    by_id = {clip.clip_id: clip for clip in clips}
    missing = [clip_id for clip_id in run.clip_ids if clip_id not in by_id]
    if missing:
        raise CheckpointError(
            f"The run tested {missing[0]!r}, which the corpus does not hold. Name the corpus that "
            "the run was made on."
        )
    return {clip_id: by_id[clip_id] for clip_id in dict.fromkeys(run.clip_ids)}


def as_adapted(run: Evaluation, source: FeatureSource, clips: Iterable[Clip]) -> FeatureSource:
    """The source as the run itself had it: on each speaker's own scale, where it was adapted.

    Damage may leave too few of a speaker's clips with a face; then the modality counts as missing.
    """
    if not run.facts.get("adapt"):
        return source
    return SpeakerAdaptation(source, tuple(clips), forgiving=True)


def parts_of(run: Evaluation) -> list[tuple[int, int]]:
    """Seed and fold of every training that a run tested."""
    return sorted(set(zip(run.seeds.tolist(), run.folds.tolist(), strict=True)))


def fold_recognizers(
    run: Evaluation, folder: Path, store: FeatureSource
) -> Iterator[tuple[Any, np.ndarray, np.ndarray]]:
    """Load every fold's recogniser in turn.

    Parameters
    ----------
    run : Evaluation
    folder : Path
        Its run folder.
    store : FeatureSource
        Where the recognisers get their features from.

    Yields
    ------
    recognizer : Recognizer
    rows : np.ndarray of int
        Rows of the run that it answered.
    columns : np.ndarray of int
        Column of the run for each of its classes.

    Raises
    ------
    CheckpointError
        If a fold kept no checkpoint; a leaking protocol keeps none.
    """
    for seed, fold in parts_of(run):
        place = folder / "folds" / f"seed-{seed}" / f"fold-{fold:02d}" / "checkpoint"
        recognizer = load_recognizer(place, store)
        rows = np.flatnonzero((run.seeds == seed) & (run.folds == fold))
        columns = np.array([run.classes.index(label) for label in recognizer.classes])
        yield recognizer, rows, columns
