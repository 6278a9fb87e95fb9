"""Corpora of labeled face images: reading, splitting, and setting copies and blank images aside."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from aver.audit.audit_media import ClipFiles, Match, files_in_corpus, find_matches
from aver.audit.listing import listing_of
from aver.audit.perceptual_hash import image_file_hash
from aver.corpora.clip import Clip
from aver.corpora.combine import combine, part_of
from aver.corpora.corpus import Corpus
from aver.corpora.files import IMAGE_SUFFIXES, read_file
from aver.emotions import in_canonical_order
from aver.errors import LabelError, MediaError, SplitError
from aver.evaluation.run import clip_facts
from aver.execution.files import write_json
from aver.execution.progress import progress_bar
from aver.media.boxes import resize_square
from aver.splits import make_split
from aver.splits.split import SUBSETS, Fold, Split


def join_images(corpora: Sequence[Corpus], validation_share: float = 0.1) -> Corpus:
    """Several corpora of images as one, each with subsets to train and to validate with.

    A corpus without official subsets is used for training and validation only: all images of a
    photograph (`Clip.performance`) are on one side, decided by a hash of its name.

    Parameters
    ----------
    corpora : sequence of Corpus
        A single one with official subsets is returned as it is.
    validation_share : float in (0, 1)
        Of the photographs of a corpus without subsets.
    """
    if len(corpora) == 1 and any(clip.subset for clip in corpora[0]):
        return corpora[0]
    joined = combine(corpora, unshared="keep") if len(corpora) > 1 else corpora[0]
    official = {part_of(clip.clip_id) for clip in joined if clip.subset}
    clips = tuple(
        clip
        if part_of(clip.clip_id) in official
        else replace(clip, subset=_drawn_subset(clip.performance, validation_share))
        for clip in joined
    )
    return replace(joined, clips=clips)


def _drawn_subset(photograph: str, validation_share: float) -> str:
    drawn = hashlib.sha256(photograph.encode()).digest()[0]
    return "validation" if drawn < 256 * validation_share else "train"


def read_images(clips: Sequence[Clip], size_px: int, surround: float = 0.0) -> np.ndarray:
    """Decode images of faces.

    The face is the square around `Clip.face_box`, or the whole image without one.

    Parameters
    ----------
    clips : sequence of Clip
        Each with an image as its video; it may lie in an archive.
    size_px : int > 0
        Side of a face; other sizes are resampled.
    surround : float >= 0
        Share of the face's side that is added on each side. Beyond the edge of the image its
        outermost pixels are repeated.

    Returns
    -------
    np.ndarray [shape=(clips, side, side), dtype=uint8]
        `side` is `size_px` with the surroundings, see `with_surround`.

    Raises
    ------
    MediaError
        If an image cannot be decoded.
    """
    side = with_surround(size_px, surround)
    images = np.empty((len(clips), side, side), np.uint8)
    with progress_bar("Reading", len(clips), "images") as bar:
        for row, clip in enumerate(clips):
            assert clip.video is not None
            content = np.frombuffer(read_file(clip.video), np.uint8)
            gray = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE)
            if gray is None:
                raise MediaError(f"{clip.video} cannot be read as an image. Download it again.")
            images[row] = _square(gray, clip.face_box, side, side / size_px)
            bar.advance()
    return images


def with_surround(size_px: int, surround: float) -> int:
    """Side of an image of a face of `size_px` with its surroundings, in pixels.

    Examples
    --------
    >>> with_surround(64, 0.25)
    96
    """
    return round(size_px * (1 + 2 * surround))


def _square(
    gray: np.ndarray, box: tuple[float, float, float, float] | None, side: int, factor: float
) -> np.ndarray:
    """The face and its surroundings, `factor` times as wide, scaled to `side` pixels."""
    height, width = gray.shape
    if box is None and factor == 1 and gray.shape != (side, side):
        return resize_square(gray, side)
    left, top, right, bottom = box or (0, 0, width, height)
    extent = factor * max(right - left, bottom - top)
    x, y = (left + right - extent) / 2, (top + bottom - extent) / 2
    above, below = max(0, round(-y)), max(0, round(y + extent - height))
    before, behind = max(0, round(-x)), max(0, round(x + extent - width))
    padded = np.pad(gray, ((above, below), (before, behind)), mode="edge")
    row, column, length = round(y) + above, round(x) + before, round(extent)
    cut = padded[max(row, 0) : row + length, max(column, 0) : column + length]
    if cut.shape == (side, side):
        return cut
    return resize_square(cut, side)


def digest_images(clips: Sequence[Clip]) -> str:
    """Hash of the content and the labels of images, 16 hexadecimal digits; paths do not matter.

    Parameters
    ----------
    clips : sequence of Clip
        Each with an image as its video. An unreadable image counts as empty.
    """
    result = hashlib.sha256()
    for clip in clips:
        assert clip.video is not None
        result.update(json.dumps(clip_facts(clip), sort_keys=True).encode())
        try:
            result.update(hashlib.sha256(read_file(clip.video)).digest())
        except MediaError:
            result.update(b"unreadable")
    return result.hexdigest()[:16]


PURPOSES = {"train": "to train with", "validation": "to validate with", "test": "to test with"}
"""What the images of each subset are for."""


def split_images(corpus: Corpus) -> Split:
    """The official split of a corpus of images.

    Names and labels are checked here, before the images are compared, which takes minutes.

    Parameters
    ----------
    corpus : Corpus
        Of images with emotions, such as FER2013.

    Raises
    ------
    SplitError
        If a subset is empty.
    MediaError
        If a clip of a subset is no image.
    LabelError
        If an image has no emotion, training has fewer than two emotions, or another subset has one
        that training lacks.
    """
    emotions: dict[str, set[str]] = {}
    for subset in SUBSETS:
        clips = [clip for clip in corpus if clip.subset == subset]
        if not clips:
            raise SplitError(
                f"{corpus.label} at {corpus.root} has no image in the subset {subset}, so none "
                f"{PURPOSES[subset]}. Subsets are the folders {', '.join(SUBSETS)}, or the names "
                "of FER2013 (Training_, PublicTest_, PrivateTest_)."
            )
        for clip in clips:
            if clip.video is None or clip.video.suffix.lower() not in IMAGE_SUFFIXES:
                raise MediaError(f"Clip {clip.clip_id} of {corpus.label} is no image.")
            if clip.emotion is None:
                raise LabelError(f"The image {clip.clip_id} of {corpus.label} has no emotion.")
        emotions[subset] = {str(clip.emotion) for clip in clips}
    if len(emotions["train"]) < 2:
        raise LabelError(
            f"All training images of {corpus.label} are {next(iter(emotions['train']))}; a network "
            "needs at least two emotions."
        )
    unknown = in_canonical_order((emotions["validation"] | emotions["test"]) - emotions["train"])
    if unknown:
        raise LabelError(
            f"{corpus.label} has {', '.join(unknown)} in validation or test, but not in training. "
            "Leave these images out (--emotions), or add some to training."
        )
    return make_split(corpus, "official")


FAULTS = (
    "unreadable",
    "blank",
    "copy of a test image",
    "copy of a validation image",
    "two labels",
    "double",
)
"""Why an image is set aside; the first reason that applies is given."""

_RULES = 4  # version of the rules; a file written under other rules is not used


@dataclass(frozen=True)
class SortedImages:
    """Images by subset, and those set aside.

    Parameters
    ----------
    subsets : mapping of str to tuple of str
        Ids of the clips to train, validate and test with.
    faults : mapping of str to mapping of str to tuple of str
        Subset, then fault (one of `FAULTS`), to the clips set aside. The test subset is listed only
        if some of its images are unreadable.
    doubtful : tuple of str
        Test images that are blank, have two labels, or occur twice. They stay in the test, because
        published figures include them; the accuracy without them is reported too.
    """

    subsets: Mapping[str, tuple[str, ...]]
    faults: Mapping[str, Mapping[str, tuple[str, ...]]]
    doubtful: tuple[str, ...]

    def as_published(self, fold: Fold) -> SortedImages:
        """The same with only unreadable images set aside; the training data LEAK.

        They include copies of test images.
        """
        unreadable = {s: self.faults.get(s, {}).get("unreadable", ()) for s in SUBSETS}
        return replace(
            self,
            subsets={
                subset: tuple(name for name in names if name not in unreadable[subset])
                for subset, names in fold.subsets().items()
            },
            faults={s: {"unreadable": names} for s, names in unreadable.items() if names},
        )


def sort_images(
    corpus: Corpus,
    split: Split,
    *,
    workers: int = 1,
    cache: Path | None = None,
    more_tests: Sequence[Clip] = (),
) -> SortedImages:
    """Set copies, blank images and contradictory labels aside, found by the content of the images.

    The test subset stays as published, except for unreadable images. Training and validation lose
    unreadable and blank images, copies of test images, and all but the first of several copies
    within the subset; training also loses copies of validation images. If copies have different
    labels, the label of more than half of them counts and images with another label are set aside;
    without such a majority all are. Labels that raters voted for do not count as different, because
    the votes of two copies differ by chance.

    Parameters
    ----------
    corpus : Corpus
        Of images.
    split : Split
        Its first fold counts.
    workers : int >= 1
        Processes; the result does not depend on it.
    cache : Path, optional
        JSON file for the result, because the search takes minutes. It is read if it fits the split,
        otherwise written.
    more_tests : sequence of Clip
        Further images to test on, outside the split: copies of them are set aside too.

    Raises
    ------
    MediaError
        If no image of a subset is left.
    """
    own = {clip.video for clip in corpus}
    others = {f"more tests/{n}": c for n, c in enumerate(more_tests) if c.video not in own}
    key = (split.hash, digest_images(tuple(others.values())) if others else "")
    if cache is not None and cache.exists():
        kept = json.loads(cache.read_text(encoding="utf-8"))
        if (kept["split"], kept.get("more_tests", ""), kept.get("rules")) == (*key, _RULES):
            subsets = {subset: tuple(names) for subset, names in kept["subsets"].items()}
            return SortedImages(subsets, kept["faults"], tuple(kept["doubtful"]))
    files = files_in_corpus(listing_of(split, corpus), corpus)
    files |= {name: ClipFiles(images=clip.video) for name, clip in others.items()}
    matches = find_matches(files, workers)
    content = {clip.clip_id: _content_fault(clip) for clip in corpus}
    result = sort_by_matches(
        split.folds[0],
        {clip.clip_id: _label(clip) for clip in corpus}
        | {name: _label(clip) for name, clip in others.items()},
        matches.found,
        [name for name, fault in content.items() if fault == "blank"],
        [name for name, fault in content.items() if fault == "unreadable"],
        more_tests=tuple(others),
    )
    for subset, names in result.subsets.items():
        if not names and split.folds[0].subsets()[subset]:
            counts = ", ".join(f"{f} {len(those)}" for f, those in result.faults[subset].items())
            raise MediaError(
                f"No image of {corpus.label} is left {PURPOSES[subset]}; set aside: {counts}."
            )
    if cache is not None:
        write_json(
            cache,
            {"split": key[0], "more_tests": key[1], "rules": _RULES, **asdict(result)},
        )
    return result


def _label(clip: Clip) -> str:
    """The label that copies of an image should share; votes may differ between copies."""
    return "" if clip.votes else clip.emotion or ""


def _content_fault(clip: Clip) -> str:
    """``"blank"``, ``"unreadable"``, or empty."""
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
    more_tests: Iterable[str] = (),
) -> SortedImages:
    """As `sort_images`, with the copies given.

    Parameters
    ----------
    fold : Fold
    labels : mapping of str to str
        Clip id to emotion.
    matches : sequence of Match
        Pairs with the same content.
    blank, unreadable : iterable of str
        Clip ids.
    more_tests : iterable of str
        Names, in `labels` and `matches`, of test images outside the fold.
    """
    names = {name: subset for subset, names in fold.subsets().items() for name in names}
    subset_of = names | dict.fromkeys(more_tests, "test")
    groups = _groups(subset_of, matches)
    blank, unreadable = set(blank), set(unreadable)
    faults: dict[str, dict[str, list[str]]] = {subset: defaultdict(list) for subset in SUBSETS}
    kept: dict[str, list[str]] = {subset: [] for subset in SUBSETS}
    for name, subset in names.items():
        fault = (
            "unreadable"
            if name in unreadable
            else _fault(name, groups[name], subset_of, labels, blank)
        )
        if fault:
            faults[subset][fault].append(name)
        if not fault or (subset == "test" and fault != "unreadable"):
            kept[subset].append(name)
    unreadable_tests = faults["test"].pop("unreadable", [])
    doubtful = tuple(name for names in faults.pop("test").values() for name in names)
    if unreadable_tests:
        faults["test"] = {"unreadable": unreadable_tests}
    return SortedImages(
        {subset: tuple(names) for subset, names in kept.items()},
        {
            subset: {fault: tuple(names) for fault, names in by_fault.items()}
            for subset, by_fault in faults.items()
        },
        doubtful,
    )


def _fault(
    name: str,
    group: Sequence[str],
    subset_of: Mapping[str, str],
    labels: Mapping[str, str],
    blank: set[str],
) -> str:
    """One of `FAULTS`; empty for an image to keep."""
    subset = subset_of[name]
    others = {subset_of[other] for other in group if other != name}
    if name in blank:
        return "blank"
    majority = _majority([labels[other] for other in group])
    if subset == "test" and len({labels[other] for other in group}) > 1:
        return "two labels"
    if subset != "test" and "test" in others:
        return "copy of a test image"
    if subset == "train" and "validation" in others:
        return "copy of a validation image"
    if labels[name] != majority:
        return "two labels"
    same = sorted(o for o in group if subset_of[o] == subset and labels[o] == majority)
    return "double" if same[0] != name else ""


def _majority(labels: Sequence[str]) -> str | None:
    """The label of more than half of the copies."""
    label, count = Counter(labels).most_common(1)[0]
    return label if 2 * count > len(labels) else None


def _groups(names: Iterable[str], matches: Sequence[Match]) -> dict[str, list[str]]:
    """For each name all names with the same content, itself included; copies of copies count."""
    root = {name: name for name in names}

    def top(name: str) -> str:
        while root[name] != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    for match in matches:
        if match.one in root and match.other in root:
            root[top(match.other)] = top(match.one)
    members: dict[str, list[str]] = defaultdict(list)
    for name in root:
        members[top(name)].append(name)
    return {name: members[top(name)] for name in root}
