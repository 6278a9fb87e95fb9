"""Weights that come with the package: found by name, checked by hash before they are used."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from aver.compatibility import upgrade
from aver.errors import CheckpointError

INDEX_NAME, CARD_NAME = "index.json", "card.json"


@dataclass(frozen=True)
class ShippedWeights:
    """One folder of weights.

    Parameters
    ----------
    name : str
    kind : {"extractor", "recognizer"}
        A state dict to start from, or a checkpoint that answers for clips.
    summary : str
        One line for `aver list weights`.
    folder : Path
    hashes : mapping of str to str
        File name to SHA-256.
    """

    name: str
    kind: str
    summary: str
    folder: Path
    hashes: dict[str, str]

    @property
    def card(self) -> dict[str, Any]:
        """Data, speakers, split, metrics with intervals, licence."""
        return upgrade(json.loads((self.folder / CARD_NAME).read_text(encoding="utf-8")))

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return sum((self.folder / name).stat().st_size for name in self.hashes)

    def checked(self) -> Path:
        """The folder, after every file was compared with its hash.

        Raises
        ------
        CheckpointError
            If a file is missing or was changed.
        """
        for name, wanted in self.hashes.items():
            if _hash(self.folder / name) != wanted:
                raise CheckpointError(
                    f"{self.folder / name} is missing or was changed since the package was made. "
                    "Install the package again."
                )
        return self.folder


def shipped_weights() -> tuple[ShippedWeights, ...]:
    """All weights in the package, by name.

    Raises
    ------
    CheckpointError
        If the list of them is missing or unreadable.
    """
    root = weights_root()
    try:
        index = json.loads((root / INDEX_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise CheckpointError(
            f"{root / INDEX_NAME}, the list of the package's weights, is missing or unreadable. "
            "Install the package again."
        ) from None
    return tuple(
        ShippedWeights(name, entry["kind"], entry["summary"], root / name, entry["files"])
        for name, entry in sorted(index.items())
    )


def find_shipped(name: str, kind: str) -> ShippedWeights:
    """The weights of that name.

    Parameters
    ----------
    name : str
    kind : {"extractor", "recognizer"}

    Raises
    ------
    CheckpointError
        If there are none of that name and kind.
    """
    known = {one.name: one for one in shipped_weights() if one.kind == kind}
    if name not in known:
        raise CheckpointError(
            f"No weights named {name!r} ({kind}) come with the package. "
            f"Known are: {', '.join(known) or 'none'}."
        )
    return known[name]


def is_shipped(name: str, kind: str) -> bool:
    """Whether the package holds weights of that name and kind."""
    return any((one.name, one.kind) == (name, kind) for one in shipped_weights())


def weights_root() -> Path:
    """Folder of the package that holds the weights."""
    return Path(str(resources.files("aver") / "weights"))


def describe_folder(folder: Path, kind: str, summary: str) -> dict[str, Any]:
    """The entry of a folder in the index: its kind, one line, and a hash per file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "kind": kind,
        "summary": summary,
        "files": {path.relative_to(folder).as_posix(): _hash(path) for path in files},
    }


def _hash(path: Path) -> str:
    if not path.is_file():
        return ""
    status = path.stat()
    return _hash_of(path, status.st_size, status.st_mtime_ns)


@cache
def _hash_of(path: Path, _size: int, _mtime_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
