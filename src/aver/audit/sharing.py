"""Whether the subsets are alike, and whether everybody is tested."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations

from aver.audit.finding import Finding
from aver.audit.listing import Listing
from aver.audit.names import Entry
from aver.splits.split import (
    SHARED_PERFORMANCES,
    SHARED_SPEAKERS,
    SUBSETS,
    UNKNOWN_SPEAKERS,
    VALIDATION_IS_TEST,
    declares,
)

Subsets = Mapping[str, tuple[str, ...]]


def find_shared(listing: Listing) -> Iterator[Finding]:
    """Yield what subsets of each fold share by name, and clips listed twice within a subset.

    Where validation equals test, that is one finding of its own, and the two are not compared.

    Parameters
    ----------
    listing : Listing

    Yields
    ------
    Finding
    """
    for number, subsets in enumerate(listing.folds, start=1):
        same = validation_is_test(subsets)
        if same:
            count = len(set(subsets["test"]))
            yield Finding(
                VALIDATION_IS_TEST,
                f"The validation subset is the test subset: the same {pair_words(count, 'clip')}.",
                number,
                ("validation", "test"),
                declared=declares(listing.declared, VALIDATION_IS_TEST),
            )
        yield from _repeated(subsets, number)
        for one, other in combinations(SUBSETS, 2):
            if not subsets.get(one) or not subsets.get(other):
                continue
            if same and (one, other) == ("validation", "test"):
                continue
            yield from _shared_by(listing, subsets, number, one, other)
        yield from _shared_sentences(listing, subsets, number)


def validation_is_test(subsets: Subsets) -> bool:
    """Whether the two subsets hold the same clips, and any."""
    return bool(subsets.get("validation")) and set(subsets["validation"]) == set(
        subsets.get("test", ())
    )


def pair_words(count: int, what: str) -> str:
    """A count with its noun.

    Examples
    --------
    >>> pair_words(1, "clip"), pair_words(3, "clip")
    ('1 clip', '3 clips')
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _repeated(subsets: Subsets, number: int) -> Iterator[Finding]:
    for subset, names in subsets.items():
        if len(set(names)) == len(names):
            continue
        twice = tuple(sorted(name for name, count in Counter(names).items() if count > 1))
        message = f"{pair_words(len(twice), 'clip')} listed more than once in {subset}."
        yield Finding("repeated-clips", message, number, (subset,), twice)


def _shared_by(
    listing: Listing, subsets: Subsets, number: int, one: str, other: str
) -> Iterator[Finding]:
    entries = listing.entries
    place = (number, (one, other))
    clips = set(subsets[one]) & set(subsets[other])
    if clips:
        message = f"{pair_words(len(clips), 'clip')} of {one} also in {other}."
        yield Finding("shared-clips", message, *place, tuple(sorted(clips)))
    files, copies = _shared_recordings(entries, set(subsets[one]), set(subsets[other]))
    if files:
        count = pair_words(len(files), "performance")
        yield Finding(
            SHARED_PERFORMANCES,
            f"{count} with files in {one} and others in {other}.",
            *place,
            tuple(sorted(files)),
            declares(listing.declared, SHARED_PERFORMANCES),
        )
    if copies:
        count = pair_words(len(copies), "recording")
        message = f"{count} with augmented or cut copies on both sides: {one} and {other}."
        yield Finding("derived-copies", message, *place, tuple(sorted(copies)))
    speakers = _facts(entries, subsets[one], _speaker) & _facts(entries, subsets[other], _speaker)
    if speakers:
        count = pair_words(len(speakers), "speaker")
        yield Finding(
            SHARED_SPEAKERS,
            f"{count} of {one} also in {other}.",
            *place,
            tuple(sorted(speakers)),
            declares(listing.declared, SHARED_SPEAKERS),
        )


def _shared_recordings(
    entries: Mapping[str, Entry], one: set[str], other: set[str]
) -> tuple[list[str], list[str]]:
    """Pairs of different names of one recording: files of it, and copies or pieces of it."""
    first, second = _by_recording(entries, one), _by_recording(entries, other)
    files: list[str] = []
    copies: list[str] = []
    for recording in first.keys() & second.keys():
        names = first[recording] | second[recording]
        if len(names) == 1:  # the clip itself, on both sides
            continue
        plain = {name for name in names if not entries[name].derived}
        whole = _different(first[recording] & plain, second[recording] & plain)
        if whole is not None:
            files.append(" = ".join(whole))
            continue
        copies.append(" = ".join(_different(first[recording], second[recording]) or ()))
    return files, copies


