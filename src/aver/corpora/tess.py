"""TESS: two Canadian actresses speak 200 words in seven emotions."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from aver.corpora.clip import Clip
from aver.corpora.corpus import CorpusInfo
from aver.corpora.named_files import NamedFilesReader
from aver.settings import settings


@settings
class Tess(NamedFilesReader):
    """Reads TESS by its file names: speaker, word, emotion.

    ``ps`` is pleasant surprise. One name lacks a letter (``OA_bite_neutral``). The copy on Kaggle
    has every file twice; the second one is listed.

    Notes
    -----
    Source: Pichora-Fuller & Dupuis (2020), and the published file names. OAF is the older (64 years
    old), YAF the younger actress (26).
    """

    name = "tess"
    path_pattern = r"(?i)(^|/)(?P<speaker>OAF?|YAF)_(?P<sentence>[a-z]+)_(?P<emotion>[a-z]+)\.\w+$"
    codes: ClassVar = {
        "angry": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happy": "happy",
        "neutral": "neutral",
        "ps": "surprised",
        "sad": "sad",
    }
    info = CorpusInfo(
        title="TESS, the Toronto Emotional Speech Set",
        license="CC BY-NC-ND 4.0",
        citation=(
            "Pichora-Fuller, M. K., & Dupuis, K. (2020). Toronto emotional speech set (TESS). "
            "Borealis. doi:10.5683/SP2/E8H2MF"
        ),
        url="https://doi.org/10.5683/SP2/E8H2MF",
        tree=(
            "TESS/\n"
            "  OAF_angry/OAF_back_angry.wav    speaker_word_emotion\n"
            "  YAF_pleasant_surprised/YAF_back_ps.wav"
        ),
        example="OAF_angry/OAF_back_angry.wav",
    )

    def identify(self, match: re.Match[str], place: Path) -> str:
        """The name with the complete code of the speaker."""
        return "_".join((_speaker(match), match["sentence"].lower(), match["emotion"].lower()))

    def describe(self, match: re.Match[str], place: Path) -> Clip:
        """The clip, with the complete code of the speaker."""
        clip = super().describe(match, place)
        return replace(
            clip, speaker=_speaker(match), sex="female", sentence=match["sentence"].lower()
        )


def _speaker(match: re.Match[str]) -> str:
    return "YAF" if match["speaker"].upper() == "YAF" else "OAF"
