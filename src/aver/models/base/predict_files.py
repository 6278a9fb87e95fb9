"""Answers for files of a user's own, one bad file never stopping the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from aver.corpora.clip import Clip
from aver.corpora.corpus import Problem
from aver.corpora.user_files import attach_action_units, load_clips
from aver.errors import ClipError, CorpusError, FeatureError, SettingsError
from aver.features.feature import Feature
from aver.features.speaker_adaptation import MIN_CLIPS, SpeakerAdaptation
from aver.features.store import FeatureStore
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import Recognizer

ADAPTED_PREDICTIONS = "uses unlabelled clips of the speaker"
"""What answers with adaptation must say of themselves."""

_SPEAKER = "speaker"  # of a user's clips, where all are of one person


@dataclass(frozen=True)
class OwnClips:
    """What became of a user's files.

    Parameters
    ----------
    clips : tuple of Clip
        Those that are answered, in the order given.
    prediction : Prediction or None
        Answers for them; None where there is none.
    problems : tuple of Problem
        Files that could not be read, or that do not fit the recogniser, and why.
    unused : tuple of Problem
        Other clips of the speaker that could not be read, so that nothing was adapted to them.
    adaptation : str
        `ADAPTED_PREDICTIONS` where the answers rest on other clips of the speaker, else empty.
    """

    clips: tuple[Clip, ...]
    prediction: Prediction | None
    problems: tuple[Problem, ...]
    unused: tuple[Problem, ...] = ()
    adaptation: str = ""


def predict_files(
    recognizer: Recognizer,
    paths: Sequence[Path],
    store: FeatureStore,
    workers: int = 1,
    *,
    action_units: Path | None = None,
    speaker_clips: Sequence[Path] = (),
) -> OwnClips:
    """Answer for files and folders.

    Parameters
    ----------
    recognizer : Recognizer
        A trained one.
    paths : sequence of Path
    store : FeatureStore
    workers : int >= 1
    action_units : Path, optional
        Action units for `aver.corpora.user_files.attach_action_units`, keyed by file names with
        or without suffix, or by paths below the folder that all files have in common. A clip that
        they do not know is answered without. They hold those of `speaker_clips` too.
    speaker_clips : sequence of Path
        Files and folders with other clips of the one speaker of all `paths`, without labels. A
        recogniser that was trained with speaker adaptation needs them, any other takes none. A
        modality that fewer than 4 of them have is left out of the answers, which say so.

    Raises
    ------
    CorpusError
        If no path holds a video or audio file, or `action_units` cannot be read or has none of
        them.
    SettingsError
        If the recogniser needs `speaker_clips` and there are none, or the other way round.
    FeatureError
        If too few of them can be used for any modality.
    """
    _check_adaptation(recognizer, bool(speaker_clips))
    features = list(recognizer.features.values())
    clips, problems = _usable(paths, action_units, features, store, workers)
    unused: tuple[Problem, ...] = ()
    if speaker_clips:
        clips = _of_one_speaker(clips)
        try:
            known, unused = _usable(speaker_clips, action_units, features, store, workers)
        except CorpusError as error:
            raise CorpusError(f"--speaker-clips cannot be used: {error}") from None
        adaptation = SpeakerAdaptation(store, _of_one_speaker(known), missing_ok=True)
        try:
            adaptation.check_enough(_SPEAKER, features)
        except FeatureError:
            raise FeatureError(
                f"--speaker-clips holds {len(known)} readable clips; to know what is usual for the "
                f"speaker, at least {MIN_CLIPS} must have a face, or sound, or what else the "
                "recogniser reads. Give more clips, or do without adaptation."
            ) from None
        recognizer.take_features_from(adaptation)
    try:
        prediction = recognizer.predict(clips) if clips else None
    except ClipError as error:  # asked again without the clips that do not fit
        problems = (*problems, *(Problem(name, why) for name, why in error.reasons.items()))
        clips = tuple(clip for clip in clips if clip.clip_id not in error.reasons)
        prediction = recognizer.predict(clips) if clips else None
    adapted = ADAPTED_PREDICTIONS if speaker_clips else ""
    return OwnClips(clips, prediction, problems, unused, adapted)


def _usable(
    paths: Sequence[Path],
    action_units: Path | None,
    features: Sequence[Feature],
    store: FeatureStore,
    workers: int,
) -> tuple[tuple[Clip, ...], tuple[Problem, ...]]:
    """Clips whose features are all there, and the files that are of no use."""
    found = load_clips(paths)
    if action_units is not None:
        found = attach_action_units(replace(found, clips=_with_names(found.clips)), action_units)
    prepared = store.prepare(found.clips, features, workers=workers)
    unreadable = (Problem(failure.clip.clip_id, failure.reason) for failure in prepared.failures)
    return prepared.clips, (*found.problems, *unreadable)


def _of_one_speaker(clips: Sequence[Clip]) -> tuple[Clip, ...]:
    return tuple(replace(clip, speaker=_SPEAKER) for clip in clips)


def _check_adaptation(recognizer: Recognizer, given: bool) -> None:
    needed = bool(recognizer.card.get("adapt"))
    if needed and not given:
        raise SettingsError(
            "This recogniser was trained on features brought to each speaker's own scale. Name a "
            "folder of other clips of the same speaker with --speaker-clips."
        )
    if given and not needed:
        raise SettingsError(
            "This recogniser was trained without speaker adaptation, so --speaker-clips is of no "
            "use to it. Leave it out, or train with --adapt speaker."
        )


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
