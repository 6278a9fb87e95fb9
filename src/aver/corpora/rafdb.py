"""RAF-DB: 15,339 faces from the web with one of seven basic expressions."""

from __future__ import annotations

import re
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem
from aver.corpora.files import IMAGE_SUFFIXES, find_named, group_media, read_lines
from aver.errors import LabelError
from aver.settings import settings

_ALIGNED = re.compile(r"(?P<image>(?P<subset>train|test)_\d{4,5})_aligned")
_CODES = {
    "1": "surprised",
    "2": "fearful",
    "3": "disgust",
    "4": "happy",
    "5": "sad",
    "6": "angry",
    "7": "neutral",
}


@settings
class RafDB(CorpusReader):
    """Reads the aligned faces of RAF-DB with its list of basic expressions.

    Each image is a clip without a known speaker; `Clip.subset` is train or test. Copies without the
    list, with one folder per class (``train/1/...``), are read by their folders. The original
    photographs and the compound expressions are not read.

    Notes
    -----
    Source: Li, Deng & Du (2017); ``readme.txt`` of the corpus.
    """

    name = "rafdb"
    path_pattern = r"(^|/)(train|test)_\d{4,5}_aligned\.\w+$"
    info = CorpusInfo(
        title="RAF-DB, the Real-world Affective Faces Database",
        license="for non-commercial research",
        citation=(
            "Li, S., Deng, W., & Du, J. (2017). Reliable Crowdsourcing and Deep "
            "Locality-Preserving Learning for Expression Recognition in the Wild. CVPR 2017, "
            "2584-2593. doi:10.1109/CVPR.2017.277"
        ),
        url="http://www.whdeng.cn/RAF/model1.html",
        tree=(
            "basic/\n"
            "  EmoLabel/list_patition_label.txt         train_00001.jpg 5\n"
            "  Image/aligned/train_00001_aligned.jpg\n"
            "or\n"
            "DATASET/\n"
            "  train/5/train_00001_aligned.jpg"
        ),
        example="Image/aligned/train_00001_aligned.jpg",
    )

    def read(self, root: Path) -> Corpus:
        """Join the aligned images below `root` with the list."""
        codes = _codes(root)
        files, problems = group_media(root, IMAGE_SUFFIXES, _assign)
        clips = []
        for image, copies in files.items():
            path = copies["image"]
            code = codes.get(image) if codes else path.parent.name
            if code is None:
                place = path.relative_to(root).as_posix()
                problems.append(Problem(place, "The list of labels does not name it."))
                continue
            if code not in _CODES:
                raise LabelError(
                    f"Unknown expression code {code!r} of {image} in {root}. RAF-DB has 1 "
                    "(surprised) to 7 (neutral)."
                )
            clips.append(
                Clip(
                    clip_id=image,
                    speaker=None,
                    emotion=_CODES[code],
                    video=path,
                    subset=image.partition("_")[0],
                )
            )
        return self.collect(root, clips, problems)

    def missing(self, corpus: Corpus) -> tuple[str, ...]:
        """Images of the list that were not found."""
        return tuple(sorted(_codes(corpus.root).keys() - corpus.by_id.keys()))


def _assign(place: Path) -> tuple[str, str] | str | None:
    folders = [folder.lower() for folder in place.parts[:-1]]
    if "compound" in folders or "original" in folders:
        return None
    match = _ALIGNED.fullmatch(place.stem)
    return (match["image"], "image") if match else f"The name is not like {RafDB.info.example}."


def _codes(root: Path) -> dict[str, str]:
    """Names of images, without suffix, and their codes, from the list of basic expressions."""
    codes: dict[str, str] = {}
    for table in find_named(root, r"list_pa(tition|rtition)_label\.txt"):
        if "compound" not in (folder.lower() for folder in table.relative_to(root).parts):
            cells = (line.split() for line in read_lines(table))
            codes |= {Path(pair[0]).stem: pair[1] for pair in cells if len(pair) == 2}
    return codes
