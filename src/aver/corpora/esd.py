"""ESD: ten Mandarin and ten English speakers, 350 sentences each, in five emotions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo
from aver.corpora.files import find_named, read_lines
from aver.corpora.named_files import NamedFilesReader
from aver.errors import LabelError
from aver.settings import settings

_SENTENCES = 350
_BY_NUMBER = ("neutral", "angry", "happy", "sad", "surprised")
"""Emotions in the order of the numbers of the utterances, 350 each."""
_SUBSETS = {"train": "train", "evaluation": "validation", "test": "test"}
_FEMALE = ("0001", "0002", "0003", "0007", "0009", "0015", "0016", "0017", "0018", "0019")


@settings
class ESD(NamedFilesReader):
    """Reads ESD: the speaker and the number of the utterance, from the file names.

    The emotion is that of the folder, or of the number if no folder is named after an emotion. The
    five utterances of one sentence by one speaker share `Clip.sentence` with those of all speakers
    of the language (0001 to 0010 Mandarin, 0011 to 0020 English). Subsets are those of the folders
    ``train``, ``evaluation`` and ``test``, if they exist: they share all speakers. The tables
    (``0001/0001.txt``), which are in several encodings, name the clips that a copy lacks.

    Notes
    -----
    Source: Zhou et al. (2022), section 4; ``ReadMe.txt`` of the corpus.
    """

    name = "esd"
    path_pattern = (
        r"(?i)(^|/)(?P<speaker>00[0-2]\d)_(?P<number>\d{6})\.(wav|flac|mp3|ogg|opus|m4a)$"
    )
    codes: ClassVar = {
        "neutral": "neutral",
        "angry": "angry",
        "happy": "happy",
        "sad": "sad",
        "surprise": "surprised",
    }
    info = CorpusInfo(
        title="ESD, the Emotional Speech Dataset",
        license="for research, after signing its license",
        citation=(
            "Zhou, K., Sisman, B., Liu, R., & Li, H. (2022). Emotional voice conversion: Theory, "
            "databases and ESD. Speech Communication 137, 1-18. doi:10.1016/j.specom.2021.11.006"
        ),
        url="https://github.com/HLTSingapore/Emotional-Speech-Data",
        tree=(
            "ESD/\n"
            "  0001/Angry/0001_000351.wav          speaker/emotion/speaker_number\n"
            "  0001/Angry/train/0001_000351.wav    (first edition, with subsets)\n"
            "  0001/0001.txt                       number, text, emotion"
        ),
        example="0001/Angry/0001_000351.wav",
    )

    def describe(self, match: re.Match[str], place: Path) -> Clip:
        """The clip of an utterance."""
        speaker, number = match["speaker"], int(match["number"])
        folders = [folder.lower() for folder in place.parts[:-1]]
        emotions = [self.codes[folder] for folder in folders if folder in self.codes]
        block = (number - 1) // _SENTENCES
        if not emotions and not 0 <= block < len(_BY_NUMBER):
            raise LabelError(
                f"No folder of {place.as_posix()} is named after an emotion, and utterances have "
                f"the numbers 1 to {_SENTENCES * len(_BY_NUMBER)}, not {number}."
            )
        language = "mandarin" if int(speaker) <= 10 else "english"
        return Clip(
            clip_id=place.stem,
            speaker=speaker,
            emotion=emotions[-1] if emotions else _BY_NUMBER[block],
            sex="female" if speaker in _FEMALE else "male",
            sentence=f"{language}-{(number - 1) % _SENTENCES + 1:03d}",
            subset=next((_SUBSETS[folder] for folder in folders if folder in _SUBSETS), None),
        )

    def missing(self, corpus: Corpus) -> tuple[str, ...]:
        """Utterances that the speakers' tables name and that were not found."""
        lines = [
            line for table in find_named(corpus.root, r"00\d\d\.txt") for line in read_lines(table)
        ]
        named = (re.match(r"\s*(00\d\d_\d{6})\b", line) for line in lines)
        return tuple(sorted({m[1] for m in named if m and m[1] not in corpus.by_id}))
