"""`answer_incongruent`: which modality wins where voice and face tell different emotions."""

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
from aver.evaluation.fold_recognizers import (
    as_adapted,
    fold_recognizers,
    parts_of,
    tested_clips,
)
from aver.evaluation.speaker_sums import SpeakerSums, divide, sum_by_speaker
from aver.execution.progress import progress_bar
from aver.features.store import FeatureSource

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
    voice, face, answer : tuple of str
        Per clip, the emotion of its voice, of its face, and what was answered.
    """

    classes: tuple[str, ...]
    speakers: tuple[str, ...]
    voice: tuple[str, ...]
    face: tuple[str, ...]
    answer: tuple[str, ...]

    def chosen(self, side: Side, label: str = "") -> np.ndarray:
        """Which clips have a voice, or a face, of an emotion: bool (clips,); all for ``"any"``."""
        if side == "any":
            return np.ones(len(self.answer), bool)
        return np.array(self.voice if side == "voice" else self.face) == label

    def follows(self, what: Followed) -> np.ndarray:
        """Which answers are the voice's emotion, the face's, or neither's: bool (clips,)."""
        answer = np.array(self.answer)
        voice, face = answer == np.array(self.voice), answer == np.array(self.face)
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
                    sound=voice.sound or voice.video,
                    video=face.video,
                )
                mixed.append((both, voice, face))
    return mixed


def answer_incongruent(
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
                answers = recognizer.predict([clip for clip, _, _ in mixed]).labels
                found += [
                    (str(voice.speaker), str(voice.emotion), str(face.emotion), answer)
                    for (_, voice, face), answer in zip(mixed, answers, strict=True)
                ]
            bar.advance()
    if not found:
        raise SettingsError(
            "No test speaker has films of two emotions, so that voice and face cannot be mixed. "
            "Use a corpus with pictures."
        )
    speakers, voices, faces, said = zip(*found, strict=True)
    return Incongruent(run.classes, speakers, voices, faces, said)
