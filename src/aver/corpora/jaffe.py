"""JAFFE: ten Japanese women pose seven facial expressions in 213 images."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from aver.corpora.clip import Clip
from aver.corpora.corpus import CorpusInfo
from aver.corpora.files import IMAGE_SUFFIXES
from aver.corpora.named_files import NamedFilesReader
from aver.settings import settings


@settings
class Jaffe(NamedFilesReader):
    """Reads JAFFE by its file names: person, posed expression and repetition, running number.

    Notes
    -----
    Source: Lyons et al. (1998); ``README_FIRST.txt`` of the corpus.
    """

    name = "jaffe"
    path_pattern = (
        r"(?i)(^|/)(?P<speaker>[A-Z]{2})\.(?P<emotion>[A-Z]{2})(?P<take>\d)\.\d{1,3}"
        r"\.(tiff?|png|jpe?g|bmp)$"
    )
    suffixes: ClassVar = IMAGE_SUFFIXES
    codes: ClassVar = {
        "an": "angry",
        "di": "disgust",
        "fe": "fearful",
        "ha": "happy",
        "ne": "neutral",
        "sa": "sad",
        "su": "surprised",
    }
    info = CorpusInfo(
        title="JAFFE, the Japanese Female Facial Expression dataset",
        license="for non-commercial scientific research; access on request",
        citation=(
            "Lyons, M., Akamatsu, S., Kamachi, M., & Gyoba, J. (1998). Coding facial expressions "
            "with Gabor wavelets. 3rd IEEE International Conference on Automatic Face and Gesture "
            "Recognition, 200-205. doi:10.1109/AFGR.1998.670949"
        ),
        url="https://zenodo.org/record/3451524",
        tree="jaffe/\n  KA.AN1.39.tiff    person.expression and repetition.number",
        example="KA.AN1.39.tiff",
    )

    def describe(self, match: re.Match[str], place: Path) -> Clip:
        """The clip; all persons are women."""
        return replace(
            super().describe(match, place), speaker=match["speaker"].upper(), sex="female"
        )
