"""`find_matches`: which clips hold the same sound or the same pictures."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
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

KindOf = Callable[[str], Hashable]

_FEW = 100


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
        What matters of a name, such as its parts. Of many files with equal bytes (over 100) only
        the first of each kind is paired with the others: all pairs of thousands would be millions
        and say no more.
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
