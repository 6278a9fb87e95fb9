"""FER2013: 35,887 small gray images of faces, for pretraining."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem
from aver.corpora.files import IMAGE_SUFFIXES, archive_members, find_media
from aver.emotions import parse_emotion
from aver.settings import settings

_SUBSETS = {
    "Training": "train",
    "PublicTest": "validation",
    "PrivateTest": "test",
    "train": "train",
    "validation": "validation",
    "test": "test",
}


@settings
class Fer2013(CorpusReader):
    """Reads FER2013 from folders or from a tar archive, without unpacking it.

    Each image is a clip without audio and without a known speaker. `Clip.subset` holds the subset
    of the challenge: Training is train, PublicTest validation, PrivateTest test; the split rule
    ``official`` follows it. The path of an image inside an archive is
    that of the archive plus its name; `aver.corpora.files.read_file` reads it.

    Notes
    -----
    Source: Goodfellow et al. (2013), "Challenges in representation learning: a report on three
    machine learning contests", section 2.
    """

    name = "fer2013"
    path_pattern = r"(^|/)(Training|PublicTest|PrivateTest)_\d+\.\w+$"
    info = CorpusInfo(
        title="FER2013, the Facial Expression Recognition 2013 challenge",
        license="for research, as its distributors state",
        citation=(
            "Goodfellow, I. J., et al. (2013). Challenges in representation learning: a report on "
            "three machine learning contests. Neural Information Processing, ICONIP 2013. "
            "arXiv:1307.0414"
        ),
        url="https://www.kaggle.com/msambare/fer2013",
        tree=(
            "fer2013/ or fer2013.tar\n"
            "  train/angry/Training_10118481.jpg\n"
            "  test/angry/PublicTest_10077120.jpg      validation\n"
            "  test/angry/PrivateTest_10131363.jpg     test"
        ),
        example="train/angry/Training_10118481.jpg",
    )

    def read(self, root: Path) -> Corpus:
        """Read the names of the images, from a folder or an archive."""
        problems: list[Problem] = []
        clips: list[Clip] = []
        for name in _images(root, problems):
            clip = _clip(root, name)
            if clip is None:
                problems.append(Problem(name, "The name is not subset/emotion/image."))
            else:
                clips.append(clip)
        return self.collect(root, clips, problems)


def _images(root: Path, problems: list[Problem]) -> Iterator[str]:
    """Names of the images in a folder or archive; faulty ones are added to `problems`."""
    if root.is_dir():
        found = find_media(root, IMAGE_SUFFIXES)
        problems += found.problems
        yield from (path.relative_to(root).as_posix() for path in found.files)
        return
    for name, member in archive_members(root).items():
        if PurePosixPath(name).suffix.lower() not in IMAGE_SUFFIXES:
            continue
        if member.size_bytes:
            yield name
        else:
            problems.append(Problem(name, "The file is empty (0 bytes)."))


def _clip(root: Path, name: str) -> Clip | None:
    parts = PurePosixPath(name).with_suffix("").parts
    if len(parts) < 3:
        return None
    folder, emotion, stem = parts[-3:]
    return Clip(
        # Only the last three, so that a folder and an archive give the same ids.
        clip_id="/".join(parts[-3:]),
        speaker=None,
        emotion=parse_emotion(emotion, name),
        video=root / name,
        subset=_SUBSETS.get(stem.partition("_")[0]) or _SUBSETS.get(folder),
    )
