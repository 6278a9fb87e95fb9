"""ExpW: faces in web photographs, in the official layout or as a folder of crops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem
from aver.corpora.files import media_fault, read_table
from aver.emotions import parse_emotion
from aver.errors import CorpusError
from aver.settings import settings

_CODES = ("angry", "disgust", "fearful", "happy", "sad", "surprised", "neutral")
"""Emotions of the codes 0 to 6 in ``label.lst``."""
_OFFICIAL = "label.lst"
_CROPS = "labels.csv"


@settings
class ExpW(CorpusReader):
    """Reads ExpW, one clip per labeled face; `Clip.face_box` says where it is in its image.

    Either the official folder (``label.lst`` and the photographs in ``origin/``), or a folder of
    crops with a table ``labels.csv``: file, emotion, and the box of the face in the crop (left,
    top, right, bottom). The faces of one photograph have the same `Clip.performance`, so that no
    split divides them. There are no official subsets.

    Notes
    -----
    Source: Zhang et al. (2018), "From facial expression recognition to interpersonal relation
    prediction", section 4.1; the columns of ``label.lst`` as its readme gives them.
    """

    name = "expw"
    marker_files = ("label/label.lst", _OFFICIAL)
    info = CorpusInfo(
        title="ExpW, the Expression in-the-Wild dataset",
        license="non-commercial research",
        citation=(
            "Zhang, Z., Luo, P., Loy, C. C., & Tang, X. (2018). From facial expression recognition "
            "to interpersonal relation prediction. International Journal of Computer Vision 126, "
            "550-569."
        ),
        url="http://mmlab.ie.cuhk.edu.hk/projects/socialrelation/index.html",
        tree=(
            "expw/\n"
            "  label/label.lst      image, face, top, left, right, bottom, confidence, emotion\n"
            "  origin/afraid_actor_1.jpg\n"
            "or crops:\n"
            "  labels.csv           file,emotion,box_confidence,left,top,right,bottom\n"
            "  afraid_actor_1_0.jpg"
        ),
        example="origin/afraid_actor_1.jpg",
    )

    def read(self, root: Path) -> Corpus:
        """Read the table of faces; the images are not opened."""
        problems: list[Problem] = []
        places = (root / "label" / _OFFICIAL, root / _OFFICIAL)
        table = next((place for place in places if place.is_file()), None)
        faces = _official(root, table) if table else _crops(root)
        clips = []
        for clip in faces:
            assert clip.video is not None
            fault = media_fault(clip.video)
            if fault:
                problems.append(Problem(clip.video.relative_to(root).as_posix(), fault))
            else:
                clips.append(clip)
        return self.collect(root, clips, problems)


def _official(root: Path, table: Path) -> Iterator[Clip]:
    for number, line in enumerate(table.read_text(encoding="utf-8").splitlines(), start=1):
        cells = line.split()
        if not cells:
            continue
        try:
            image, face = cells[0], cells[1]
            top, left, right, bottom = map(float, cells[2:6])
            emotion = _CODES[int(cells[7])]
        except (IndexError, ValueError):
            raise CorpusError(
                f"Line {number} of {table} does not have the eight columns of ExpW."
            ) from None
        stem = PurePosixPath(image).stem
        yield Clip(
            clip_id=f"{stem}_{face}",
            speaker=None,
            emotion=emotion,
            video=root / "origin" / image,
            performance=stem,
            face_box=(left, top, right, bottom),
        )


def _crops(root: Path) -> Iterator[Clip]:
    sides = ("left", "top", "right", "bottom")
    table = read_table(root / _CROPS, needed=("file", "emotion", *sides))
    for line, row in table.rows:
        try:
            left, top, right, bottom = (float(row[side]) for side in sides)
        except ValueError:
            raise CorpusError(f"Line {line} of {table.path} has no box of a face.") from None
        stem = PurePosixPath(row["file"]).stem
        yield Clip(
            clip_id=stem,
            speaker=None,
            emotion=parse_emotion(row["emotion"], f"line {line} of {table.path}"),
            video=root / row["file"],
            performance=stem.rpartition("_")[0] or stem,
            face_box=(left, top, right, bottom),
        )
