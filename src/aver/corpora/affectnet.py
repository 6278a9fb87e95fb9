"""AffectNet: faces from the web with one of eight expressions, as either of its two editions."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem
from aver.corpora.files import IMAGE_SUFFIXES, find_named, group_media
from aver.errors import CorpusError, LabelError
from aver.settings import settings

_CODES = ("neutral", "happy", "sad", "surprised", "fearful", "disgust", "angry", "contempt")
_NO_EMOTION = {
    8: "the annotator saw none of the expressions (8)",
    9: "the annotator was uncertain (9)",
    10: "the image shows no face (10)",
}
_SUBSETS = {
    "training": "train",
    "validation": "validation",
    "train_set": "train",
    "val_set": "validation",
}
_COLUMNS = ("subDirectory_filePath", "face_x", "face_y", "face_width", "face_height")
_EXPRESSION = 6  # column of the expression, after the landmarks
_IMAGE_OF_LIST = re.compile(r"(?P<folder>\d+)/(?P<name>[0-9a-f]{40,})\.\w+")


@dataclass(frozen=True)
class _Row:
    """Annotation of one image."""

    image: str
    code: int
    subset: str
    face_box: tuple[float, float, float, float] | None


@settings
class AffectNet(CorpusReader):
    """Reads the manually annotated images of AffectNet.

    Either with the lists ``training.csv`` and ``validation.csv``, which also state the box of the
    face (`Clip.face_box`), or in the later edition of cut faces with one ``.npy`` file per
    annotation. Images annotated as none, uncertain or no face are left out and counted. Each image
    is a clip without a known speaker; ``contempt`` is a label besides the shared ones. The test
    subset was not published.

    Notes
    -----
    Source: Mollahosseini, Hasani & Mahoor (2019), section 3; the files of both editions.
    """

    name = "affectnet"
    path_pattern = (
        r"(^|/)(Manually_Annotated\w*/(.+/)?\d+/[0-9a-f]{40,}\.\w+"
        r"|(train|val)_set/(annotations/\d+_exp\.npy|images/\d+\.\w+))$"
    )
    info = CorpusInfo(
        title="AffectNet, facial expressions in the wild",
        license="for non-commercial research, by agreement",
        citation=(
            "Mollahosseini, A., Hasani, B., & Mahoor, M. H. (2019). AffectNet: A Database for "
            "Facial Expression, Valence, and Arousal Computing in the Wild. IEEE Transactions on "
            "Affective Computing 10(1), 18-31. doi:10.1109/TAFFC.2017.2740923"
        ),
        url="http://mohammadmahoor.com/affectnet/",
        tree=(
            "AffectNet/\n"
            "  Manually_Annotated_file_lists/training.csv, validation.csv\n"
            "  Manually_Annotated_Images/689/737db2483489148d783ef278f43f486c0a97e140fc4b6b61b8436"
            "3ca.jpg\n"
            "or\n"
            "AffectNet/\n"
            "  train_set/images/0.jpg, train_set/annotations/0_exp.npy\n"
            "  val_set/ ...                                               validation"
        ),
        example="train_set/images/0.jpg",
        further_emotions=("contempt",),
    )

    def read(self, root: Path) -> Corpus:
        """Join the images below `root` with their annotations."""
        files, problems = group_media(root, IMAGE_SUFFIXES, _assign)
        clips = []
        left_out: Counter[str] = Counter()
        annotated = set()
        for row in _annotations(root):
            if row.image in annotated:
                continue  # a second row of the same image
            annotated.add(row.image)
            if row.code in _NO_EMOTION:
                left_out[_NO_EMOTION[row.code]] += 1
            elif not 0 <= row.code < len(_CODES):
                raise LabelError(
                    f"Unknown expression code {row.code} of {row.image}. AffectNet has 0 (neutral) "
                    "to 10 (no face)."
                )
            elif row.image in files:
                clips.append(
                    Clip(
                        clip_id=row.image,
                        speaker=None,
                        emotion=_CODES[row.code],
                        video=files[row.image]["image"],
                        subset=row.subset,
                        face_box=row.face_box,
                    )
                )
        if files and not annotated:
            problems.insert(0, Problem("training.csv", "Not found: there are no annotations."))
        else:
            problems += [
                Problem(files[image]["image"].relative_to(root).as_posix(), "It has no annotation.")
                for image in sorted(files.keys() - annotated)
            ]
        return self.collect(root, clips, problems, left_out=left_out)

    def missing(self, corpus: Corpus) -> tuple[str, ...]:
        """Annotated images that were not found."""
        return tuple(
            sorted(
                row.image
                for row in _annotations(corpus.root)
                if row.code not in _NO_EMOTION and row.image not in corpus.by_id
            )
        )


def _assign(place: Path) -> tuple[str, str] | str | None:
    if any(folder.lower().startswith("automatically_annotated") for folder in place.parts):
        return None
    listed = _IMAGE_OF_LIST.fullmatch("/".join(place.parts[-2:]))
    if listed:
        return f"{listed['folder']}/{listed['name']}", "image"
    if len(place.parts) >= 3 and place.parts[-3] in _SUBSETS and place.parts[-2] == "images":
        return f"{place.parts[-3]}/{place.stem}", "image"
    return f"The name is not like {AffectNet.info.example}."


def _annotations(root: Path) -> Iterator[_Row]:
    for table in find_named(root, r"(training|validation)\.csv"):
        yield from _listed(table)
    yield from _stored(find_named(root, r"\d+_exp\.npy"))


def _listed(table: Path) -> Iterator[_Row]:
    """Rows of a list, which has a header in some editions only."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle)
            for cells in reader:
                if cells[: len(_COLUMNS)] == list(_COLUMNS):
                    continue
                code = _code(cells, table, reader.line_num)
                image = Path(cells[0]).with_suffix("").as_posix()
                yield _Row(image, code, _SUBSETS[table.stem.lower()], _box(cells[1:5]))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"The list {table} cannot be read: {error}.") from error


def _code(cells: list[str], table: Path, line: int) -> int:
    try:
        return int(cells[_EXPRESSION])
    except (IndexError, ValueError):
        raise CorpusError(
            f"Line {line} of {table} is not a row of AffectNet: its seventh cell must be the "
            "number of an expression."
        ) from None


def _box(cells: list[str]) -> tuple[float, float, float, float] | None:
    """The face, of left, top, width and height; None for images without a face."""
    try:
        left, top, width, height = map(float, cells)
    except ValueError:
        return None
    return (left, top, left + width, top + height) if width > 0 and height > 0 else None


def _stored(files: Iterable[Path]) -> Iterator[_Row]:
    """Annotations of the later edition: a number, or its digits as text, in each file."""
    import numpy as np

    for file in files:
        folder = file.parent.parent.name
        if folder not in _SUBSETS:
            continue
        try:
            code = int(np.load(file, allow_pickle=False))
        except (OSError, ValueError, TypeError, EOFError) as error:
            raise CorpusError(f"The annotation {file} cannot be read: {error}.") from error
        yield _Row(f"{folder}/{file.stem.removesuffix('_exp')}", code, _SUBSETS[folder], None)
