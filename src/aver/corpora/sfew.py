"""SFEW: 1,766 faces from films, with seven facial expressions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from aver.corpora.clip import Clip
from aver.corpora.corpus import CorpusInfo
from aver.corpora.files import IMAGE_SUFFIXES
from aver.corpora.named_files import NamedFilesReader
from aver.settings import settings

_SUBSETS = {"train": "train", "val": "validation", "test": "test"}


@settings
class Sfew(NamedFilesReader):
    """Reads SFEW 2.0 by its folders: the subset and the expression.

    Each image is a clip without a known speaker. Images of one moment of a film share
    `Clip.performance`. The labels of the test subset were not published: its images are left out
    and counted. If a folder holds whole frames and aligned faces, give the path of one of them;
    the other copy is listed.

    Notes
    -----
    Source: Dhall et al. (2011, 2015); the names of its folders and images (film, time in the film,
    number of the image).
    """

    name = "sfew"
    path_pattern = (
        r"(?i)(^|/)(?P<subset>train|val|test)[^/]*/(?:[^/]*aligned[^/]*/)?"
        r"(?:(?P<emotion>[a-z]+)/)?(?P<film>[^/]+_\d{9})_\d{8}\.(png|jpe?g)$"
    )
    suffixes: ClassVar = IMAGE_SUFFIXES
    unlabeled: ClassVar = "the labels of the test subset were not published"
    codes: ClassVar = {
        "angry": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happy": "happy",
        "neutral": "neutral",
        "sad": "sad",
        "surprise": "surprised",
    }
    info = CorpusInfo(
        title="SFEW 2.0, Static Facial Expressions in the Wild",
        license="for research, by agreement with its authors",
        citation=(
            "Dhall, A., Goecke, R., Lucey, S., & Gedeon, T. (2011). Static facial expression "
            "analysis in tough conditions: Data, evaluation protocol and benchmark. ICCV "
            "Workshops, 2106-2112. doi:10.1109/ICCVW.2011.6130508. Dhall, A., Ramana Murthy, O. "
            "V., Goecke, R., Joshi, J., & Gedeon, T. (2015). Video and image based emotion "
            "recognition challenges in the wild: EmotiW 2015. ICMI 2015, 423-426."
        ),
        url="https://cs.anu.edu.au/few/",
        tree=(
            "SFEW/\n"
            "  Train/Angry/Airheads_000519240_00000005.png    (or Train_Aligned_Faces/Angry/ ...)\n"
            "  Val/Angry/ ...                                 validation\n"
            "  Test/ ...                                      without labels"
        ),
        example="Train/Angry/Airheads_000519240_00000005.png",
    )

    def describe(self, match: re.Match[str], place: Path) -> Clip:
        """The clip, with its subset and the moment of the film."""
        subset = _SUBSETS[match["subset"].lower()]
        code = match["emotion"] or ""
        unlabeled = subset == "test" and not code
        return Clip(
            clip_id=place.stem,
            speaker=None,
            emotion=None if unlabeled else self.emotion_of(code, place),
            performance=match["film"],
            subset=subset,
        )
