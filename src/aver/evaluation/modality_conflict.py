"""`predict_incongruent`: which modality wins where voice and face tell different emotions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import CheckpointError, SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import SpeakerSums, divide, sum_by_speaker
from aver.execution.progress import progress_bar
from aver.features.speaker_adaptation import SpeakerAdaptation
from aver.features.store import FeatureSource
from aver.models.base.recognizer import load_recognizer


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
    return SpeakerAdaptation(source, tuple(clips), missing_ok=True)


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


OFFSETS_S = (-1.0, -0.5, -0.2, -0.1, 0.0, 0.1, 0.2, 0.5, 1.0)


def shift_audio(
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
    predictions = {offset_s: np.full_like(run.probabilities, np.nan) for offset_s in offsets_s}
    with progress_bar("Moving the sound", len(parts_of(run)) * len(predictions)) as bar:
        for recognizer, rows, columns in fold_recognizers(run, folder, store):
            asked = [by_id[run.clip_ids[row]].without_labels() for row in rows]
            for offset_s, probabilities in predictions.items():
                probabilities[rows] = 0.0
                found = recognizer.with_offset(offset_s).predict_proba(asked)
                probabilities[np.ix_(rows, columns)] = found
                bar.advance()
    return {
        offset_s: run.with_predictions(probabilities, system=f"{run.system}, audio {offset_s:+g} s")
        for offset_s, probabilities in predictions.items()
    }


Side = Literal["voice", "face", "any"]
Followed = Literal["voice", "face", "neither"]


@dataclass(frozen=True)
class Incongruent:
    """Answers for clips whose voice and face come from different performances.

    Parameters
    ----------
    classes : tuple of str
    speakers : tuple of str
        Per clip.
    voice, face, prediction : tuple of str
        Per clip, the emotion of its voice, of its face, and what was answered.
    """

    classes: tuple[str, ...]
    speakers: tuple[str, ...]
    voice: tuple[str, ...]
    face: tuple[str, ...]
    prediction: tuple[str, ...]

    def chosen(self, side: Side, label: str = "") -> np.ndarray:
        """Which clips have a voice, or a face, of an emotion: bool (clips,); all for ``"any"``."""
        if side == "any":
            return np.ones(len(self.prediction), bool)
        return np.array(self.voice if side == "voice" else self.face) == label

    def follows(self, what: Followed) -> np.ndarray:
        """Which answers are the voice's emotion, the face's, or neither's: bool (clips,)."""
        prediction = np.array(self.prediction)
        voice, face = prediction == np.array(self.voice), prediction == np.array(self.face)
        return {"voice": voice, "face": face, "neither": ~(voice | face)}[what]


def share_following(
    found: Sequence[Incongruent], what: Followed, side: Side = "any", label: str = ""
) -> SpeakerSums:
    """Share of the answers that follow the voice, the face or neither, kept apart by speaker.

    Parameters
    ----------
    found : sequence of Incongruent
        The same clips, answered by the runs of several seeds.
    what : {"voice", "face", "neither"}
    side : {"voice", "face", "any"}
        Count the clips whose voice, or face, is of the emotion `label`; or all clips.
    label : str
        Without meaning for ``"any"``.
    """
    speakers = tuple(sorted(set(found[0].speakers)))
    sums = np.zeros((len(speakers), 2))
    for one in found:
        index = np.array([speakers.index(speaker) for speaker in one.speakers])
        counted = one.chosen(side, label)
        rows = np.stack([counted & one.follows(what), counted], axis=1).astype(float)
        sums += sum_by_speaker(index, len(speakers), rows)
    return SpeakerSums(
        f"share of answers by {what}", speakers, sums, lambda s: divide(s[..., 0], s[..., 1])
    )


def mix_clips(clips: Sequence[Clip]) -> list[tuple[Clip, Clip, Clip]]:
    """Give every voice the faces of the same speaker's other emotions, one clip of each.

    Of an emotion the face of the same sentence is taken, where there is one.

    Parameters
    ----------
    clips : sequence of Clip
        Labelled; those without a video or a speaker are left out.

    Returns
    -------
    list of (Clip, Clip, Clip)
        The mixed clip, without labels, and the clips of its voice and of its face.
    """
    seen: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.video is not None and clip.speaker is not None and clip.emotion is not None:
            seen[clip.speaker].append(clip)
    mixed = []
    for own in seen.values():
        for voice in own:
            others = sorted({str(clip.emotion) for clip in own} - {str(voice.emotion)})
            for emotion in others:
                faces = [clip for clip in own if clip.emotion == emotion]
                face = next((f for f in faces if f.sentence == voice.sentence), faces[0])
                both = replace(
                    voice.without_labels(),
                    clip_id=f"{voice.clip_id} seen as {face.clip_id}",
                    performance="",
                    audio=voice.audio or voice.video,
                    video=face.video,
                )
                mixed.append((both, voice, face))
    return mixed


def predict_incongruent(
    run: Evaluation, folder: Path, clips: Sequence[Clip], store: FeatureSource
) -> Incongruent:
    """Let the recognisers of a finished run answer for mixed clips of their own test speakers.

    Nothing is trained: each fold's checkpoint answers for voices and faces of its test clips.

    Parameters
    ----------
    run : Evaluation
        The run as it was.
    folder : Path
        Its run folder, with the checkpoints.
    clips : sequence of Clip
        Of the corpus; those that were tested must be among them.
    store : FeatureSource

    Raises
    ------
    SettingsError
        If no speaker has films of two emotions.
    CheckpointError
        If a fold kept no checkpoint, or a tested clip is not among `clips`.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, section VII, names incongruent data as future work.
    """
    by_id = tested_clips(run, clips)
    source = as_adapted(run, store, by_id.values())
    found: list[tuple[str, str, str, str]] = []
    with progress_bar("Mixing voices and faces", len(parts_of(run))) as bar:
        for recognizer, rows, _ in fold_recognizers(run, folder, source):
            mixed = mix_clips([by_id[run.clip_ids[row]] for row in rows])
            if mixed:
                predictions = recognizer.predict([clip for clip, _, _ in mixed]).labels
                found += [
                    (str(voice.speaker), str(voice.emotion), str(face.emotion), prediction)
                    for (_, voice, face), prediction in zip(mixed, predictions, strict=True)
                ]
            bar.advance()
    if not found:
        raise SettingsError(
            "No test speaker has videos of two emotions, so voice and face cannot be mixed. Use a "
            "corpus with video."
        )
    speakers, voices, faces, said = zip(*found, strict=True)
    return Incongruent(run.classes, speakers, voices, faces, said)
