"""`audit_split`: find leaks from names alone."""

from __future__ import annotations

from collections.abc import Iterator

from aver.audit.balance import find_imbalance, find_untested
from aver.audit.finding import Finding
from aver.audit.listing import Listing, listing_of
from aver.audit.report import AuditReport, report_on
from aver.audit.shared import find_shared
from aver.corpora.corpus import Corpus
from aver.splits.split import Split


def audit_split(split: Split | Listing, corpus: Corpus | None = None) -> AuditReport:
    """Audit a split without opening any media; the step before every training.

    Parameters
    ----------
    split : Split or Listing
        One of our own splits, or what `read_listing` made of somebody else's.
    corpus : Corpus, optional
        Tells speakers, performances and labels of a `Split`. Without it they are read from the
        names where those are of a kind known to `aver.audit.known_names`. A `Listing` has taken
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
    """Yield all that names tell."""
    yield from find_shared(listing)
    yield from find_imbalance(listing)
    yield from find_untested(listing)
    if listing.unknown:
        message = f"{len(listing.unknown)} of {len(listing.entries)} clips not in the corpus."
        yield Finding("unknown-clips", message, subjects=listing.unknown)
