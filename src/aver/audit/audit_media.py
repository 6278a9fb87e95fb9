"""`audit_media`: find leaks in what the clips hold, whatever their names say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from aver.audit.audit_split import audit_split
from aver.audit.finding import Finding
from aver.audit.listing import Listing, listing_of
from aver.audit.media_match import KindOf, Match, Matches, find_matches
from aver.audit.media_places import places_in_corpus, places_in_folder
from aver.audit.report import AuditReport
from aver.audit.shared import pair_words, validation_is_test
from aver.corpora.corpus import Corpus
from aver.splits.split import PARTS, Split


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
        (matches.sounds, "the sound"),
        (matches.films, "the films"),
        (matches.pictures, "the pictures"),
    )
    checked = [f"{what} of {pair_words(count, 'clip')}" for count, what in counted if count]
    return audit_split(listing).with_findings(findings, checked)


def _kinds_of_names(listing: Listing) -> KindOf:
    """The parts that a name is in, fold by fold, and its label: all that findings depend on."""
    parts_of: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for number, parts in enumerate(listing.folds):
        for part, names in parts.items():
            for name in dict.fromkeys(names):
                parts_of[name].append((number, part))
    return lambda name: (tuple(parts_of[name]), listing.entries[name].emotion)


def find_by_media(listing: Listing, matches: Matches) -> Iterator[Finding]:
    """Yield same contents in two parts, within a part, and under two labels."""
    for number, parts in enumerate(listing.folds, start=1):
        yield from _in_fold(parts, matches, number)
    contradicting = []
    for match in matches.found:
        one, other = (listing.entries[name].emotion for name in (match.one, match.other))
        if one and other and one != other:
            contradicting.append(f"{match.one} ({one}) = {match.other} ({other})")
    if contradicting:
        message = f"{pair_words(len(contradicting), 'pair')} of clips with one content, two labels."
        yield Finding("contradicting-labels", message, subjects=tuple(contradicting))


def _in_fold(
    parts: Mapping[str, tuple[str, ...]], matches: Matches, number: int
) -> Iterator[Finding]:
    sets = {part: set(parts.get(part, ())) for part in PARTS}
    if validation_is_test(parts):
        sets["validation"] = set()  # a finding of its own
    groups: dict[tuple[str, str, str], list[Match]] = defaultdict(list)
    for match in matches.found:
        for place, one in enumerate(PARTS):
            for other in PARTS[place:]:
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
            kind = "shared-sound" if medium == "sound" else "shared-pictures"
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
