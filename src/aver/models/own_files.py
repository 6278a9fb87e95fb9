"""Answers for files of a user's own, one bad file never stopping the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from aver.corpora.clip import Clip
from aver.corpora.corpus import Problem
from aver.corpora.load_clips import load_clips
from aver.corpora.unit_files import attach_units
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
    recognizer: Recognizer,
    paths: Sequence[Path],
    store: FeatureStore,
    workers: int = 1,
    *,
    units: Path | None = None,
) -> OwnClips:
    """Answer for files and folders.

    Parameters
    ----------
    recognizer : Recognizer
        A trained one.
    paths : sequence of Path
    store : FeatureStore
    workers : int >= 1
    units : Path, optional
        Action units as `aver.corpora.unit_files.attach_units` takes them, keyed by file names with
        or without suffix, or by paths below the folder that all files have in common. A clip that
        they do not know is answered without.

    Raises
    ------
    CorpusError
        If no path holds a video or sound file, or `units` cannot be read or knows none of them.
    """
    found = load_clips(paths)
    if units is not None:
        found = attach_units(replace(found, clips=_with_names(found.clips)), units)
    prepared = store.prepare(found.clips, list(recognizer.features.values()), workers=workers)
    unreadable = tuple(
        Problem(failure.clip.clip_id, failure.reason) for failure in prepared.failures
    )
    prediction = recognizer.predict(prepared.clips) if prepared.clips else None
    return OwnClips(prepared.clips, prediction, found.problems + unreadable)


def _with_names(clips: Sequence[Clip]) -> tuple[Clip, ...]:
    """Clips that tables may also call by shorter names, where these mean no other clip."""
    places: dict[str, set[str]] = {}
    for clip in clips:
        places.setdefault(_stem(clip), set()).add(_place(clip))
    return tuple(
        replace(
            clip,
            aliases=(_place(clip), PurePosixPath(clip.clip_id).name, _stem(clip))
            if len(places[_stem(clip)]) == 1
            else (_place(clip),),
        )
        for clip in clips
    )


def _stem(clip: Clip) -> str:
    return PurePosixPath(clip.clip_id).stem


def _place(clip: Clip) -> str:
    """The clip's id without the file's suffix."""
    return str(PurePosixPath(clip.clip_id).with_suffix(""))
