"""`audit_split`: find leaks from names alone."""

from __future__ import annotations

from collections.abc import Iterator

from aver.audit.finding import Finding
from aver.audit.listing import Listing, listing_of
from aver.audit.report import AuditReport, report_on
from aver.audit.sharing import find_imbalance, find_shared, find_untested, pair_words
from aver.corpora.corpus import Corpus
from aver.splits.split import SHARED_SPEAKERS, UNKNOWN_SPEAKERS, VALIDATION_IS_TEST, Split


def audit_split(split: Split | Listing, corpus: Corpus | None = None) -> AuditReport:
    """Audit a split without opening any media; the step before every training.

    Parameters
    ----------
    split : Split or Listing
        One of our own splits, or what `read_listing` made of somebody else's.
    corpus : Corpus, optional
        Tells speakers, performances and labels of a `Split`. Without it they are read from the
        names where those are of a kind known to `aver.audit.names`. A `Listing` has taken
        them from the corpus when it was read.

    Returns
    -------
    AuditReport
        Its `exit_code` is 1 where there is a leak.

    Examples
    --------
    >>> from aver.splits import Fold, Split
    >>> fold = Fold(("1001_DFA_ANG_XX",), (), ("1001_DFA_SAD_XX",))
    >>> report = audit_split(Split("by hand", "cremad", 0, (fold,)))
    >>> report.exit_code, report.leaks[0].message
    (1, '1 speaker of train also in test.')
    """
    listing = listing_of(split, corpus) if isinstance(split, Split) else split
    return report_on(listing, find_by_names(listing), ("names",))


def find_by_names(listing: Listing) -> Iterator[Finding]:
    """Yield all that names tell, and what the split declares where names cannot tell."""
    shared = tuple(find_shared(listing))
    yield from shared
    yield from _find_declared(listing, {finding.kind for finding in shared})
    yield from find_imbalance(listing)
    yield from find_untested(listing)
    if listing.unknown:
        message = f"{len(listing.unknown)} of {len(listing.entries)} clips not in the corpus."
        yield Finding("unknown-clips", message, subjects=listing.unknown)
    if listing.untold:
        message = f"{pair_words(len(listing.untold), 'clip')} left out."
        yield Finding("unknown-subsets", message, subjects=listing.untold)


def _find_declared(listing: Listing, found: set[str]) -> Iterator[Finding]:
    """Leaks that the split names and nobody here can see: whoever made it knew more."""
    told = all(entry.speaker for entry in listing.entries.values())
    settled = {*found, UNKNOWN_SPEAKERS, VALIDATION_IS_TEST, *([SHARED_SPEAKERS] if told else [])}
    sentences = tuple(s for s in listing.declared if s.partition(":")[0].strip() not in settled)
    if sentences:
        message = f"The split declares {pair_words(len(sentences), 'leak')}."
        yield Finding("leaking-protocol", message, subjects=sentences, declared=True)
