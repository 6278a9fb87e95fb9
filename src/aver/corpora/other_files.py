"""Files in the folders of clips that are no media by their suffixes, counted for summaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from aver.corpora.corpus import Corpus
from aver.corpora.files import find_media

_MAX_SUFFIXES = 8


def by_suffix(others: Mapping[str, int], what: str) -> str:
    """Count files that are no media by their suffixes, the most frequent suffix first.

    Parameters
    ----------
    others : mapping of str to int
        Number of files by suffix.
    what : str
        What they are or what happens to them, behind ``"4 files "``.

    Returns
    -------
    str
        Empty if there are none.

    Examples
    --------
    >>> by_suffix({".docx": 1, ".txt": 2, "": 1}, "passed over")
    '4 files passed over (no video, audio or image by their suffixes): .txt 2, (none) 1, .docx 1'
    """
    count = sum(others.values())
    if not count:
        return ""
    files = "1 file" if count == 1 else f"{count} files"
    return f"{files} {what} (no video, audio or image by their suffixes): {counted(others)}"


def counted(others: Mapping[str, int]) -> str:
    """Numbers of files by suffix.

    Examples
    --------
    >>> counted({".docx": 1, ".txt": 2})
    '.txt 2, .docx 1'
    """
    ordered = sorted(others.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{suffix or '(none)'} {number}" for suffix, number in ordered[:_MAX_SUFFIXES]]
    if len(ordered) > _MAX_SUFFIXES:
        shown.append(f"others {sum(number for _, number in ordered[_MAX_SUFFIXES:])}")
    return ", ".join(shown)


def other_files(corpus: Corpus) -> dict[str, int]:
    """Number of files in the folders of a corpus that are no media by their suffixes, by suffix."""
    roots = [part.root for part in corpus.parts.values()] or [corpus.root]
    counts: Counter[str] = Counter()
    for root in roots:
        if root.is_dir():
            counts.update(find_media(root, ()).others)
    return dict(counts)
