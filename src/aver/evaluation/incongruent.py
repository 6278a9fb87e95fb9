"""`predict_incongruent`: whether predictions follow the voice or the face if they disagree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import SpeakerSums, divide, sum_by_speaker
from aver.evaluation.predict_again import (
    adapted_source,
    fold_recognizers,
    tested_clips,
    trainings,
)
from aver.execution.progress import progress_bar
from aver.features.store import FeatureSource

Side = Literal["voice", "face", "any"]
Followed = Literal["voice", "face", "neither"]


@dataclass(frozen=True)
class Incongruent:
    """Predictions for clips whose voice and face come from different performances.

    Parameters
    ----------
    classes : tuple of str
    speakers : tuple of str
        Per clip.
    voice, face, prediction : tuple of str
        Per clip, the emotion of its voice, of its face, and the predicted one.
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

    def follows(self, followed: Followed) -> np.ndarray:
        """Which predictions are the voice's emotion, the face's, or neither: bool (clips,)."""
        prediction = np.array(self.prediction)
        voice, face = prediction == np.array(self.voice), prediction == np.array(self.face)
        return {"voice": voice, "face": face, "neither": ~(voice | face)}[followed]


def predict_incongruent(
    run: Evaluation, folder: Path, clips: Sequence[Clip], source: FeatureSource
) -> Incongruent:
    """Let the recognizers of a finished run predict mixed clips of their own test speakers.

    Nothing is trained: each fold's checkpoint predicts voices and faces of its test clips.

    Parameters
    ----------
    run : Evaluation
    folder : Path
        Its run folder, with the checkpoints.
    clips : sequence of Clip
        Of the corpus; all tested clips must be among them.
    source : FeatureSource

    Raises
    ------
    SettingsError
        If no speaker has videos of two emotions.
    CheckpointError
        If a fold kept no checkpoint, or a tested clip is not among `clips`.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, section VII, names incongruent data as future work.
    """
    by_id = tested_clips(run, clips)
    source = adapted_source(run, source, by_id.values())
    rows: list[tuple[str, str, str, str]] = []
    with progress_bar("Mixing voices and faces", len(trainings(run))) as bar:
        for recognizer, tested, _ in fold_recognizers(run, folder, source):
            mixed = mix_clips([by_id[run.clip_ids[row]] for row in tested])
            if mixed:
                predictions = recognizer.predict_all([clip for clip, _, _ in mixed]).labels
                rows += [
                    (str(voice.speaker), str(voice.emotion), str(face.emotion), prediction)
                    for (_, voice, face), prediction in zip(mixed, predictions, strict=True)
                ]
            bar.advance()
    if not rows:
        raise SettingsError(
            "No test speaker has videos of two emotions, so voice and face cannot be mixed. Use a "
            "corpus with video."
        )
    speakers, voices, faces, predicted = zip(*rows, strict=True)
    return Incongruent(run.classes, speakers, voices, faces, predicted)


def mix_clips(clips: Sequence[Clip]) -> list[tuple[Clip, Clip, Clip]]:
    """Combine every voice with faces of the same speaker's other emotions, one clip of each.

    Of each emotion the face of the same sentence is taken, if there is one.

    Parameters
    ----------
    clips : sequence of Clip
        Labeled; those without a video or a speaker are left out.

    Returns
    -------
    list of (Clip, Clip, Clip)
        The mixed clip, without labels, and the clips of its voice and of its face.
    """
    by_speaker: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.video is not None and clip.speaker is not None and clip.emotion is not None:
            by_speaker[clip.speaker].append(clip)
    mixed = []
    for own in by_speaker.values():
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


def share_following(
    predictions: Sequence[Incongruent], followed: Followed, side: Side = "any", label: str = ""
) -> SpeakerSums:
    """Share of the predictions that follow the voice, the face or neither, by speaker.

    Parameters
    ----------
    predictions : sequence of Incongruent
        For the same clips, from the runs of several seeds.
    followed : {"voice", "face", "neither"}
    side : {"voice", "face", "any"}
        Count the clips whose voice, or face, is of the emotion `label`; or all clips.
    label : str
        Ignored for ``"any"``.
    """
    speakers = tuple(sorted(set(predictions[0].speakers)))
    sums = np.zeros((len(speakers), 2))
    for one in predictions:
        index = np.array([speakers.index(speaker) for speaker in one.speakers])
        counted = one.chosen(side, label)
        rows = np.stack([counted & one.follows(followed), counted], axis=1).astype(float)
        sums += sum_by_speaker(index, len(speakers), rows)
    return SpeakerSums(
        f"share of predictions that follow the {followed}",
        speakers,
        sums,
        lambda s: divide(s[..., 0], s[..., 1]),
    )
