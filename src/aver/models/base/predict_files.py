"""`predict_files`: predict files and data in memory; one row for each, unreadable ones included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, Problem
from aver.corpora.speaker_names import name_speakers
from aver.corpora.user_files import UserFile, attach_action_units, load_clips
from aver.errors import AverError, ClipError, CorpusError, FeatureError, SettingsError
from aver.execution.clip_work import clip_work
from aver.features.feature import Feature
from aver.features.speaker_adaptation import ENOUGH_CLIPS, MIN_CLIPS, SpeakerAdaptation
from aver.features.store import NOT_ABOUT_ONE_CLIP, FeatureSource, FeatureStore
from aver.models.base.prediction import Prediction
from aver.models.base.sources import Sources, open_sources

if TYPE_CHECKING:
    import pandas as pd

ADAPTED_PREDICTIONS = "uses unlabelled clips of the speaker"
"""Remark on predictions with speaker adaptation."""

_SPEAKER = "speaker"  # of all clips, if they are of one person


class Predictor(Protocol):
    """What `predict_files` needs of a trained `aver.models.base.recognizer.Recognizer`."""

    @property
    def features(self) -> Mapping[str, Feature]:
        """Modality to the feature that it reads."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Emotions that it tells apart."""
        ...

    @property
    def card(self) -> dict[str, Any]:
        """Facts for the model card."""
        ...

    def with_features_from(self, source: FeatureSource) -> Self:
        """The same with another source of features."""
        ...

    def predict_clips(self, clips: Sequence[Clip]) -> Prediction:
        """Predict clips whose features can be computed."""
        ...


@dataclass(frozen=True, repr=False)
class FilePredictions:
    """Predictions for a user's files, one row per file in the order given.

    Printed, it is a short table.

    Parameters
    ----------
    files : tuple of UserFile
        The files, in the order given; those of a folder by their paths.
    clips : tuple of Clip or None
        The clip of each file, with its speaker if `speaker_by` names it; None if the file could not
        be used.
    prediction : Prediction
        A row per file. A file that could not be used has no emotion, NaN, and the reason among its
        flags.
    problems : tuple of Problem
        Files that could not be read, do not fit the recognizer, or have no speaker or one with too
        few clips to adapt to, each once, with the reason; and remarks on folders.
    unused : tuple of Problem
        Other clips of the speaker that could not be read and were not used for adaptation.
    adaptation : str
        `ADAPTED_PREDICTIONS` if the predictions use other clips of the speaker, else empty.
    notes : tuple of str
        Sentences on files in the folders that are no media by their suffixes.
    """

    files: tuple[UserFile, ...]
    clips: tuple[Clip | None, ...]
    prediction: Prediction
    problems: tuple[Problem, ...] = ()
    unused: tuple[Problem, ...] = ()
    adaptation: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.files)

    def __repr__(self) -> str:
        return repr(self.prediction)

    def _repr_html_(self) -> str:
        return self.prediction._repr_html_()

    def to_frame(self) -> pd.DataFrame:
        """One row per file in the order given.

        Returns
        -------
        pd.DataFrame
            As `Prediction.to_frame`, with ``speaker`` behind ``clip`` if speakers are known, and
            ``adaptation`` at the end if the predictions are adapted.
        """
        table = self.prediction.to_frame()
        speakers = [clip.speaker or "" if clip else "" for clip in self.clips]
        if any(speakers):
            table.insert(table.columns.get_loc("clip") + 1, "speaker", speakers)
        if self.adaptation:
            table["adaptation"] = [self.adaptation if clip else "" for clip in self.clips]
        return table


