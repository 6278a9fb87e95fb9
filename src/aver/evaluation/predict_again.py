"""The recognizers of a finished run predict their test clips again; nothing is trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import CheckpointError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.fold_run import fold_folder
from aver.execution.progress import progress_bar
from aver.features.speaker_adaptation import SpeakerAdaptation
from aver.features.store import FeatureSource
from aver.models.base.recognizer import Recognizer, load_recognizer

OFFSETS_S = (-1.0, -0.5, -0.2, -0.1, 0.0, 0.1, 0.2, 0.5, 1.0)
"""Usual offsets for `shift_audio`."""


def predict_again(
    run: Evaluation, folder: Path, clips: Mapping[str, Clip], source: FeatureSource
) -> Evaluation:
    """Predict all test clips of a run from another source of features.

    Parameters
    ----------
    run : Evaluation
    folder : Path
        Its run folder, with the checkpoints.
    clips : mapping of str to Clip
        The tested clips, as `tested_clips` gives them.
    source : FeatureSource

    Returns
    -------
    Evaluation
        With the rows of `run`, without targets besides emotion.

    Raises
    ------
    CheckpointError
        If a fold kept no checkpoint.
    """
    probabilities = np.zeros_like(run.probabilities)
    by_modality: dict[str, np.ndarray] = {}
    flags: list[tuple[str, ...]] = [()] * len(run.clip_ids)
    for recognizer, rows, columns in fold_recognizers(run, folder, source):
        prediction = recognizer.predict_all(_unlabeled(run, rows, clips))
        probabilities[np.ix_(rows, columns)] = prediction.probabilities
        for name, values in prediction.by_modality.items():
            block = by_modality.setdefault(name, np.full_like(probabilities, np.nan))
            block[rows] = np.where(np.isnan(values).any(axis=1), np.nan, 0.0)[:, np.newaxis]
            block[np.ix_(rows, columns)] = values
        for row, found in zip(rows, prediction.flags or ((),) * len(rows), strict=True):
            flags[row] = found
    return run.with_predictions(probabilities, by_modality=by_modality, flags=flags)


def shift_audio(
    run: Evaluation,
    folder: Path,
    clips: Sequence[Clip],
    source: FeatureSource,
    offsets_s: Sequence[float] = OFFSETS_S,
) -> dict[float, Evaluation]:
    """Predict all test clips of a run with the audio taken earlier or later than the video.

    Parameters
    ----------
    run : Evaluation
    folder : Path
        Its run folder, with the checkpoints.
    clips : sequence of Clip
        Of the corpus; all tested clips must be among them.
    source : FeatureSource
    offsets_s : sequence of float
        How much later than the video the audio is taken; negative for earlier.

    Returns
    -------
    dict of float to Evaluation
        By offset, with the rows of `run`.

    Raises
    ------
    SettingsError
        If the recognizer does not support offsets, see `Recognizer.supports_offset`.
    CheckpointError
        If a fold kept no checkpoint, or a tested clip is not among `clips`.

    Notes
    -----
    Source: Birhala et al. 2020, section I, claims that asynchronous inputs are learned; the curve
    against the offset is ours.
    """
    by_id = tested_clips(run, clips)
    predictions = {offset_s: np.full_like(run.probabilities, np.nan) for offset_s in offsets_s}
    with progress_bar("Shifting the audio", len(trainings(run)) * len(predictions)) as bar:
        for recognizer, rows, columns in fold_recognizers(run, folder, source):
            unlabeled = _unlabeled(run, rows, by_id)
            for offset_s, probabilities in predictions.items():
                shifted = recognizer.with_offset(offset_s)
                probabilities[rows] = 0.0
                probabilities[np.ix_(rows, columns)] = shifted.predict_all(unlabeled).probabilities
                bar.advance()
    return {
        offset_s: run.with_predictions(probabilities, system=f"{run.system}, audio {offset_s:+g} s")
        for offset_s, probabilities in predictions.items()
    }


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


def adapted_source(run: Evaluation, source: FeatureSource, clips: Iterable[Clip]) -> FeatureSource:
    """The source, with the speaker adaptation that the run had.

    Degraded media may leave too few of a speaker's clips with a face; the modality then counts as
    missing.
    """
    if not run.facts.get("adapt"):
        return source
    return SpeakerAdaptation(source, tuple(clips), missing_ok=True)


def trainings(run: Evaluation) -> list[tuple[int, int]]:
    """Seed and fold of every training of a run, sorted."""
    return sorted(set(zip(run.seeds.tolist(), run.folds.tolist(), strict=True)))


def fold_recognizers(
    run: Evaluation, folder: Path, source: FeatureSource
) -> Iterator[tuple[Recognizer, np.ndarray, np.ndarray]]:
    """Load the recognizer of every fold and seed in turn.

    Parameters
    ----------
    run : Evaluation
    folder : Path
        Its run folder.
    source : FeatureSource
        Where the recognizers get their features from.

    Yields
    ------
    recognizer : Recognizer
    rows : np.ndarray of int
        Rows of the run that it predicted.
    columns : np.ndarray of int
        Column of the run for each of its classes.

    Raises
    ------
    CheckpointError
        If a fold kept no checkpoint; a leaking protocol keeps none.
    """
    for seed, fold in trainings(run):
        recognizer = load_recognizer(fold_folder(folder, seed, fold) / "checkpoint", source)
        rows = np.flatnonzero((run.seeds == seed) & (run.folds == fold))
        columns = np.array([run.classes.index(label) for label in recognizer.classes])
        yield recognizer, rows, columns


def _unlabeled(run: Evaluation, rows: np.ndarray, clips: Mapping[str, Clip]) -> list[Clip]:
    return [clips[run.clip_ids[row]].without_labels() for row in rows]
