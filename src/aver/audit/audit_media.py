"""`audit_media`: find leaks in what the clips hold, whatever their names say."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Any

from aver.audit.audit_split import audit_split
from aver.audit.finding import Finding
from aver.audit.fingerprints import (
    audio_file_fingerprint,
    image_file_fingerprint,
    video_file_fingerprint,
)
from aver.audit.listing import Listing, clips_by_name, find_clip, listing_of
from aver.audit.names import subset_in_name
from aver.audit.near_duplicates import find_near_audio, find_near_images, find_near_videos
from aver.audit.report import AuditReport
from aver.audit.sharing import pair_words, validation_is_test
from aver.corpora.corpus import Corpus
from aver.corpora.files import AUDIO_SUFFIXES, IMAGE_SUFFIXES, VIDEO_SUFFIXES, find_media, read_file
from aver.errors import MissingModalityError
from aver.execution.tasks import map_tasks
from aver.splits.split import SUBSETS, Split


@dataclass(frozen=True)
class MediaPlace:
    """Where to take a clip's sound, its film and its picture from; None where there is none."""

    audio: Path | None = None
    film: Path | None = None
    image: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Distinct files."""
        return tuple(dict.fromkeys(path for path in (self.audio, self.film, self.image) if path))


def places_in_corpus(listing: Listing, corpus: Corpus) -> dict[str, MediaPlace]:
    """The files of every clip that the corpus has."""
    clips = clips_by_name(corpus)
    places = {}
    for name, entry in listing.entries.items():
        clip = find_clip(clips, name, entry.path)
        if clip is None:
            continue
        image = clip.video is not None and clip.video.suffix.lower() in IMAGE_SUFFIXES
        places[name] = MediaPlace(
            audio=clip.audio,
            film=None if image else clip.video,
            image=clip.video if image else None,
        )
    return places


def places_in_folder(listing: Listing, root: Path) -> dict[str, MediaPlace]:
    """The file that each name most likely means, below any folder.

    A file fits if its name without suffix is the same as that of the list's path, else as the
    list's name; of several, the one whose folders agree most with the path's own. Folders agree too
    if both name one subset (``train`` and ``train_splits``). If two agree equally, none is taken.

    Raises
    ------
    CorpusError
        If the folder is missing.
    """
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in find_media(root, VIDEO_SUFFIXES | AUDIO_SUFFIXES | IMAGE_SUFFIXES).files:
        by_stem[path.stem].append(path)
    places = {}
    for name, entry in listing.entries.items():
        wanted = PurePosixPath(entry.path or name)
        own = PurePosixPath(name)
        stems = (wanted.stem, wanted.name, own.stem, own.name)
        files = (_eligible(wanted, stem, by_stem.get(stem, [])) for stem in stems)
        found = _best(wanted, next((some for some in files if some), []))
        if found is not None:
            places[name] = _place(found)
    return places


def _eligible(wanted: PurePosixPath, stem: str, files: list[Path]) -> list[Path]:
    """The files of a name; of a bare number in a folder, only those in a folder like it."""
    if not stem.isdigit() or len(wanted.parts) < 2:
        return files
    return [path for path in files if _folders_agree(wanted, path)]


def _folders_agree(wanted: PurePosixPath, path: Path) -> int:
    """How many folders, from the file up, are the same or name the same subset."""
    count = 0
    for one, other in zip(reversed(wanted.parts[:-1]), reversed(path.parts[:-1]), strict=False):
        subset = subset_in_name(one)
        if one != other and (subset is None or subset != subset_in_name(other)):
            break
        count += 1
    return count


def _best(wanted: PurePosixPath, files: list[Path]) -> Path | None:
    def agreement(path: Path) -> tuple[bool, int]:
        return path.suffix.lower() == wanted.suffix.lower(), _folders_agree(wanted, path)

    if not files:
        return None
    ordered = sorted(files, key=agreement, reverse=True)
    if len(ordered) > 1 and agreement(ordered[0]) == agreement(ordered[1]):
        return None
    return ordered[0]


def _place(path: Path) -> MediaPlace:
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return MediaPlace(image=path)
    if suffix in AUDIO_SUFFIXES:
        return MediaPlace(audio=path)
    return MediaPlace(audio=path, film=path)


KindOf = Callable[[str], Hashable]

_FEW = 100


@dataclass(frozen=True)
class Match:
    """Two clips with one content.

    Parameters
    ----------
    one, other : str
        Names, in order.
    medium : {"audio", "images"}
    exact : bool
        Whether the files are equal byte for byte.
    """

    one: str
    other: str
    medium: str
    exact: bool


@dataclass(frozen=True)
class Matches:
    """All matches among the clips of a listing, and what could not be compared."""

    found: tuple[Match, ...]
    unreadable: Mapping[str, str]
    audio_tracks: int
    films: int
    images: int


def find_matches(
    places: Mapping[str, MediaPlace],
    workers: int = 1,
    kind_of: KindOf | None = None,
) -> Matches:
    """Compare the media of all clips with each other, by fingerprints and an index.

    Parameters
    ----------
    places : mapping of str to MediaPlace
    workers : int >= 1
        Processes for fingerprinting; the result does not depend on it.
    kind_of : callable, optional
        What matters of a name, such as its subsets. Of many files with equal bytes (over 100) only
        the first of each kind is paired with the others: all pairs of thousands would be millions
        and say no more.
    """
    unreadable: dict[str, str] = {}
    found: list[Match] = []
    counts = []
    passes: tuple[tuple[str, str, Callable[[Path], Any], Callable[..., Any]], ...] = (
        ("audio", "audio", audio_file_fingerprint, find_near_audio),
        ("film", "images", video_file_fingerprint, find_near_videos),
        ("image", "images", image_file_fingerprint, find_near_images),
    )
    for field, medium, take, search in passes:
        files = {name: path for name, place in places.items() if (path := getattr(place, field))}
        groups, prints = _prints(files, take, workers, f"Comparing {field}s", unreadable)
        counts.append(sum(len(names) for names in groups))
        for names in groups:
            found += [Match(*pair, medium, True) for pair in _pairs(names, names, kind_of)]
        usable = [place for place, value in enumerate(prints) if value is not None]
        for one, two, _ in search([prints[place] for place in usable]):
            pairs = _pairs(groups[usable[one]], groups[usable[two]], kind_of)
            found += [Match(*pair, medium, False) for pair in pairs]
    ordered = sorted(set(found), key=lambda match: (match.one, match.other, match.medium))
    return Matches(tuple(ordered), unreadable, *counts)


def _pairs(
    one: Sequence[str], other: Sequence[str], kind_of: KindOf | None
) -> set[tuple[str, str]]:
    """Pairs of a name of each, in order; of many names those that tell apart what matters."""
    first, second = _of_each_kind(one, kind_of), _of_each_kind(other, kind_of)
    found = [*product(first, other), *product(one, second)]
    return {(min(pair), max(pair)) for pair in found if pair[0] != pair[1]}


def _of_each_kind(names: Sequence[str], kind_of: KindOf | None) -> list[str]:
    if kind_of is None or len(names) <= _FEW:
        return list(names)
    return list({kind_of(name): name for name in reversed(names)}.values())


def _prints(
    files: Mapping[str, Path],
    take: Callable[[Path], Any],
    workers: int,
    description: str,
    unreadable: dict[str, str],
) -> tuple[list[list[str]], list[Any]]:
    """Names grouped by equal bytes, and one fingerprint per group."""
    by_content: dict[str, list[str]] = defaultdict(list)
    names = sorted(files)
    jobs: Sequence[tuple[Callable[[Path], Any], Path]] = [(take, files[name]) for name in names]
    prints: dict[str, Any] = {}
    outcomes = map_tasks(_take, jobs, workers=workers, description=description)
    for name, outcome in zip(names, outcomes, strict=True):
        if outcome.error is not None or outcome.value is None:
            # A film without sound is no fault.
            if not isinstance(outcome.error, MissingModalityError):
                unreadable[name] = str(outcome.error)
            continue
        digest, value = outcome.value
        by_content[digest].append(name)
        prints[digest] = value
    return list(by_content.values()), [prints[digest] for digest in by_content]


def _take(job: tuple[Callable[[Path], Any], Path]) -> tuple[str, Any]:
    take, path = job
    return hashlib.sha256(read_file(path)).hexdigest(), take(path)


def audit_media(split: Split | Listing, corpus: Corpus | Path, *, workers: int = 1) -> AuditReport:
    """Audit a split by names, and by fingerprints of sound and pictures.

    Parameters
    ----------
    split : Split or Listing
    corpus : Corpus or Path
        The corpus, or any folder in which the listed files lie.
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
    known = corpus if isinstance(corpus, Corpus) else None
    listing = listing_of(split, known) if isinstance(split, Split) else split
    places = (
        places_in_folder(listing, corpus)
        if isinstance(corpus, Path)
        else places_in_corpus(listing, corpus)
    )
    matches = find_matches(places, workers, _kinds_of_names(listing))
    unfound = tuple(sorted(set(listing.entries) - set(places)))
    findings = [*find_by_media(listing, matches), *_not_compared(matches, unfound)]
    counted = (
        (matches.audio_tracks, "the sound"),
        (matches.films, "the films"),
        (matches.images, "the pictures"),
    )
    checked = [f"{what} of {pair_words(count, 'clip')}" for count, what in counted if count]
    return audit_split(listing).with_findings(findings, checked)


