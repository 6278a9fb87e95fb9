"""SAVEE: four British men speak 120 sentences each in seven emotions; audio and video."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from aver.corpora.clip import Clip
from aver.corpora.corpus import CorpusInfo
from aver.corpora.files import AUDIO_SUFFIXES, VIDEO_SUFFIXES
from aver.corpora.named_files import NamedFilesReader
from aver.settings import settings


@settings
class Savee(NamedFilesReader):
    """Reads SAVEE: the folder of a speaker with ``a01.wav``, or files like ``DC_a01.wav``.

    The WAV file of ``AudioData`` and the AVI file of ``AudioVisualClip`` are one clip. Each speaker
    has 15 clips of each emotion and 30 neutral ones. Sentences are numbered within an emotion.

    Notes
    -----
    Source: Haq & Jackson (2010); ``AudioData/Info.txt`` of the corpus.
    """

    name = "savee"
    path_pattern = (
        r"(?i)(^|/)(?P<speaker>DC|JE|JK|KL)[_/](?P<emotion>[a-z]{1,2})(?P<sentence>\d\d)\.\w+$"
    )
    suffixes: ClassVar = AUDIO_SUFFIXES | VIDEO_SUFFIXES
    codes: ClassVar = {
        "a": "angry",
        "d": "disgust",
        "f": "fearful",
        "h": "happy",
        "n": "neutral",
        "sa": "sad",
        "su": "surprised",
    }
    sexes: ClassVar = dict.fromkeys(("dc", "je", "jk", "kl"), "male")
    info = CorpusInfo(
        title="SAVEE, Surrey Audio-Visual Expressed Emotion",
        license="free for research, after registration",
        citation=(
            "Haq, S., & Jackson, P. J. B. (2010). Multimodal Emotion Recognition. In W. Wang "
            "(Ed.), Machine Audition: Principles, Algorithms and Systems, 398-423. IGI Global."
        ),
        url="http://kahlan.eps.surrey.ac.uk/savee/",
        tree=(
            "SAVEE/\n"
            "  AudioData/DC/a01.wav           speaker/emotion and sentence\n"
            "  AudioVisualClip/DC/a01.avi\n"
            "  ALL/DC_a01.wav                 (other copies)"
        ),
        example="AudioData/DC/a01.wav",
    )

    def identify(self, match: re.Match[str], place: Path) -> str:
        """The name as in copies without folders: ``DC_a01``."""
        return f"{match['speaker'].upper()}_{match['emotion'].lower()}{match['sentence']}"

    def describe(self, match: re.Match[str], place: Path) -> Clip:
        """The clip, with the sentence among those of its emotion."""
        speaker, _, sentence = self.identify(match, place).partition("_")
        return replace(super().describe(match, place), speaker=speaker, sentence=sentence)
