"""`join_by_class`: voices with faces of other people that express the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import LabelError


def join_by_class(
    faces: Sequence[Clip], voices: Sequence[Clip], pictures_per_voice: int, seed: int
) -> list[Clip]:
    """Give each voice faces of its own class, drawn without repetition while there are enough.

    Parameters
    ----------
    faces, voices : sequence of Clip
        With the same set of emotions.
    pictures_per_voice : int >= 1
    seed : int

    Returns
    -------
    list of Clip
        ``pictures_per_voice`` for each voice; ids, speaker and sound are the voice's.
    """
    rng = np.random.default_rng([seed, len(faces), len(voices)])
    by_class: dict[str, list[Clip]] = defaultdict(list)
    for clip in faces:
        by_class[str(clip.emotion)].append(clip)
    heaps: dict[str, list[Clip]] = defaultdict(list)
    joined = []
    for voice in voices:
        emotion = str(voice.emotion)
        if not by_class[emotion]:
            raise LabelError(f"No face shows {emotion!r}, so voices that do find no partner.")
        for number in range(pictures_per_voice):
            if not heaps[emotion]:
                known = by_class[emotion]
                heaps[emotion] = [known[i] for i in rng.permutation(len(known))]
            face = heaps[emotion].pop()
            joined.append(
                replace(
                    voice,
                    clip_id=f"{voice.clip_id}+{face.clip_id}",
                    video=face.video,
                    performance=voice.performance if number == 0 else "",
                    units=None,
                )
            )
    return joined
