"""`audit_media`: find leaks in the content of the clips, whatever their names."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from pathlib import Path, PurePosixPath
from typing import Any

from aver.audit.audio_fingerprint import audio_file_fingerprint, find_audio_copies
from aver.audit.audit_split import audit_split, validation_is_test
from aver.audit.finding import Finding, counted
from aver.audit.listing import Listing, clips_by_name, find_clip, listing_of
from aver.audit.names import subset_in_name
from aver.audit.perceptual_hash import (
    find_image_copies,
    find_video_copies,
    image_file_hash,
    video_file_hash,
)
from aver.audit.report import AuditReport
from aver.corpora.corpus import Corpus
from aver.corpora.files import AUDIO_SUFFIXES, IMAGE_SUFFIXES, VIDEO_SUFFIXES, find_media, read_file
from aver.errors import MissingModalityError
from aver.execution.clip_work import clip_work
from aver.execution.tasks import map_tasks
from aver.splits.split import SUBSETS, Split


def audit_media(split: Split | Listing, corpus: Corpus | Path, *, workers: int = 1) -> AuditReport:
    """Audit a split by names, by audio fingerprints and by perceptual hashes.

    Parameters
    ----------
    split : Split or Listing
    corpus : Corpus or Path
        The corpus, or any folder that holds the listed files.
    workers : int >= 1
        Processes; the result does not depend on it.

    Returns
    -------
    AuditReport

    Raises
    ------
    CorpusError
        If the folder is missing.
    """
    if isinstance(split, Split):
        split = listing_of(split, corpus if isinstance(corpus, Corpus) else None)
    if isinstance(corpus, Corpus):
        files = files_in_corpus(split, corpus)
    else:
        files = files_in_folder(split, corpus)
    matches = find_matches(files, workers, _subsets_and_label(split))
    missing = tuple(sorted(set(split.entries) - set(files)))
    findings = [*find_by_media(split, matches), *_find_unread(matches, missing)]
    checked = [
        f"{medium} of {counted(count, 'clip')}"
        for medium, count in matches.compared.items()
        if count
    ]
    return audit_split(split).with_findings(findings, checked)


@dataclass(frozen=True)
class ClipFiles:
    """The files that hold the audio, the video and the image of a clip; None if there is none."""

    audio: Path | None = None
    video: Path | None = None
    images: Path | None = None


def files_in_corpus(listing: Listing, corpus: Corpus) -> dict[str, ClipFiles]:
    """The files of every listed clip that is in the corpus, by name."""
    clips = clips_by_name(corpus)
    found = {
        name: clip
        for name, entry in listing.entries.items()
        if (clip := find_clip(clips, name, entry.path)) is not None
    }
    return {
        name: ClipFiles(audio=clip.audio, images=clip.video)
        if clip.video is not None and clip.video.suffix.lower() in IMAGE_SUFFIXES
        else ClipFiles(audio=clip.audio, video=clip.video)
        for name, clip in found.items()
    }


def files_in_folder(listing: Listing, root: Path) -> dict[str, ClipFiles]:
    """The file that each name most likely means, anywhere below a folder.

    A file fits if its name without suffix equals that of the list's path, or the list's name. Of
    several the one is taken whose folders agree best with those of the path. Folders also agree if
    both name the same subset (``train`` and ``train_splits``). If two agree equally, none is taken.

    Raises
    ------
    CorpusError
        If the folder is missing.
    """
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in find_media(root, VIDEO_SUFFIXES | AUDIO_SUFFIXES | IMAGE_SUFFIXES).files:
        by_stem[path.stem].append(path)
    files = {}
    for name, entry in listing.entries.items():
        wanted, own = PurePosixPath(entry.path or name), PurePosixPath(name)
        stems = (wanted.stem, wanted.name, own.stem, own.name)
        fitting = (_fitting(wanted, stem, by_stem.get(stem, [])) for stem in stems)
        found = _best(wanted, next((some for some in fitting if some), []))
        if found is not None:
            files[name] = _clip_files(found)
    return files


def _fitting(wanted: PurePosixPath, stem: str, files: list[Path]) -> list[Path]:
    """The files with this name; of a bare number in a folder, only those in a similar folder."""
    if not stem.isdigit() or len(wanted.parts) < 2:
        return files
    return [path for path in files if _equal_folders(wanted, path)]


def _equal_folders(wanted: PurePosixPath, path: Path) -> int:
    """How many folders, from the file upwards, are the same or name the same subset."""
    count = 0
    for one, other in zip(reversed(wanted.parts[:-1]), reversed(path.parts[:-1]), strict=False):
        subset = subset_in_name(one)
        if one != other and (subset is None or subset != subset_in_name(other)):
            break
        count += 1
    return count


def _best(wanted: PurePosixPath, files: list[Path]) -> Path | None:
    def agreement(path: Path) -> tuple[bool, int]:
        return path.suffix.lower() == wanted.suffix.lower(), _equal_folders(wanted, path)

    ordered = sorted(files, key=agreement, reverse=True)
    if not ordered or (len(ordered) > 1 and agreement(ordered[0]) == agreement(ordered[1])):
        return None
    return ordered[0]


def _clip_files(path: Path) -> ClipFiles:
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return ClipFiles(images=path)
    if suffix in AUDIO_SUFFIXES:
        return ClipFiles(audio=path)
    return ClipFiles(audio=path, video=path)


@dataclass(frozen=True)
class Match:
    """Two clips with the same content.

    Parameters
    ----------
    one, other : str
        Names, in order.
    medium : {"audio", "images"}
        ``"images"`` also for videos.
    exact : bool
        Whether the files are equal byte for byte.
    """

    one: str
    other: str
    medium: str
    exact: bool


@dataclass(frozen=True)
class Matches:
    """All matches among the clips of a listing.

    Parameters
    ----------
    found : tuple of Match
    unreadable : mapping of str to str
        From the names of clips that could not be compared to the reason.
    compared : mapping of str to int
        Number of clips by what was compared: ``"audio"``, ``"video"``, ``"images"``.
    """

    found: tuple[Match, ...]
    unreadable: Mapping[str, str]
    compared: Mapping[str, int]


GroupOf = Callable[[str], Hashable]
"""What matters about a clip of this name."""

_ALL_PAIRS_UP_TO = 100


def find_matches(
    files: Mapping[str, ClipFiles], workers: int = 1, group_of: GroupOf | None = None
) -> Matches:
    """Compare the media of all clips with each other, by fingerprints and an index.

    Parameters
    ----------
    files : mapping of str to ClipFiles
    workers : int >= 1
        Processes for fingerprinting; the result does not depend on it.
    group_of : callable, optional
        What matters about a name, such as its subsets. Of more than 100 files with equal bytes,
        only the first of each group is paired with the others: all pairs of thousands would be
        millions and say no more.
    """
    unreadable: dict[str, str] = {}
    found: set[Match] = set()
    compared = {}
    for field, medium, fingerprint, search in (
        ("audio", "audio", audio_file_fingerprint, find_audio_copies),
        ("video", "images", video_file_hash, find_video_copies),
        ("images", "images", image_file_hash, find_image_copies),
    ):
        paths = {name: path for name, one in files.items() if (path := getattr(one, field))}
        names, prints = _fingerprints(paths, fingerprint, workers, field, unreadable)
        compared[field] = sum(map(len, names))
        for equal in names:
            found |= {Match(*pair, medium, True) for pair in _pairs(equal, equal, group_of)}
        usable = [number for number, value in enumerate(prints) if value is not None]
        for one, other, _ in search([prints[number] for number in usable]):
            pairs = _pairs(names[usable[one]], names[usable[other]], group_of)
            found |= {Match(*pair, medium, False) for pair in pairs}
    ordered = sorted(found, key=lambda match: (match.one, match.other, match.medium))
    return Matches(tuple(ordered), unreadable, compared)


def _fingerprints(
    files: Mapping[str, Path],
    fingerprint: Callable[[Path], Any],
    workers: int,
    medium: str,
    unreadable: dict[str, str],
) -> tuple[list[list[str]], list[Any]]:
    """Names grouped by equal bytes, and one fingerprint per group; adds to `unreadable`."""
    names_by_hash: dict[str, list[str]] = defaultdict(list)
    prints: dict[str, Any] = {}
    names = sorted(files)
    jobs = [(fingerprint, files[name]) for name in names]
    outcomes = map_tasks(
        _hash_and_fingerprint,
        jobs,
        workers=workers,
        description=f"Comparing {medium}",
        unit="files",
    )
    for name, outcome in zip(names, outcomes, strict=True):
        if outcome.error is None and outcome.value is not None:
            digest, prints_value = outcome.value
            names_by_hash[digest].append(name)
            prints[digest] = prints_value
        elif not isinstance(outcome.error, MissingModalityError):  # a silent video is no fault
            unreadable[name] = str(outcome.error)
    return list(names_by_hash.values()), [prints[digest] for digest in names_by_hash]


def _hash_and_fingerprint(job: tuple[Callable[[Path], Any], Path]) -> tuple[str, Any]:
    fingerprint, path = job
    with clip_work(path):
        return hashlib.sha256(read_file(path)).hexdigest(), fingerprint(path)


def _pairs(
    one: Sequence[str], other: Sequence[str], group_of: GroupOf | None
) -> set[tuple[str, str]]:
    """Pairs of a name of each, in order; of many names one per group with all others."""
    first, second = _one_per_group(one, group_of), _one_per_group(other, group_of)
    found = [*product(first, other), *product(one, second)]
    return {(min(pair), max(pair)) for pair in found if pair[0] != pair[1]}


def _one_per_group(names: Sequence[str], group_of: GroupOf | None) -> list[str]:
    if group_of is None or len(names) <= _ALL_PAIRS_UP_TO:
        return list(names)
    return list({group_of(name): name for name in reversed(names)}.values())


def _subsets_and_label(listing: Listing) -> GroupOf:
    """The subsets of a clip, fold by fold, and its label: all that findings depend on."""
    subsets_of: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for number, subsets in enumerate(listing.folds):
        for subset, names in subsets.items():
            for name in dict.fromkeys(names):
                subsets_of[name].append((number, subset))
    return lambda name: (tuple(subsets_of[name]), listing.entries[name].emotion)


def find_by_media(listing: Listing, matches: Matches) -> Iterator[Finding]:
    """Yield equal contents in two subsets, within a subset, and with two labels."""
    for number, subsets in enumerate(listing.folds, start=1):
        yield from _find_in_fold(subsets, matches, number)
    contradicting = []
    for match in matches.found:
        one, other = (listing.entries[name].emotion for name in (match.one, match.other))
        if one and other and one != other:
            contradicting.append(f"{match.one} ({one}) = {match.other} ({other})")
    if contradicting:
        pairs = counted(len(contradicting), "pair")
        message = f"{pairs} of clips with the same content and two labels."
        yield Finding("contradicting-labels", message, subjects=tuple(contradicting))


def _find_in_fold(
    subsets: Mapping[str, tuple[str, ...]], matches: Matches, number: int
) -> Iterator[Finding]:
    clips = {subset: set(subsets.get(subset, ())) for subset in SUBSETS}
    if validation_is_test(subsets):
        clips["validation"] = set()  # a finding of its own
    groups: dict[tuple[str, str, str], list[Match]] = defaultdict(list)
    for match in matches.found:
        for one, other in combinations_with_replacement(SUBSETS, 2):
            if (match.one in clips[one] and match.other in clips[other]) or (
                match.other in clips[one] and match.one in clips[other]
            ):
                groups[match.medium, one, other].append(match)
    for (medium, one, other), found in groups.items():
        exact = sum(match.exact for match in found)
        message = (
            f"{counted(len(found), 'pair')} of clips with the same {medium}: {exact} byte for "
            f"byte, {len(found) - exact} by fingerprint."
        )
        subjects = tuple(f"{match.one} = {match.other}" for match in found)
        kind, where = ("doubles", (one,)) if one == other else (f"shared-{medium}", (one, other))
        yield Finding(kind, message, number, where, subjects)


def _find_unread(matches: Matches, missing: tuple[str, ...]) -> Iterator[Finding]:
    if matches.unreadable:
        message = f"{counted(len(matches.unreadable), 'clip')} with media that cannot be read."
        subjects = tuple(f"{name}: {why}" for name, why in sorted(matches.unreadable.items()))
        yield Finding("unreadable-media", message, subjects=subjects)
    if missing:
        message = f"{counted(len(missing), 'clip')} without a file there."
        yield Finding("unreadable-media", message, subjects=missing)
