"""Answers for files of a user's own, one bad file never stopping the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Problem
from aver.corpora.load_clips import load_clips
from aver.features.store import FeatureStore
from aver.models.prediction import Prediction
from aver.models.recognizer import Recognizer


@dataclass(frozen=True)
class OwnClips:
    """What became of a user's files.

    Parameters
    ----------
    clips : tuple of Clip
        Those that could be read, in the order given.
    prediction : Prediction or None
        Answers for them; None where there is none.
    problems : tuple of Problem
        Files that could not be read, and why.
    """

    clips: tuple[Clip, ...]
    prediction: Prediction | None
    problems: tuple[Problem, ...]


def predict_files(
    recognizer: Recognizer, paths: Sequence[Path], store: FeatureStore, workers: int = 1
) -> OwnClips:
    """Answer for files and folders.

    Parameters
    ----------
    recognizer : Recognizer
        A trained one.
    paths : sequence of Path
    store : FeatureStore
    workers : int >= 1

    Raises
    ------
    CorpusError
        If no path holds a video or sound file.
    """
    found = load_clips(paths)
    prepared = store.prepare(found.clips, list(recognizer.features.values()), workers=workers)
    unreadable = tuple(
        Problem(failure.clip.clip_id, failure.reason) for failure in prepared.failures
    )
    prediction = recognizer.predict(prepared.clips) if prepared.clips else None
    return OwnClips(prepared.clips, prediction, found.problems + unreadable)
