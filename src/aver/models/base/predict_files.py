"""`predict_files`: predict a user's own files; unreadable files are skipped and listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, Problem
from aver.corpora.speaker_names import name_speakers
from aver.corpora.user_files import attach_action_units, load_clips
from aver.errors import AverError, ClipError, CorpusError, FeatureError, SettingsError
from aver.execution.clip_work import clip_work
from aver.features.feature import Feature
from aver.features.speaker_adaptation import ENOUGH_CLIPS, MIN_CLIPS, SpeakerAdaptation
from aver.features.store import NOT_ABOUT_ONE_CLIP, FeatureStore
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import Recognizer

ADAPTED_PREDICTIONS = "uses unlabelled clips of the speaker"
"""Remark on predictions with speaker adaptation."""

_SPEAKER = "speaker"  # of all clips, if they are of one person


@dataclass(frozen=True)
class FilePredictions:
    """Predictions for a user's files, and the files that could not be used.

    Parameters
    ----------
    clips : tuple of Clip
        The predicted clips, in the order given; with their speakers if `speaker_by` names them.
    prediction : Prediction or None
        For these clips; None if there is none.
    problems : tuple of Problem
        Files that could not be read, do not fit the recognizer, or have no speaker or one with too
        few clips to adapt to, with the reason.
    unused : tuple of Problem
        Other clips of the speaker that could not be read and were not used for adaptation.
    adaptation : str
        `ADAPTED_PREDICTIONS` if the predictions use other clips of the speaker, else empty.
    notes : tuple of str
        Sentences on files in the folders that are no media by their suffixes.
    """

    clips: tuple[Clip, ...]
    prediction: Prediction | None
    problems: tuple[Problem, ...]
    unused: tuple[Problem, ...] = ()
    adaptation: str = ""
    notes: tuple[str, ...] = ()


def predict_files(
    recognizer: Recognizer,
    paths: Sequence[Path],
    store: FeatureStore,
    workers: int = 1,
    *,
    action_units: Path | None = None,
    speaker_clips: Sequence[Path] = (),
    speaker_by: str = "",
    video_stream: int | None = None,
    audio_stream: int | None = None,
) -> FilePredictions:
    """Predict files and folders.

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
        has none there is predicted without them. They include those of `speaker_clips`.
    speaker_clips : sequence of Path
        Files and folders with other clips of the one speaker of all `paths`, without labels. A
        recognizer that was trained with speaker adaptation needs them or `speaker_by`, any other
        refuses both. A modality that fewer than 4 of them have is not used, and the clips are
        flagged; they are also flagged if fewer than 8 have it.
    speaker_by : str
        How to read the speaker of each file, see `aver.corpora.speaker_names.name_speakers`: each
        speaker is adapted on all of his or her clips among them. Files of a speaker with fewer
        than 8 usable clips are not predicted; they are among the problems. A modality that fewer
        than 8 clips of a speaker have is not used, and they are flagged.
    video_stream, audio_stream : int, optional
        Streams of `paths` to read, see `aver.media.media_file.MediaFile`; the predictions are
        flagged. Files without such a stream are among the problems.

    Raises
    ------
    CorpusError
        If no path contains a video or audio file, or `action_units` cannot be read or contains none
        of the files, or `speaker_by` gives no file a speaker.
    SettingsError
        If the recognizer needs `speaker_clips` or `speaker_by` and there is none, or the other way
        round, or both are given.
    FeatureError
        If too few of them can be used for any modality.
    """
    _check_adaptation(recognizer, bool(speaker_clips), bool(speaker_by))
    features = list(recognizer.features.values())

    def usable(found: Corpus, by: str = "") -> _Usable:
        return _usable(found, action_units, features, store, workers, by)

    clips, problems, notes = usable(
        _with_streams(load_clips(paths), video_stream, audio_stream), speaker_by
    )
    unused: tuple[Problem, ...] = ()
    if speaker_by:
        adaptation = SpeakerAdaptation(store, clips, missing_ok=True, min_clips=ENOUGH_CLIPS)
        clips, too_few = _with_enough_clips(clips, adaptation, features)
        problems = (*problems, *too_few)
        recognizer.take_features_from(adaptation)
    elif speaker_clips:
        clips = _of_one_speaker(clips)
        try:
            others, unused, _ = usable(load_clips(speaker_clips))
        except CorpusError as error:
            raise CorpusError(f"--speaker-clips cannot be used: {error}") from None
        adaptation = SpeakerAdaptation(store, _of_one_speaker(others), missing_ok=True)
        try:
            adaptation.check_enough(_SPEAKER, features)
        except FeatureError:
            raise FeatureError(
                f"--speaker-clips holds {len(others)} readable clips; speaker adaptation needs at "
                f"least {MIN_CLIPS} with a face, audio, or another modality that the recognizer "
                "reads. Give more clips, or use a recognizer without adaptation."
            ) from None
        recognizer.take_features_from(adaptation)
    clips, prediction, failed = _predict(recognizer, clips)
    problems = (*problems, *failed)
    adapted = ADAPTED_PREDICTIONS if speaker_clips or speaker_by else ""
    if speaker_clips:
        clips = tuple(replace(clip, speaker=None) for clip in clips)  # the speaker is unknown
    return FilePredictions(clips, prediction, problems, unused, adapted, notes)


_Usable = tuple[tuple[Clip, ...], tuple[Problem, ...], tuple[str, ...]]


def _with_streams(files: Corpus, video: int | None, audio: int | None) -> Corpus:
    clips = (replace(clip, video_stream=video, audio_stream=audio) for clip in files.clips)
    return replace(files, clips=tuple(clips))


def _usable(
    found: Corpus,
    action_units: Path | None,
    features: Sequence[Feature],
    store: FeatureStore,
    workers: int,
    speaker_by: str,
) -> _Usable:
    """Clips with all their features, the files that cannot be used, and notes."""
    if speaker_by:
        found = name_speakers(found, speaker_by)
    if action_units is not None:
        found = attach_action_units(replace(found, clips=_with_names(found.clips)), action_units)
    prepared = store.prepare(found.clips, features, workers=workers)
    unreadable = (Problem(failure.clip.clip_id, failure.reason) for failure in prepared.failures)
    return prepared.clips, (*found.problems, *unreadable), found.notes


def _predict(
    recognizer: Recognizer, clips: tuple[Clip, ...]
) -> tuple[tuple[Clip, ...], Prediction | None, tuple[Problem, ...]]:
    """Predict the clips; again without those that fail, if any do.

    A clip may not fit the recognizer, its file may have vanished since it was read, or it meets an
    error of a library or of aver that the others do not meet.
    """
    try:
        return clips, recognizer.predict(clips) if clips else None, ()
    except ClipError as error:
        reasons = error.reasons
    except NOT_ABOUT_ONE_CLIP:
        raise
    except Exception:
        reasons = _failing(recognizer, clips)
        if not reasons:
            raise
    kept = tuple(clip for clip in clips if clip.clip_id not in reasons)
    problems = tuple(Problem(name, why) for name, why in reasons.items())
    return kept, recognizer.predict(kept) if kept else None, problems


def _failing(recognizer: Recognizer, clips: Sequence[Clip]) -> dict[str, str]:
    """The clips that cannot be predicted by themselves, with the reason."""
    reasons: dict[str, str] = {}
    for clip in clips:
        try:
            with clip_work(clip.video or clip.audio or clip.clip_id):
                recognizer.predict([clip])
        except NOT_ABOUT_ONE_CLIP:
            raise
        except AverError as error:
            reasons[clip.clip_id] = str(error)
    return reasons


def _of_one_speaker(clips: Sequence[Clip]) -> tuple[Clip, ...]:
    return tuple(replace(clip, speaker=_SPEAKER) for clip in clips)


def _with_enough_clips(
    clips: Sequence[Clip], adaptation: SpeakerAdaptation, features: Sequence[Feature]
) -> tuple[tuple[Clip, ...], tuple[Problem, ...]]:
    """The clips of speakers to whom some modality can be adapted, and the others."""
    counts = Counter(clip.speaker or "" for clip in clips)
    reasons: dict[str, str] = {}
    for speaker, count in counts.items():
        try:
            adaptation.check_enough(speaker, features)
        except FeatureError:
            reasons[speaker] = (
                f"The speaker {speaker!r} has {count} readable clip{'s' if count > 1 else ''}; "
                f"--speaker-by needs at least {ENOUGH_CLIPS} with a face, audio, or another "
                "modality that the recognizer reads."
            )
    return (
        tuple(clip for clip in clips if clip.speaker not in reasons),
        tuple(
            Problem(clip.clip_id, reasons[clip.speaker or ""])
            for clip in clips
            if clip.speaker in reasons
        ),
    )


def _check_adaptation(recognizer: Recognizer, other_clips: bool, by: bool) -> None:
    needed = bool(recognizer.card.get("adapt"))
    if other_clips and by:
        raise SettingsError(
            "--speaker-clips gives the other clips of one speaker and --speaker-by finds those of "
            "every speaker among the files themselves. Give one of them."
        )
    if needed and not (other_clips or by):
        raise SettingsError(
            "This recognizer was trained with speaker adaptation. Name a folder of other clips of "
            "the same speaker with --speaker-clips, or say with --speaker-by how the files tell "
            "their speakers."
        )
    if (other_clips or by) and not needed:
        raise SettingsError(
            "This recognizer was trained without speaker adaptation and cannot use "
            f"{'--speaker-by' if by else '--speaker-clips'}. Leave it out, or train with --adapt "
            "speaker."
        )


def _with_names(clips: Sequence[Clip]) -> tuple[Clip, ...]:
    """Clips with shorter names for tables of action units, where these name no other clip."""
    paths: dict[str, set[str]] = {}
    for clip in clips:
        paths.setdefault(_stem(clip), set()).add(_without_suffix(clip))
    return tuple(
        replace(
            clip,
            aliases=(_without_suffix(clip), PurePosixPath(clip.clip_id).name, _stem(clip))
            if len(paths[_stem(clip)]) == 1
            else (_without_suffix(clip),),
        )
        for clip in clips
    )


def _stem(clip: Clip) -> str:
    return PurePosixPath(clip.clip_id).stem


def _without_suffix(clip: Clip) -> str:
    return str(PurePosixPath(clip.clip_id).with_suffix(""))
