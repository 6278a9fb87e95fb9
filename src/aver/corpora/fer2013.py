"""FER2013: 35,887 small gray images of faces, with its own labels or the votes of FER+."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem
from aver.corpora.files import IMAGE_SUFFIXES, archive_members, find_media, read_table
from aver.emotions import parse_emotion
from aver.errors import CorpusError
from aver.execution.documents import table_lines
from aver.settings import settings

_SUBSETS = {
    "Training": "train",
    "PublicTest": "validation",
    "PrivateTest": "test",
    "train": "train",
    "validation": "validation",
    "test": "test",
}
_CODES = ("angry", "disgust", "fearful", "happy", "sad", "surprised", "neutral")
"""Emotions of the codes 0 to 6 in the original table."""
_VOTES = {
    "neutral": "neutral", "happiness": "happy", "surprise": "surprised", "sadness": "sad",
    "anger": "angry", "disgust": "disgust", "fear": "fearful", "contempt": "contempt",
    "unknown": "unknown", "NF": "not a face",
}  # fmt: skip
_NO_EMOTION = ("unknown", "not a face")
_TABLES = ("fer2013.csv", "icml_face_data.csv")
"""Names of the original table in its two distributions."""


@settings
class Fer2013(CorpusReader):
    """Reads FER2013 from folders, a tar archive, or the original table, without unpacking it.

    Each image is a clip without audio and without a known speaker. `Clip.subset` holds the subset
    of the challenge: Training is train, PublicTest validation, PrivateTest test; the split rule
    ``official`` follows it. The path of an image inside an archive is that of the archive plus its
    name, and in the table (columns ``emotion``, ``pixels``, ``Usage``) that of the table plus the
    number of the row; `aver.corpora.files.read_file` reads both.

    Parameters
    ----------
    votes : str
        Path of FER+'s table ``fer2013new.csv``. Its votes then replace FER2013's labels:
        ``Clip.votes["face"]`` holds their shares, without votes that only a single rater gave, and
        the emotion is the one with most votes (``contempt`` is one more). Images whose raters saw
        no face or no known emotion, or about which no two raters agree, are left out.
    names : str
        For folders and archives, which do not keep the order of the table: path of a CSV file that
        gives, for each image of FER+ (column ``ferplus_png``), the file here (any other column
        whose name ends in ``jpg`` or ``file``).

    Notes
    -----
    Source: Goodfellow et al. (2013), "Challenges in representation learning: a report on three
    machine learning contests", section 2; Barsoum et al. (2016), "Training deep networks for facial
    expression recognition with crowd-sourced label distribution", section 3.
    """

    votes: str = ""
    names: str = ""

    name = "fer2013"
    path_pattern = (
        r"(^|/)(Training|PublicTest|PrivateTest)_\d+\.\w+$|^(fer2013|icml_face_data)\.csv$"
    )
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
            "fer2013/ or fer2013.tar or fer2013.csv\n"
            "  train/angry/Training_10118481.jpg\n"
            "  test/angry/PublicTest_10077120.jpg      validation\n"
            "  test/angry/PrivateTest_10131363.jpg     test\n"
            "fer2013.csv: emotion,pixels,Usage"
        ),
        example="train/angry/Training_10118481.jpg",
        further_emotions=("contempt",),  # in FER+ only
    )

    def read(self, root: Path) -> Corpus:
        """Read the names of the images, from a folder, an archive or a table."""
        problems: list[Problem] = []
        table = _table(root)
        if table is not None:
            clips = _table_clips(table, problems)
        else:
            clips = []
            for name in _images(root, problems):
                clip = _clip(root, name)
                if clip is None:
                    problems.append(Problem(name, "The name is not subset/emotion/image."))
                else:
                    clips.append(clip)
        if not self.votes:
            return self.collect(root, clips, problems)
        clips, left_out = self._with_votes(clips)
        return self.collect(root, clips, problems, left_out=left_out)

    def _with_votes(self, clips: list[Clip]) -> tuple[list[Clip], dict[str, int]]:
        """Clips with the raters' answer, and how many have none, by reason."""
        table = Path(self.votes).expanduser()
        votes = read_votes(table)
        rows = _rows_by_name(Path(self.names).expanduser()) if self.names else {}
        left_out: Counter[str] = Counter()
        kept = []
        for clip in clips:
            row = rows.get(clip.clip_id) if rows else clip.take
            shares = votes.get(row or "", {})
            winner = max(shares, key=lambda label: shares[label], default="")
            if not shares or winner in _NO_EMOTION:
                reason = f"the raters' answer is '{winner}'"
                if not winner:
                    seen = row in votes
                    reason = "no two raters agree" if seen else "FER+ has no votes about them"
                left_out[reason] += 1
                continue
            named = {label: share for label, share in shares.items() if label not in _NO_EMOTION}
            total = sum(named.values())
            perceived = {label: share / total for label, share in named.items()}
            kept.append(replace(clip, emotion=winner, votes={"face": perceived}))
        if clips and not kept and not self.names:
            raise CorpusError(
                f"The images at {clips[0].video} do not have the numbers of FER+'s table {table}. "
                "Give the original fer2013.csv, or the file of names with the setting 'names'."
            )
        return kept, dict(sorted(left_out.items()))


