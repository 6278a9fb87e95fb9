"""`audit_split`: find the leaks of a split from names alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations

from aver.audit.finding import Finding, counted
from aver.audit.listing import Listing, listing_of
from aver.audit.names import Entry
from aver.audit.report import AuditReport
from aver.corpora.corpus import Corpus
from aver.splits.split import (
    SHARED_PERFORMANCES,
    SHARED_SPEAKERS,
    SUBSETS,
    UNKNOWN_SPEAKERS,
    VALIDATION_IS_TEST,
    Split,
    declares,
    shared_between,
)


def audit_split(split: Split | Listing, corpus: Corpus | None = None) -> AuditReport:
    """Audit a split without opening any media; the step before every training.

    Parameters
    ----------
    split : Split or Listing
        A split of this library, or any other split read by `read_listing`.
    corpus : Corpus, optional
        Gives the speakers, performances and labels of a `Split`. Without it they are read from
        names of the kinds that `aver.audit.names` knows. A `Listing` has taken them from the
        corpus when it was read.

    Returns
    -------
    AuditReport
        Its `exit_code` is 1 if there is a leak.

    Examples
    --------
    >>> from aver.splits import Fold, Split
    >>> fold = Fold(("1001_DFA_ANG_XX",), (), ("1001_DFA_SAD_XX",))
    >>> report = audit_split(Split("by hand", "cremad", 0, (fold,)))
    >>> report.exit_code, report.leaks[0].message
    (1, '1 speaker of train also in test.')
    """
    listing = listing_of(split, corpus) if isinstance(split, Split) else split
    return AuditReport.of(listing, _find_by_names(listing))


def validation_is_test(subsets: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether validation and test are the same clips, and not empty."""
    return bool(subsets.get("validation")) and set(subsets["validation"]) == set(
        subsets.get("test", ())
    )


def shared_speakers(
    number: int, one: str, other: str, speakers: Iterable[str], listing: Listing
) -> Finding:
    """The finding that two subsets of a fold share speakers."""
    subjects = tuple(sorted(speakers))
    return Finding(
        SHARED_SPEAKERS,
        f"{counted(len(subjects), 'speaker')} of {one} also in {other}.",
        number,
        (one, other),
        subjects,
        declares(listing.declared, SHARED_SPEAKERS),
    )


def _find_by_names(listing: Listing) -> Iterator[Finding]:
    """All that names tell, and what the split declares if names cannot tell it."""
    shared = [
        finding
        for number, subsets in enumerate(listing.folds, start=1)
        for finding in _find_shared(listing, number, subsets)
    ]
    yield from shared
    yield from _find_declared(listing, {finding.kind for finding in shared})
    yield from _find_imbalance(listing)
    yield from _find_untested(listing)
    if listing.unknown:
        message = f"{len(listing.unknown)} of {len(listing.entries)} clips not in the corpus."
        yield Finding("unknown-clips", message, subjects=listing.unknown)
    if listing.unassigned:
        message = f"{counted(len(listing.unassigned), 'clip')} left out."
        yield Finding("unknown-subsets", message, subjects=listing.unassigned)


def _find_shared(
    listing: Listing, number: int, subsets: Mapping[str, tuple[str, ...]]
) -> Iterator[Finding]:
    """What the subsets of a fold share, and clips listed twice within a subset.

    If validation equals test, that is one finding of its own, and the two are not compared.
    """
    entries = listing.entries
    same = validation_is_test(subsets)
    if same:
        count = len(set(subsets["test"]))
        yield Finding(
            VALIDATION_IS_TEST,
            f"The validation subset is the test subset: the same {counted(count, 'clip')}.",
            number,
            ("validation", "test"),
            declared=declares(listing.declared, VALIDATION_IS_TEST),
        )
    for subset, names in subsets.items():
        twice = tuple(sorted(name for name, count in Counter(names).items() if count > 1))
        if twice:
            message = f"{counted(len(twice), 'clip')} listed more than once in {subset}."
            yield Finding("repeated-clips", message, number, (subset,), twice)
    for one, other, clips in shared_between(subsets, lambda name: name, same):
        message = f"{counted(len(clips), 'clip')} of {one} also in {other}."
        yield Finding("shared-clips", message, number, (one, other), tuple(sorted(clips)))
    for one, other, _ in shared_between(subsets, lambda name: entries[name].recording, same):
        yield from _shared_recordings(listing, number, one, other)
    for one, other, speakers in shared_between(subsets, lambda name: entries[name].speaker, same):
        yield shared_speakers(number, one, other, speakers, listing)
    filled = [subset for subset in SUBSETS if subsets.get(subset)]
    sentences = [{entries[name].sentence for name in subsets[subset]} - {None} for subset in filled]
    everywhere = set.intersection(*sentences) if len(filled) > 1 else set()
    if everywhere:
        total = counted(len(set.union(*sentences)), "sentence")
        message = f"{len(everywhere)} of {total} in every subset."
        subjects = tuple(sorted(map(str, everywhere)))
        yield Finding("shared-sentences", message, number, tuple(filled), subjects)