def _kinds_of_names(listing: Listing) -> KindOf:
    """The subsets that a name is in, fold by fold, and its label: all that findings depend on."""
    subsets_of: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for number, subsets in enumerate(listing.folds):
        for subset, names in subsets.items():
            for name in dict.fromkeys(names):
                subsets_of[name].append((number, subset))
    return lambda name: (tuple(subsets_of[name]), listing.entries[name].emotion)


def find_by_media(listing: Listing, matches: Matches) -> Iterator[Finding]:
    """Yield same contents in two subsets, within a subset, and under two labels."""
    for number, subsets in enumerate(listing.folds, start=1):
        yield from _in_fold(subsets, matches, number)
    contradicting = []
    for match in matches.found:
        one, other = (listing.entries[name].emotion for name in (match.one, match.other))
        if one and other and one != other:
            contradicting.append(f"{match.one} ({one}) = {match.other} ({other})")
    if contradicting:
        message = f"{pair_words(len(contradicting), 'pair')} of clips with one content, two labels."
        yield Finding("contradicting-labels", message, subjects=tuple(contradicting))


def _in_fold(
    subsets: Mapping[str, tuple[str, ...]], matches: Matches, number: int
) -> Iterator[Finding]:
    sets = {subset: set(subsets.get(subset, ())) for subset in SUBSETS}
    if validation_is_test(subsets):
        sets["validation"] = set()  # a finding of its own
    groups: dict[tuple[str, str, str], list[Match]] = defaultdict(list)
    for match in matches.found:
        for place, one in enumerate(SUBSETS):
            for other in SUBSETS[place:]:
                if _between(match, sets[one], sets[other]):
                    groups[match.medium, one, other].append(match)
    for (medium, one, other), found in groups.items():
        exact = sum(match.exact for match in found)
        pairs = f"{pair_words(len(found), 'pair')} of clips with the same {medium}"
        how = f"{exact} byte for byte, {len(found) - exact} by fingerprint"
        subjects = tuple(f"{match.one} = {match.other}" for match in found)
        if one == other:
            yield Finding("doubles", f"{pairs}: {how}.", number, (one,), subjects)
        else:
            kind = "shared-audio" if medium == "audio" else "shared-images"
            yield Finding(kind, f"{pairs}: {how}.", number, (one, other), subjects)


def _between(match: Match, one: set[str], other: set[str]) -> bool:
    return (match.one in one and match.other in other) or (
        match.other in one and match.one in other
    )


def _not_compared(matches: Matches, unfound: tuple[str, ...]) -> Iterator[Finding]:
    if matches.unreadable:
        message = f"{pair_words(len(matches.unreadable), 'clip')} with media that cannot be read."
        subjects = tuple(f"{name}: {why}" for name, why in sorted(matches.unreadable.items()))
        yield Finding("unreadable-media", message, subjects=subjects)
    if unfound:
        message = f"{pair_words(len(unfound), 'clip')} without a file there."
        yield Finding("unreadable-media", message, subjects=unfound)
