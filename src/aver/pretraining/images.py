"""`sort_images`: the parts of a picture corpus without copies, blanks and contradictions."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from aver.audit.audit_media import Match, files_in_corpus, find_matches
from aver.audit.listing import listing_of
from aver.audit.perceptual_hash import image_file_hash
from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.corpora.files import IMAGE_SUFFIXES, read_file
from aver.emotions import in_canonical_order
from aver.errors import LabelError, MediaError, SplitError
from aver.evaluation.run import clip_facts
from aver.execution.files import write_json
from aver.execution.progress import progress_bar
from aver.splits import make_split
from aver.splits.split import SUBSETS, Fold, Split


def read_images(clips: Sequence[Clip], size_px: int) -> np.ndarray:
    """Decode pictures of faces.

    Parameters
    ----------
    clips : sequence of Clip
        Each with a picture as its video; it may lie in an archive.
    size_px : int > 0
        Side that they are brought to.

    Returns
    -------
    np.ndarray [shape=(clips, size_px, size_px), dtype=uint8]

    Raises
    ------
    MediaError
        If one cannot be decoded.
    """
    images = np.empty((len(clips), size_px, size_px), np.uint8)
    with progress_bar("Reading pictures", len(clips)) as bar:
        for row, clip in enumerate(clips):
            assert clip.video is not None
            content = np.frombuffer(read_file(clip.video), np.uint8)
            gray = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE)
            if gray is None:
                raise MediaError(f"{clip.video} cannot be read as a picture. Fetch it again.")
            if gray.shape != (size_px, size_px):
                gray = cv2.resize(gray, (size_px, size_px), interpolation=cv2.INTER_AREA)
            images[row] = gray
            bar.advance()
    return images


def digest_images(clips: Sequence[Clip]) -> str:
    """Sixteen hexadecimal digits that name pictures and their labels, not where they lie.

    Parameters
    ----------
    clips : sequence of Clip
        Each with a picture as its video. One that cannot be read counts as empty.
    """
    found = hashlib.sha256()
    for clip in clips:
        assert clip.video is not None
        found.update(json.dumps(clip_facts(clip), sort_keys=True).encode())
        try:
            found.update(hashlib.sha256(read_file(clip.video)).digest())
        except MediaError:
            found.update(b"unreadable")
    return found.hexdigest()[:16]


PURPOSES = {"train": "to learn from", "validation": "to choose by", "test": "to test with"}
"""What pictures of each part are for."""


def split_images(corpus: Corpus) -> Split:
    """Take the parts that the corpus's authors made.

    Names and labels are looked at before pictures are compared, which takes minutes.

    Parameters
    ----------
    corpus : Corpus
        Of pictures with emotions, such as FER2013.

    Raises
    ------
    SplitError
        If a part is empty.
    MediaError
        If a clip of a part is no picture.
    LabelError
        If one has no emotion, training has fewer than two, or another part has one that training
        lacks.
    """
    words: dict[str, set[str]] = {}
    for part in SUBSETS:
        clips = [clip for clip in corpus if clip.subset == part]
        if not clips:
            raise SplitError(
                f"{corpus.label} at {corpus.root} has no picture in the part {part}, so none "
                f"{PURPOSES[part]}. Parts are the folders {', '.join(SUBSETS)}, or the names of "
                "FER2013 (Training_, PublicTest_, PrivateTest_)."
            )
        for clip in clips:
            if clip.video is None or clip.video.suffix.lower() not in IMAGE_SUFFIXES:
                raise MediaError(f"Clip {clip.clip_id} of {corpus.label} is no picture.")
            if clip.emotion is None:
                raise LabelError(f"The picture {clip.clip_id} of {corpus.label} has no emotion.")
        words[part] = {str(clip.emotion) for clip in clips}
    if len(words["train"]) < 2:
        raise LabelError(
            f"All pictures of {corpus.label} to learn from are {next(iter(words['train']))}; a "
            "network needs at least two emotions."
        )
    unknown = in_canonical_order((words["validation"] | words["test"]) - words["train"])
    if unknown:
        raise LabelError(
            f"{corpus.label} has {', '.join(unknown)} in validation or test, and not in training. "
            "Leave such pictures out (--emotions), or add some to training."
        )
    return make_split(corpus, "official")


FAULTS = (
    "unreadable",
    "blank",
    "copy of a test picture",
    "copy of a validation picture",
    "two labels",
    "double",
)
"""Why a picture is set aside; the first that applies is the one that is named."""

_RULES = 3  # version of the rules, so that a file kept under older ones is made anew


@dataclass(frozen=True)
class SortedImages:
    """Pictures by part, and those set aside.

    Parameters
    ----------
    parts : mapping of str to tuple of str
        Clip ids to learn, to choose and to test with.
    faults : mapping of str to mapping of str to tuple of str
        Part, then fault (one of `FAULTS`), to the clips set aside. The test part is named where
        pictures of it cannot be read.
    doubtful : tuple of str
        Pictures of the test part that are blank, have two labels, or come twice. They stay in the
        test, for the published figures count them; the result is given without them beside.
    """

    parts: Mapping[str, tuple[str, ...]]
    faults: Mapping[str, Mapping[str, tuple[str, ...]]]
    doubtful: tuple[str, ...]

    def as_published(self, fold: Fold) -> SortedImages:
        """The same with nothing set aside but what cannot be read; training LEAKS.

        It holds copies of the test.
        """
        torn = {part: self.faults.get(part, {}).get("unreadable", ()) for part in SUBSETS}
        return replace(
            self,
            parts={
                part: tuple(name for name in names if name not in torn[part])
                for part, names in fold.subsets().items()
            },
            faults={part: {"unreadable": names} for part, names in torn.items() if names},
        )


def sort_images(corpus: Corpus, split: Split, *, workers: int = 1) -> SortedImages:
    """Find copies, blanks and contradictions by content, and set them aside.

    The test part stays as published, but for pictures that cannot be read. Of training and
    validation go: unreadable and blank pictures, copies of test pictures, of training also copies
    of validation pictures, and all but the first of several copies within the part. Where copies
    bear several labels, one that more than half of them bear counts and pictures with another go;
    where there is none, all go.

    Parameters
    ----------
    corpus : Corpus
        Of pictures.
    split : Split
        Its first fold counts.
    workers : int >= 1
        Processes; the result does not depend on it.

    Raises
    ------
    MediaError
        If nothing is left of a part.
    """
    matches = find_matches(files_in_corpus(listing_of(split, corpus), corpus), workers)
    labels = {clip.clip_id: clip.emotion or "" for clip in corpus}
    seen = {clip.clip_id: _seen(clip) for clip in corpus}
    found = sort_by_matches(
        split.folds[0],
        labels,
        matches.found,
        [name for name, what in seen.items() if what == "blank"],
        [name for name, what in seen.items() if what == "unreadable"],
    )
    for part, names in found.parts.items():
        if not names and getattr(split.folds[0], part):
            told = {fault: len(those) for fault, those in found.faults[part].items()}
            counts = ", ".join(f"{fault} {count}" for fault, count in told.items())
            raise MediaError(
                f"No picture of {corpus.label} is left {PURPOSES[part]}; set aside: {counts}."
            )
    return found


def keep_sorted(corpus: Corpus, split: Split, place: Path, *, workers: int = 1) -> SortedImages:
    """As `sort_images`; the search takes minutes, so its result is kept in a file.

    Parameters
    ----------
    corpus, split, workers
        As `sort_images`.
    place : Path
        JSON file, read where it fits the split, else written.
    """
    if place.exists():
        kept = json.loads(place.read_text(encoding="utf-8"))
        if (kept["split"], kept.get("rules")) == (split.hash, _RULES):
            parts = {part: tuple(names) for part, names in kept["parts"].items()}
            return SortedImages(parts, kept["faults"], tuple(kept["doubtful"]))
    found = sort_images(corpus, split, workers=workers)
    write_json(place, {"split": split.hash, "rules": _RULES, **asdict(found)})
    return found


def _seen(clip: Clip) -> str:
    """``"blank"`` where a picture shows nothing, ``"unreadable"``, or empty."""
    assert clip.video is not None
    try:
        return "blank" if image_file_hash(clip.video) is None else ""
    except MediaError:
        return "unreadable"


def sort_by_matches(
    fold: Fold,
    labels: Mapping[str, str],
    matches: Sequence[Match],
    blank: Iterable[str],
    unreadable: Iterable[str] = (),
) -> SortedImages:
    """As `sort_images`, with the copies known already.

    Parameters
    ----------
    fold : Fold
    labels : mapping of str to str
        Clip id to emotion.
    matches : sequence of Match
        Pairs with the same content.
    blank, unreadable : iterable of str
        Pictures that show nothing, and that cannot be read.
    """
    part_of = {name: part for part in SUBSETS for name in getattr(fold, part)}
    groups = _groups(part_of, matches)
    blank, unreadable = set(blank), set(unreadable)
    found = {
        name: "unreadable"
        if name in unreadable
        else _fault(name, groups[name], part_of, labels, blank)
        for name in part_of
    }
    faults: dict[str, dict[str, list[str]]] = {part: defaultdict(list) for part in SUBSETS}
    kept: dict[str, list[str]] = {part: [] for part in SUBSETS}
    for name, part in part_of.items():
        if found[name]:
            faults[part][found[name]].append(name)
        if not found[name] or (part == "test" and found[name] != "unreadable"):
            kept[part].append(name)
    torn = faults["test"].pop("unreadable", [])
    doubtful = tuple(name for names in faults.pop("test").values() for name in names)
    if torn:
        faults["test"] = {"unreadable": torn}
    return SortedImages(
        {part: tuple(names) for part, names in kept.items()},
        {
            part: {fault: tuple(names) for fault, names in of_part.items()}
            for part, of_part in faults.items()
        },
        doubtful,
    )


def _fault(
    name: str,
    group: Sequence[str],
    part_of: Mapping[str, str],
    labels: Mapping[str, str],
    blank: set[str],
) -> str:
    """One of `FAULTS`; empty for a picture to keep."""
    part = part_of[name]
    others = {part_of[other] for other in group if other != name}
    if name in blank:
        return "blank"
    agreed = _agreed([labels[other] for other in group])
    if part == "test" and len({labels[other] for other in group}) > 1:
        return "two labels"
    if part != "test" and "test" in others:
        return "copy of a test picture"
    if part == "train" and "validation" in others:
        return "copy of a validation picture"
    if labels[name] != agreed:
        return "two labels"
    same_part = sorted(o for o in group if part_of[o] == part and labels[o] == agreed)
    return "double" if same_part[0] != name else ""


def _agreed(labels: Sequence[str]) -> str | None:
    """The label of more than half of the copies."""
    word, count = Counter(labels).most_common(1)[0]
    return word if 2 * count > len(labels) else None


def _groups(part_of: Mapping[str, str], matches: Sequence[Match]) -> dict[str, list[str]]:
    """For each name the names with its content, itself among them; copies of copies are copies."""
    root = {name: name for name in part_of}

    def top(name: str) -> str:
        while root[name] != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    for match in matches:
        if match.one in root and match.other in root:
            root[top(match.other)] = top(match.one)
    members: dict[str, list[str]] = defaultdict(list)
    for name in part_of:
        members[top(name)].append(name)
    return {name: members[top(name)] for name in part_of}