def _shared_recordings(listing: Listing, number: int, one: str, other: str) -> Iterator[Finding]:
    """Different names of one recording in two subsets: its files, and its copies or pieces."""
    entries, fold = listing.entries, listing.folds[number - 1]
    first, second = _by_recording(entries, fold[one]), _by_recording(entries, fold[other])
    files: list[str] = []
    copies: list[str] = []
    for recording in first.keys() & second.keys():
        names = first[recording] | second[recording]
        if len(names) == 1:  # the same clip in both
            continue
        originals = {name for name in names if not entries[name].derived}
        pair = _different_pair(first[recording] & originals, second[recording] & originals)
        if pair is not None:
            files.append(" = ".join(pair))
        else:
            pair = _different_pair(first[recording], second[recording])
            copies.append(" = ".join(pair or ()))
    if files:
        yield Finding(
            SHARED_PERFORMANCES,
            f"{counted(len(files), 'performance')} with files in {one} and others in {other}.",
            number,
            (one, other),
            tuple(sorted(files)),
            declares(listing.declared, SHARED_PERFORMANCES),
        )
    if copies:
        count = counted(len(copies), "recording")
        message = f"{count} with augmented or cut copies in both {one} and {other}."
        yield Finding("derived-copies", message, number, (one, other), tuple(sorted(copies)))


def _by_recording(entries: Mapping[str, Entry], names: Iterable[str]) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for name in names:
        groups[entries[name].recording].add(name)
    return groups


def _different_pair(one: set[str], other: set[str]) -> tuple[str, str] | None:
    """The first pair of different names, one of each set; None if there is none."""
    return next(((name, min(other - {name})) for name in sorted(one) if other - {name}), None)


def _find_declared(listing: Listing, found: set[str]) -> Iterator[Finding]:
    """Leaks that the split declares and that names cannot show."""
    known = all(entry.speaker for entry in listing.entries.values())
    settled = {*found, UNKNOWN_SPEAKERS, VALIDATION_IS_TEST, *([SHARED_SPEAKERS] if known else [])}
    sentences = tuple(s for s in listing.declared if s.partition(":")[0].strip() not in settled)
    if sentences:
        message = f"The split declares {counted(len(sentences), 'leak')}."
        yield Finding("leaking-protocol", message, subjects=sentences, declared=True)


MAX_DIFFERENCE = 0.10
"""Shares that differ by more than this between two subsets give a warning."""


def _find_imbalance(listing: Listing) -> Iterator[Finding]:
    """Classes and sexes whose share differs by more than ten points between two subsets."""
    facts: tuple[tuple[str, Callable[[Entry], str | None]], ...] = (
        ("class-imbalance", lambda entry: entry.emotion),
        ("sex-imbalance", lambda entry: entry.sex),
    )
    for number, subsets in enumerate(listing.folds, start=1):
        for kind, fact in facts:
            shares = {
                subset: _shares(fact(listing.entries[name]) for name in subsets[subset])
                for subset in SUBSETS
                if subsets.get(subset)
            }
            worst: dict[str, tuple[float, str, str]] = {}
            for one, other in combinations([subset for subset in shares if shares[subset]], 2):
                for value in shares[one].keys() | shares[other].keys():
                    gap = abs(shares[one].get(value, 0.0) - shares[other].get(value, 0.0))
                    if gap > MAX_DIFFERENCE + 1e-12 and gap > worst.get(value, (0.0,))[0]:
                        worst[value] = (gap, one, other)
            if worst:
                value = max(sorted(worst), key=lambda name: worst[name][0])
                _, one, other = worst[value]
                here, there = shares[one].get(value, 0.0), shares[other].get(value, 0.0)
                message = f"{value!r} is {here:.0%} of {one} and {there:.0%} of {other}."
                yield Finding(kind, message, number, (one, other), tuple(sorted(worst)))


def _shares(values: Iterable[str | None]) -> dict[str, float]:
    counts = Counter(value for value in values if value is not None)
    return {value: count / counts.total() for value, count in counts.items()}


def _find_untested(listing: Listing) -> Iterator[Finding]:
    """Speakers that no fold tests, clips without a speaker, and subsets without clips."""
    entries = listing.entries
    speakers = {entry.speaker for entry in entries.values()} - {None}
    tested = {entries[name].speaker for fold in listing.folds for name in fold.get("test", ())}
    untested = tuple(sorted(str(speaker) for speaker in speakers - tested))
    if untested:
        message = f"{len(untested)} of {len(speakers)} speakers never tested."
        kind = "untested-speakers" if len(listing.folds) > 1 else "held-out-test"
        yield Finding(kind, message, subjects=untested)
    nameless = tuple(sorted(name for name, entry in entries.items() if entry.speaker is None))
    if nameless:
        yield Finding(
            UNKNOWN_SPEAKERS,
            f"The speaker of {len(nameless)} of {len(entries)} clips is unknown.",
            subjects=nameless,
            declared=declares(listing.declared, UNKNOWN_SPEAKERS),
        )
    for number, subsets in enumerate(listing.folds, start=1):
        for subset in ("train", "test"):
            if not subsets.get(subset):
                yield Finding("empty-subset", f"No clip in {subset}.", number, (subset,))
        if not subsets.get("validation"):
            yield Finding("no-validation", "No clip in validation.", number)
