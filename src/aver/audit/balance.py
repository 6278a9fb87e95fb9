"""Whether the parts are alike, and whether everybody is tested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations

from aver.audit.entry import Entry
from aver.audit.finding import Finding
from aver.audit.listing import Listing
from aver.splits.leak import UNKNOWN_SPEAKERS, declares
from aver.splits.split import PARTS

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