def read_votes(path: Path) -> dict[str, dict[str, float]]:
    """Shares of the votes about each image of FER+, without votes of a single rater.

    Parameters
    ----------
    path : Path
        ``fer2013new.csv``.

    Returns
    -------
    dict of str to dict of str to float
        By the row of the image in ``fer2013.csv``, counted from 0, and by its name in FER+
        (``"fer0000012"``; names do not follow the rows, because some images have none). Each inner
        mapping sums to 1, or is empty if no two raters agree.

    Notes
    -----
    Source: Barsoum et al. (2016), section 3; that single votes are noise: the training code that
    its authors published.
    """
    table = read_table(path, needed=("Image name", *_VOTES))
    result = {}
    for number, (line, row) in enumerate(table.rows):
        try:
            counts = {label: int(row[column]) for column, label in _VOTES.items()}
        except ValueError:
            raise CorpusError(
                f"Line {line} of {path} has a number of votes that is none."
            ) from None
        counts = {label: count for label, count in counts.items() if count > 1}
        total = sum(counts.values())
        shares = {label: count / total for label, count in counts.items()}
        result[str(number)] = shares
        if row["Image name"]:
            result[PurePosixPath(row["Image name"]).stem] = shares
    return result


def _rows_by_name(path: Path) -> Mapping[str, str]:
    """Clip id to the name of the image in FER+."""
    table = read_table(path, needed=("ferplus_png",))
    columns = [name for name in table.columns if name.endswith(("jpg", "file"))]
    if len(columns) != 1:
        raise CorpusError(
            f"The table {path} must have one column of files beside 'ferplus_png', whose name ends "
            f"in 'jpg' or 'file'. It has: {', '.join(table.columns)}."
        )
    rows = {}
    for line, row in table.rows:
        image = PurePosixPath(row["ferplus_png"]).stem
        if not re.fullmatch(r"fer\d+", image):
            raise CorpusError(f"Line {line} of {path} names no image of FER+.")
        file = PurePosixPath(row[columns[0]]).with_suffix("")
        rows["/".join(file.parts[-3:])] = image
    return rows


def _table(root: Path) -> Path | None:
    """The original table: the path itself, or in a folder without images; None for images."""
    if root.is_file():
        return root if root.suffix.lower() == ".csv" else None
    present = [root / name for name in _TABLES if (root / name).is_file()]
    return present[0] if present and not find_media(root, IMAGE_SUFFIXES).files else None


def _table_clips(root: Path, problems: list[Problem]) -> list[Clip]:
    """One clip per row of the original table."""
    clips = []
    try:
        with root.open(encoding="utf-8-sig", newline="") as handle:
            rows = csv.reader(table_lines(handle))
            names = [name.strip() for name in next(rows, [])]  # some copies have spaces before them
            lines = (dict(zip(names, row, strict=False)) for row in rows)
            columns = [(line.get("emotion"), line.get("Usage")) for line in lines]
    except OSError as error:
        raise CorpusError(f"The table {root} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"The table {root} is not a CSV file in UTF-8: {error}.") from error
    for row, (code, usage) in enumerate(columns):
        if code not in {str(number) for number in range(len(_CODES))} or usage not in _SUBSETS:
            reason = f"The row has the emotion {code!r} and the usage {usage!r}."
            problems.append(Problem(f"{root.name}, row {row}", reason))
            continue
        clips.append(
            Clip(
                clip_id=f"{usage}/{row:05d}",
                speaker=None,
                emotion=_CODES[int(code)],
                video=root / f"{row}.png",
                take=str(row),
                subset=_SUBSETS[usage],
            )
        )
    return clips


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
