"""`find_matches`: which clips hold the same sound or the same pictures."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from aver.audit.film_print import print_of_film_file
from aver.audit.media_places import MediaPlace
from aver.audit.near_films import find_near_films
from aver.audit.near_pictures import find_near_pictures
from aver.audit.near_sounds import find_near_sounds
from aver.audit.picture_print import print_of_picture_file
from aver.audit.sound_print import print_of_sound_file
from aver.corpora.archive import read_file
from aver.errors import MissingModalityError
from aver.execution.tasks import map_tasks


@dataclass(frozen=True)
class Match:
    """Two clips with one content.

    Parameters
    ----------
    one, other : str
        Names, in order.
    medium : {"sound", "pictures"}
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
    sounds: int
    films: int
    pictures: int


def find_matches(places: Mapping[str, MediaPlace], workers: int = 1) -> Matches:
    """Compare the media of all clips with each other, by fingerprints and an index.

    Parameters
    ----------
    places : mapping of str to MediaPlace
    workers : int >= 1
        Processes for fingerprinting; the result does not depend on it.
    """
    unreadable: dict[str, str] = {}
    found: list[Match] = []
    counts = []
    passes: tuple[tuple[str, str, Callable[[Path], Any], Callable[..., Any]], ...] = (
        ("sound", "sound", print_of_sound_file, find_near_sounds),
        ("film", "pictures", print_of_film_file, find_near_films),
        ("picture", "pictures", print_of_picture_file, find_near_pictures),
    )
    for field, medium, take, search in passes:
        files = {name: path for name, place in places.items() if (path := getattr(place, field))}
        groups, prints = _prints(files, take, workers, f"Comparing {field}s", unreadable)
        counts.append(sum(len(names) for names in groups))
        for names in groups:
            found += [Match(one, two, medium, True) for one, two in combinations(names, 2)]
        usable = [place for place, value in enumerate(prints) if value is not None]
        for one, two, _ in search([prints[place] for place in usable]):
            found += [
                Match(min(first, second), max(first, second), medium, False)
                for first in groups[usable[one]]
                for second in groups[usable[two]]
            ]
    ordered = sorted(set(found), key=lambda match: (match.one, match.other, match.medium))
    return Matches(tuple(ordered), unreadable, *counts)


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
