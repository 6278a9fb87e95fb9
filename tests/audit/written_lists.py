"""Writes lists for tests, and reads them."""

from pathlib import Path

from aver.audit import audit_split


def subsets_of(listing, fold=0):
    return {subset: list(names) for subset, names in listing.folds[fold].items() if names}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def leaks(listing):
    return {finding.kind for finding in audit_split(listing).leaks}