def _different(one: set[str], other: set[str]) -> tuple[str, str] | None:
    """A name of each, the two unequal; None where there are no such."""
    for name in sorted(one):
        rest = other - {name}
        if rest:
            return name, min(rest)
    return None


def _by_recording(entries: Mapping[str, Entry], names: set[str]) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for name in names:
        groups[entries[name].recording].add(name)
    return groups


def _shared_sentences(listing: Listing, subsets: Subsets, number: int) -> Iterator[Finding]:
    filled = [subset for subset in SUBSETS if subsets.get(subset)]
    if len(filled) < 2:
        return
    sets = [
        _facts(listing.entries, subsets[subset], lambda entry: entry.sentence) for subset in filled
    ]
    everywhere = set.intersection(*sets)
    if everywhere:
        of = len(set.union(*sets))
        message = f"{len(everywhere)} of {pair_words(of, 'sentence')} said in every subset."
        yield Finding("shared-sentences", message, number, tuple(filled), tuple(sorted(everywhere)))


def _speaker(entry: Entry) -> str | None:
    return entry.speaker


def _facts(
    entries: Mapping[str, Entry], names: tuple[str, ...], fact: Callable[[Entry], str | None]
) -> set[str]:
    return {value for name in names if (value := fact(entries[name])) is not None}


LARGEST_DIFFERENCE = 0.10
"""Shares that differ by more than this between two subsets are warned of."""


def find_imbalance(listing: Listing) -> Iterator[Finding]:
    """Yield classes and sexes whose share differs by more than ten points between two subsets."""
    laws: tuple[tuple[str, Callable[[Entry], str | None]], ...] = (
        ("class-imbalance", lambda entry: entry.emotion),
        ("sex-imbalance", lambda entry: entry.sex),
    )
    for number, subsets in enumerate(listing.folds, start=1):
        for kind, fact in laws:
            shares = {
                subset: _shares(listing, names, fact) for subset, names in subsets.items() if names
            }
            worst: dict[str, tuple[float, str, str]] = {}
            for one, other in combinations([subset for subset in SUBSETS if shares.get(subset)], 2):
                for value in shares[one].keys() | shares[other].keys():
                    gap = abs(shares[one].get(value, 0.0) - shares[other].get(value, 0.0))
                    if gap > LARGEST_DIFFERENCE + 1e-12 and gap > worst.get(value, (0.0,))[0]:
                        worst[value] = (gap, one, other)
            if worst:
                yield _imbalance(kind, number, worst, shares)


def _shares(
    listing: Listing, names: tuple[str, ...], fact: Callable[[Entry], str | None]
) -> dict[str, float]:
    counts = Counter(value for name in names if (value := fact(listing.entries[name])) is not None)
    return {value: count / counts.total() for value, count in counts.items()}


def _imbalance(
    kind: str,
    number: int,
    worst: dict[str, tuple[float, str, str]],
    shares: dict[str, dict[str, float]],
) -> Finding:
    value = max(sorted(worst), key=lambda name: worst[name][0])
    _, one, other = worst[value]
    here, there = shares[one].get(value, 0.0), shares[other].get(value, 0.0)
    message = f"{value!r} is {here:.0%} of {one} and {there:.0%} of {other}."
    return Finding(kind, message, number, (one, other), tuple(sorted(worst)))


def find_untested(listing: Listing) -> Iterator[Finding]:
    """Yield speakers that no fold tests, speakers nobody knows, and subsets without clips."""
    speakers = {entry.speaker for entry in listing.entries.values()} - {None}
    tested = {
        listing.entries[name].speaker for fold in listing.folds for name in fold.get("test", ())
    }
    left_out = tuple(sorted(str(speaker) for speaker in speakers - tested))
    if left_out:
        message = f"{len(left_out)} of {len(speakers)} speakers never tested."
        kind = "untested-speakers" if len(listing.folds) > 1 else "held-out-test"
        yield Finding(kind, message, subjects=left_out)
    nameless = tuple(sorted(n for n, entry in listing.entries.items() if entry.speaker is None))
    if nameless:
        yield Finding(
            UNKNOWN_SPEAKERS,
            f"The speaker of {len(nameless)} of {len(listing.entries)} clips is unknown.",
            subjects=nameless,
            declared=declares(listing.declared, UNKNOWN_SPEAKERS),
        )
    for number, subsets in enumerate(listing.folds, start=1):
        for subset in ("train", "test"):
            if not subsets.get(subset):
                yield Finding("empty-subset", f"No clip in {subset}.", number, (subset,))
        if not subsets.get("validation"):
            yield Finding("no-validation", "No clip in validation.", number)
