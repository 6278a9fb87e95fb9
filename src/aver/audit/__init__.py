"""Leak audit of any split: by names, by fingerprints of the media, and by the records of a run."""

from aver.audit.audit_media import audit_media
from aver.audit.audit_run import audit_records, audit_run
from aver.audit.audit_split import audit_split
from aver.audit.finding import KINDS, Finding, Kind, Level
from aver.audit.listing import Listing, listing_of
from aver.audit.read_listing import ReadingSettings, read_listing
from aver.audit.report import AuditReport

__all__ = [
    "KINDS",
    "AuditReport",
    "Finding",
    "Kind",
    "Level",
    "Listing",
    "ReadingSettings",
    "audit_media",
    "audit_records",
    "audit_run",
    "audit_split",
    "listing_of",
    "read_listing",
]
