"""URDU: 400 utterances of 38 speakers from Urdu talk shows, in four emotions."""

from __future__ import annotations

from typing import ClassVar

from aver.corpora.corpus import CorpusInfo
from aver.corpora.named_files import NamedFilesReader
from aver.settings import settings


@settings
class Urdu(NamedFilesReader):
    """Reads URDU by its file names: sex and speaker, number of the file, emotion.

    Most speakers have utterances of one emotion only, so that a recognizer of speakers does well
    unless speakers are kept apart.

    Notes
    -----
    Source: Latif et al. (2018), section 3; the file names of
    https://github.com/siddiquelatif/URDU-Dataset.
    """

    name = "urdu"
    path_pattern = (
        r"(^|/)(?P<speaker>S(?P<sex>[MF])\d{1,2})_F\d{1,2}_(?P<emotion>[A-Z])0\d{1,3}\.\w+$"
    )
    codes: ClassVar = {"a": "angry", "h": "happy", "n": "neutral", "s": "sad"}
    sexes: ClassVar = {"f": "female", "m": "male"}
    info = CorpusInfo(
        title="URDU, a spontaneous Urdu emotional speech dataset",
        license="none stated by its authors",
        citation=(
            "Latif, S., Qayyum, A., Usman, M., & Qadir, J. (2018). Cross Lingual Speech Emotion "
            "Recognition: Urdu vs. Western Languages. International Conference on Frontiers of "
            "Information Technology (FIT), 88-93. arXiv:1812.10411"
        ),
        url="https://github.com/siddiquelatif/URDU-Dataset",
        tree=(
            "URDU-Dataset/\n"
            "  Angry/SM1_F10_A010.wav    speaker (SM: male, SF: female), file, emotion\n"
            "  Happy/ Neutral/ Sad/"
        ),
        example="Angry/SM1_F10_A010.wav",
    )
