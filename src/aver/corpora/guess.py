"""Guess which reader a folder is for, from names alone."""

from __future__ import annotations

import os
import re
import tarfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from aver.errors import CorpusError

MANIFEST_NAMES = ("aver-corpus.yaml", "aver-corpus.yml", "aver-corpus.json", "aver-corpus.csv")
"""Files that describe a folder of one's own; the `manifest` reader looks for them in this order."""

_LOOKED_AT = 5000  # files; enough to reach media behind tables, quick on a network drive

_PATTERNS = (
    ("ravdess", re.compile(r"(^|/)0[123]-0[12]-\d\d-\d\d-\d\d-\d\d-\d\d\.\w+$")),
    ("cremad", re.compile(r"(^|/)1\d{3}_[A-Z]{3}_[A-Z]{3}_[A-Z]{1,2}\.\w+$")),
    ("fer2013", re.compile(r"(^|/)(Training|PublicTest|PrivateTest)_\d+\.\w+$")),
    ("enterface", re.compile(r"(^|/)s_?\d+_(an|di|fe|ha|sa|su)_?\d\w*\.\w+$", re.IGNORECASE)),
    ("speaker-folders", re.compile(r"(^|/)id\d{5}/[^/]+/\d+\.\w+$")),
)


def guess_reader(root: Path) -> str:
    """Name the reader for a folder, a tar archive or a manifest file.

    Parameters
    ----------
    root : Path
        Existing folder or file.

    Returns
    -------
    str
        A registered name.

    Raises
    ------
    CorpusError
        If no reader's names occur there; the message says how to choose one.
    """
    if root.is_file() and root.suffix.lower() in (".csv", ".yaml", ".yml", ".json"):
        return "manifest"
    if root.is_dir():
        if (root / "synthesis.json").is_file():
            return "synthetic"
        if any((root / name).is_file() for name in MANIFEST_NAMES):
            return "manifest"
    names = list(islice(_names(root), _LOOKED_AT))
    counts = {
        reader: sum(1 for name in names if pattern.search(name)) for reader, pattern in _PATTERNS
    }
    best = max(counts, key=lambda reader: counts[reader])
    if counts[best]:
        return best
    if not names:
        raise CorpusError(f"The corpus at {root} is empty: there is no file in it.")
    raise CorpusError(
        f"No reader knows the file names at {root} (for instance {min(names)!r}). Choose one with "
        "--reader, or describe the names to the 'manifest' reader, for instance "
        "--reader manifest --corpus-settings 'pattern={speaker}_{emotion}.mp4'."
    )


def _names(root: Path) -> Iterator[str]:
    """Paths of files below a folder, or inside an archive, with forward slashes."""
    if root.is_file():
        if not tarfile.is_tarfile(root):
            raise CorpusError(f"{root} is a file, but neither a manifest nor a tar archive.")
        with tarfile.open(root) as archive:
            yield from (member.name for member in archive if member.isfile())
        return
    for folder, subfolders, names in os.walk(root, followlinks=True):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(folder, name).relative_to(root).as_posix()
