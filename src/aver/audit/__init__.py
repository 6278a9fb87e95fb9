"""Leaks in any split, ours or others': by names, sound and picture fingerprints, run records."""

from aver.audit.audit_split import audit_split
from aver.audit.finding import Finding
from aver.audit.kind import KINDS, Kind, Level
from aver.audit.listing import Listing, listing_of
from aver.audit.report import AuditReport

__all__ = [
    "KINDS",
    "AuditReport",
    "Finding",
    "Kind",
    "Level",
    "Listing",
    "audit_split",
    "listing_of",
]
