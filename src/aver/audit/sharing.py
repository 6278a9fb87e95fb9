"""Whether the parts are alike, and whether everybody is tested."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations

from aver.audit.finding import Finding
from aver.audit.listing import Listing
from aver.audit.names import Entry
from aver.splits.split import (
    PARTS,
    SHARED_PERFORMANCES,
    SHARED_SPEAKERS,
    UNKNOWN_SPEAKERS,
    VALIDATION_IS_TEST,
    declares,
)

Parts = Mapping[str, tuple[str, ...]]


def find_shared(listing: Listing) -> Iterator[Finding]:
    """Yield what parts of each fold share by name, and clips listed twice within a part.

    Where validation equals test, that is one finding of its own, and the two are not compared.

    Parameters
    ----------
    listing : Listing

    Yields
    ------
    Finding
    """
    for number, parts in enumerate(listing.folds, start=1):
        same = validation_is_test(parts)
        if same:
            count = len(set(parts["test"]))
            yield Finding(
                VALIDATION_IS_TEST,
                f"The validation part is the test part: the same {pair_words(count, 'clip')}.",
                number,
                ("validation", "test"),
                declared=declares(listing.declared, VALIDATION_IS_TEST),
            )
        yield from _repeated(parts, number)
        for one, other in combinations(PARTS, 2):
            if not parts.get(one) or not parts.get(other):
                continue
            if same and (one, other) == ("validation", "test"):
                continue
            yield from _shared_by(listing, parts, number, one, other)
        yield from _shared_sentences(listing, parts, number)


def validation_is_test(parts: Parts) -> bool:
    """Whether the two parts hold the same clips, and any."""
    return bool(parts.get("validation")) and set(parts["validation"]) == set(parts.get("test", ()))


def pair_words(count: int, what: str) -> str:
    """A count with its noun.

    Examples
    --------
    >>> pair_words(1, "clip"), pair_words(3, "clip")
    ('1 clip', '3 clips')
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _repeated(parts: Parts, number: int) -> Iterator[Finding]:
    for part, names in parts.items():
        if len(set(names)) == len(names):
            continue
        twice = tuple(sorted(name for name, count in Counter(names).items() if count > 1))
        message = f"{pair_words(len(twice), 'clip')} listed more than once in {part}."
        yield Finding("repeated-clips", message, number, (part,), twice)


def _shared_by(
    listing: Listing, parts: Parts, number: int, one: str, other: str
) -> Iterator[Finding]:
    entries = listing.entries
    place = (number, (one, other))
    clips = set(parts[one]) & set(parts[other])
    if clips:
        message = f"{pair_words(len(clips), 'clip')} of {one} also in {other}."
        yield Finding("shared-clips", message, *place, tuple(sorted(clips)))
    files, copies = _shared_recordings(entries, set(parts[one]), set(parts[other]))
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
    speakers = _facts(entries, parts[one], _speaker) & _facts(entries, parts[other], _speaker)
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


def _shared_sentences(listing: Listing, parts: Parts, number: int) -> Iterator[Finding]:
    filled = [part for part in PARTS if parts.get(part)]
    if len(filled) < 2:
        return
    sets = [_facts(listing.entries, parts[part], lambda entry: entry.sentence) for part in filled]
    everywhere = set.intersection(*sets)
    if everywhere:
        of = len(set.union(*sets))
        message = f"{len(everywhere)} of {pair_words(of, 'sentence')} said in every part."
        yield Finding("shared-sentences", message, number, tuple(filled), tuple(sorted(everywhere)))


def _speaker(entry: Entry) -> str | None:
    return entry.speaker


def _facts(
    entries: Mapping[str, Entry], names: tuple[str, ...], fact: Callable[[Entry], str | None]
) -> set[str]:
    return {value for name in names if (value := fact(entries[name])) is not None}


LARGEST_DIFFERENCE = 0.10
"""Shares that differ by more than this between two parts are warned of."""


def find_imbalance(listing: Listing) -> Iterator[Finding]:
    """Yield classes and sexes whose share differs by more than ten points between two parts."""
    laws: tuple[tuple[str, Callable[[Entry], str | None]], ...] = (
        ("class-imbalance", lambda entry: entry.emotion),
        ("sex-imbalance", lambda entry: entry.sex),
    )
    for number, parts in enumerate(listing.folds, start=1):
        for kind, fact in laws:
            shares = {part: _shares(listing, names, fact) for part, names in parts.items() if names}
            worst: dict[str, tuple[float, str, str]] = {}
            for one, other in combinations([part for part in PARTS if shares.get(part)], 2):
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
    """Yield speakers that no fold tests, speakers nobody knows, and parts without clips."""
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
    for number, parts in enumerate(listing.folds, start=1):
        for part in ("train", "test"):
            if not parts.get(part):
                yield Finding("empty-part", f"No clip in {part}.", number, (part,))
        if not parts.get("validation"):
            yield Finding("no-validation", "No clip in validation.", number)
