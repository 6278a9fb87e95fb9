"""CK+: sequences of images from a neutral face to an expression; 327 have an emotion."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem
from aver.corpora.files import IMAGE_SUFFIXES, find_media, find_named, read_lines
from aver.errors import LabelError
from aver.settings import Field, settings

_IMAGE = re.compile(r"(?P<sequence>(?P<person>S\d{3})_\d{3})_(?P<number>\d{8})")
_TABLE = r"S\d{3}_\d{3}_\d{8}_emotion\.txt"
_CODES = ("neutral", "angry", "contempt", "disgust", "fearful", "happy", "sad", "surprised")
_WORDS = {
    "anger": "angry",
    "contempt": "contempt",
    "disgust": "disgust",
    "fear": "fearful",
    "happy": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprise": "surprised",
}


@settings
class CKPlus(CorpusReader):
    """Reads CK+ as published, or its copy with one folder per emotion.

    As published, a clip is the last image of a sequence, which shows the expression at its peak;
    sequences without an emotion are left out and counted. In the other layout (``anger/...``, as on
    Kaggle) each image is a clip. Images of one sequence share `Clip.performance`. ``contempt`` is a
    label besides the shared ones.

    Parameters
    ----------
    images : int
        Number of images to read at the end of each published sequence; 3 is usual.
    neutral : bool
        Read the first image of each labeled sequence as neutral.

    Notes
    -----
    Source: Lucey et al. (2010), section 3; ``ReadMeCohnKanadeDatabase_website.txt`` of the corpus.
    """

    images: Annotated[int, Field(ge=1)] = 1
    neutral: bool = False

    name = "ckplus"
    path_pattern = r"(^|/)S\d{3}_\d{3}_\d{8}(_emotion\.txt|\.(png|jpe?g))$"
    info = CorpusInfo(
        title="CK+, the Extended Cohn-Kanade Dataset",
        license="for non-commercial research, by agreement",
        citation=(
            "Lucey, P., Cohn, J. F., Kanade, T., Saragih, J., Ambadar, Z., & Matthews, I. (2010). "
            "The Extended Cohn-Kanade Dataset (CK+): A complete dataset for action unit and "
            "emotion-specified expression. CVPR Workshops, 94-101. doi:10.1109/CVPRW.2010.5543262"
        ),
        url="https://www.jeffcohn.net/resources/",
        tree=(
            "CK+/\n"
            "  cohn-kanade-images/S005/001/S005_001_00000011.png     person/sequence\n"
            "  Emotion/S005/001/S005_001_00000011_emotion.txt\n"
            "or\n"
            "CK+48/\n"
            "  anger/S010_004_00000017.png"
        ),
        example="cohn-kanade-images/S005/001/S005_001_00000011.png",
        further_emotions=("contempt",),
    )

    def read(self, root: Path) -> Corpus:
        """Read the images below `root`."""
        found = find_media(root, IMAGE_SUFFIXES)
        problems = list(found.problems)
        sequences: dict[str, list[Path]] = {}
        clips = []
        for path in found.files:
            match = _IMAGE.fullmatch(path.stem)
            place = path.relative_to(root)
            if match is None:
                problems.append(
                    Problem(place.as_posix(), f"The name is not like {self.info.example}.")
                )
            elif place.parent.name.lower() in _WORDS:
                clips.append(_clip(path, _WORDS[place.parent.name.lower()]))
            else:
                sequences.setdefault(match["sequence"], []).append(path)
        labels = _labels(root)
        for sequence in sorted(sequences.keys() & labels):
            clips += self._sequence(sequences[sequence], labels[sequence])
        if sequences and not labels:
            problems.insert(0, Problem("Emotion", "Not found: the sequences have no labels."))
        unlabeled = len(sequences.keys() - labels.keys())
        left_out = {"the sequence has no emotion": unlabeled} if unlabeled else {}
        return self.collect(root, clips, problems, left_out=left_out)

    def missing(self, corpus: Corpus) -> tuple[str, ...]:
        """Labeled sequences without an image."""
        present = {clip.performance for clip in corpus}
        return tuple(sorted(_labels(corpus.root).keys() - present))

    def _sequence(self, images: list[Path], emotion: str) -> list[Clip]:
        images = sorted(images, key=lambda path: path.stem)
        clips = [_clip(path, emotion) for path in images[-self.images :]]
        if self.neutral and len(images) > self.images:
            clips.append(_clip(images[0], "neutral"))
        return clips


def _clip(path: Path, emotion: str) -> Clip:
    match = _IMAGE.fullmatch(path.stem)
    assert match  # its caller has checked it
    return Clip(
        clip_id=path.stem,
        speaker=match["person"],
        emotion=emotion,
        video=path,
        performance=match["sequence"],
    )


def _labels(root: Path) -> dict[str, str]:
    """Sequences and their emotions: each file holds one number, such as ``3.0000000e+00``."""
    labels = {}
    for table in find_named(root, _TABLE):
        text = " ".join(read_lines(table)).strip()
        try:
            labels[table.stem[: len("S005_001")]] = dict(enumerate(_CODES))[int(float(text))]
        except (KeyError, ValueError):
            raise LabelError(
                f"Unknown emotion code {text!r} in {table}. CK+ has 0 (neutral) to 7 (surprised)."
            ) from None
    return labels