def predict_files(
    recognizer: Predictor,
    paths: Any,
    store: FeatureStore,
    workers: int = 1,
    *,
    action_units: Path | None = None,
    speaker_clips: Sequence[Path] = (),
    speaker_by: str = "",
    video_stream: int | None = None,
    audio_stream: int | None = None,
) -> FilePredictions:
    """Predict files, folders and data in memory.

    Parameters
    ----------
    recognizer : Predictor
        A trained one; it stays as it is, so that threads can share it.
    paths : object
        Anything that `aver.models.base.sources.open_sources` takes.
    store : FeatureStore
        If there are data in memory, nothing is taken from it or added to it.
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
        If `action_units` cannot be read or contains none of the files, or `speaker_by` gives no
        file a speaker.
    SettingsError
        If there is nothing to predict. If the recognizer needs `speaker_clips` or `speaker_by` and
        there is none, or the other way round, or both are given.
    FeatureError
        If too few of them can be used for any modality.
    """
    _check_adaptation(recognizer, bool(speaker_clips), bool(speaker_by))
    features = list(recognizer.features.values())
    with open_sources(paths) as sources:
        if sources.folder:
            store = FeatureStore(sources.folder / "cache")

        def usable(found: Corpus, by: str = "") -> _Usable:
            return _usable(found, action_units, features, store, workers, by)

        chosen = _with_streams(sources.corpus, video_stream, audio_stream)
        clips, problems, notes = usable(chosen, speaker_by)
        unused: tuple[Problem, ...] = ()
        source: FeatureSource = store
        if speaker_by:
            source = SpeakerAdaptation(store, clips, missing_ok=True, min_clips=ENOUGH_CLIPS)
            clips, too_few = _with_enough_clips(clips, source, features)
            problems = (*problems, *too_few)
        elif speaker_clips:
            clips = _of_one_speaker(clips)
            try:
                others, unused, _ = usable(load_clips(speaker_clips))
            except CorpusError as error:
                raise CorpusError(f"--speaker-clips cannot be used: {error}") from None
            source = SpeakerAdaptation(store, _of_one_speaker(others), missing_ok=True)
            try:
                source.check_enough(_SPEAKER, features)
            except FeatureError:
                raise FeatureError(
                    f"--speaker-clips holds {len(others)} readable clips; speaker adaptation needs "
                    f"at least {MIN_CLIPS} with a face, audio, or another modality that the "
                    "recognizer reads. Give more clips, or use a recognizer without adaptation."
                ) from None
        predictor = recognizer.with_features_from(source)
        clips, prediction, failed = _predict(predictor, clips)
        problems = (*problems, *failed)
        if speaker_clips:
            clips = tuple(replace(clip, speaker=None) for clip in clips)  # the speaker is unknown
        found = _in_order(sources, clips, prediction, problems, recognizer.classes)
    adapted = ADAPTED_PREDICTIONS if speaker_clips or speaker_by else ""
    return replace(found, unused=unused, adaptation=adapted, notes=notes)


_Usable = tuple[tuple[Clip, ...], tuple[Problem, ...], tuple[str, ...]]


def _with_streams(files: Corpus, video: int | None, audio: int | None) -> Corpus:
    clips = (replace(clip, video_stream=video, audio_stream=audio) for clip in files.clips)
    return replace(files, clips=tuple(clips))


def _in_order(
    sources: Sources,
    clips: Sequence[Clip],
    prediction: Prediction | None,
    problems: Sequence[Problem],
    classes: tuple[str, ...],
) -> FilePredictions:
    """One row per file, in the order given."""
    files = sources.files
    rows = {clip.clip_id: row for row, clip in enumerate(clips)}
    if prediction is None:
        prediction = Prediction((), classes, np.zeros((0, len(classes))))
    shown = {file.clip_id: file.path or file.name for file in files if file.clip_id}
    reasons: dict[str, str] = {}
    for problem in problems:
        reason = problem.reason
        if sources.folder and problem.path in sources.corpus.by_id:
            clip = sources.corpus.by_id[problem.path]  # do not name temporary files
            for path in filter(None, (clip.video, clip.audio)):
                reason = reason.replace(str(path), problem.path)
        reasons.setdefault(problem.path, reason)
    taken = prediction.take([rows.get(file.clip_id) for file in files])
    flags = tuple(
        flags if file.clip_id in rows else (file.reason or reasons[file.clip_id],)
        for file, flags in zip(files, taken.flags, strict=True)
    )
    named = replace(
        taken,
        clip_ids=tuple(file.name for file in files),
        flags=flags,
        paths=tuple(file.path or file.name for file in files),
    )
    return FilePredictions(
        files,
        tuple(clips[rows[file.clip_id]] if file.clip_id in rows else None for file in files),
        named,
        tuple(Problem(shown.get(path, path), reason) for path, reason in reasons.items()),
    )


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
    if action_units is not None and found.clips:
        found = attach_action_units(replace(found, clips=_with_names(found.clips)), action_units)
    prepared = store.prepare(found.clips, features, workers=workers)
    unreadable = (Problem(failure.clip.clip_id, failure.reason) for failure in prepared.failures)
    return prepared.clips, (*found.problems, *unreadable), found.notes


def _predict(
    predictor: Predictor, clips: tuple[Clip, ...]
) -> tuple[tuple[Clip, ...], Prediction | None, tuple[Problem, ...]]:
    """Predict the clips; again without those that fail, if any do.

    A clip may not fit the recognizer, its file may have vanished since it was read, or it meets an
    error of a library or of aver that the others do not meet.
    """
    try:
        return clips, predictor.predict_clips(clips) if clips else None, ()
    except ClipError as error:
        reasons = error.reasons
    except NOT_ABOUT_ONE_CLIP:
        raise
    except Exception:
        reasons = _failing(predictor, clips)
        if not reasons:
            raise
    kept = tuple(clip for clip in clips if clip.clip_id not in reasons)
    problems = tuple(Problem(name, why) for name, why in reasons.items())
    return kept, predictor.predict_clips(kept) if kept else None, problems


def _failing(predictor: Predictor, clips: Sequence[Clip]) -> dict[str, str]:
    """The clips that cannot be predicted by themselves, with the reason."""
    reasons: dict[str, str] = {}
    for clip in clips:
        try:
            with clip_work(clip.video or clip.audio or clip.clip_id):
                predictor.predict_clips([clip])
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


def _check_adaptation(recognizer: Predictor, other_clips: bool, by: bool) -> None:
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
