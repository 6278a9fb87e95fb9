"""ASED: 65 speakers, 27 Amharic sentences, five emotions."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo
from aver.corpora.named_files import NamedFilesReader
from aver.settings import settings


@settings
class Ased(NamedFilesReader):
    """Reads ASED by its file names: emotion, sentence, repetition, sex, speaker.

    One file of each of five speakers has the code of the other sex: the sex of a speaker is that
    of most of his or her files. One name begins with a capital letter.

    Notes
    -----
    Source: Retta et al. (2023), section 3; the file names of
    https://github.com/Ethio2021/ASED_V1. Each emotion has sentences of its own.
    """

    name = "ased"
    path_pattern = (
        r"(?i)(^|/)(?P<emotion>[a-z])(?P<number>[1-5])-(?P<sentence>\d\d)-(?P<take>\d\d)"
        r"-(?P<sex>0[12])-(?P<speaker>\d\d)\.\w+$"
    )
    codes: ClassVar = {"n": "neutral", "f": "fearful", "h": "happy", "s": "sad", "a": "angry"}
    sexes: ClassVar = {"01": "female", "02": "male"}
    info = CorpusInfo(
        title="ASED, the Amharic Speech Emotion Dataset",
        license="none stated by its authors",
        citation=(
            "Retta, E. A., Almekhlafi, E., Sutcliffe, R., Mhamed, M., Ali, H., & Feng, J. (2023). "
            "A New Amharic Speech Emotion Dataset and Classification Benchmark. ACM Transactions "
            "on Asian and Low-Resource Language Information Processing 22(1). "
            "doi:10.1145/3529759"
        ),
        url="https://github.com/Ethio2021/ASED_V1",
        tree=(
            "ASED_V1/\n"
            "  01Neutral/n1-01-01-01-01.wav    emotion-sentence-repetition-sex-speaker\n"
            "  02Fearful/f2-01-01-01-01.wav\n"
            "  03Happy/ 04Sad/ 05Angry/"
        ),
        example="01Neutral/n1-01-01-01-01.wav",
    )

    def read(self, root: Path) -> Corpus:
        """Read the files below `root` and give each speaker one sex."""
        corpus = super().read(root)
        named = Counter((clip.speaker, clip.sex) for clip in corpus)
        # The last of ascending counts: the sex of most files.
        sexes = {
            speaker: sex for (speaker, sex), _ in sorted(named.items(), key=lambda one: one[1])
        }
        return replace(
            corpus, clips=tuple(replace(clip, sex=sexes[clip.speaker]) for clip in corpus)
        )

    def identify(self, match: re.Match[str], place: Path) -> str:
        """The name in lower case."""
        return place.stem.lower()

    def describe(self, match: re.Match[str], place: Path) -> Clip:
        """The clip, with the sentence among those of its emotion."""
        sentence = f"{match['emotion'].lower()}{match['sentence']}"
        return replace(super().describe(match, place), sentence=sentence)
