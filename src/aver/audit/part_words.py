"""Words by which files, folders and columns name the parts of a split."""

from __future__ import annotations

import re

_WORDS = {
    "train": "train", "training": "train", "trn": "train", "tr": "train",
    "trainval": "train", "traindev": "train",  # where both are learnt from in the end
    "validation": "validation", "valid": "validation", "val": "validation", "vld": "validation",
    "dev": "validation", "devel": "validation", "development": "validation",
    "publictest": "validation",  # FER2013's own words
    "test": "test", "testing": "test", "tst": "test", "tt": "test", "eval": "test",
    "evaluation": "test", "privatetest": "test",
}  # fmt: skip
_FOLD = re.compile(r"(?:fold|split|session|cv)[ _\-]?0*(\d+)", re.IGNORECASE)


def is_part_word(word: str) -> bool:
    """Whether a folder's whole name is a part's."""
    return word.strip().lower() in _WORDS


def part_of_word(word: str) -> str | None:
    """The part that a cell or a folder's name means.

    Examples
    --------
    >>> part_of_word("Dev"), part_of_word("speaker 3")
    ('validation', None)
    """
    return _WORDS.get(word.strip().lower())


def part_in_name(name: str) -> str | None:
    """The part that a file's or folder's name speaks of; None where none, or two.

    Examples
    --------
    >>> part_in_name("ravdess_train_fold_1"), part_in_name("test2_list")
    ('train', 'test')
    """
    words = re.split(r"[^A-Za-z]+", name)
    found = {_WORDS[word.lower()] for word in words if word.lower() in _WORDS}
    return found.pop() if len(found) == 1 else None


def fold_in_name(name: str) -> int | None:
    """The number of the fold that a name speaks of.

    Examples
    --------
    >>> fold_in_name("ravdess_train_fold_2"), fold_in_name("train")
    (2, None)
    """
    match = _FOLD.search(name)
    return int(match[1]) if match else None
