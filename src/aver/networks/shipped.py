"""Weights that come with the package: listed by name, checked by hash before they are used."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from aver.compatibility import upgrade
from aver.errors import CheckpointError

INDEX_NAME, CARD_NAME, WEIGHTS_NAME = "index.json", "card.json", "weights.safetensors"


@dataclass(frozen=True)
class ShippedWeights:
    """One folder of weights.

    Parameters
    ----------
    name : str
    kind : {"extractor", "recognizer"}
        A state dict to start a training from, or a checkpoint that predicts.
    summary : str
        One line for ``aver list weights``.
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
        """Data, speakers, split, metrics with intervals, license."""
        return read_card(self.folder)

    @property
    def size_bytes(self) -> int:
        """Total size of its files."""
        return sum((self.folder / name).stat().st_size for name in self.hashes)

    def checked(self) -> Path:
        """The folder, after each file was compared with its hash.

        Raises
        ------
        CheckpointError
            If a file is missing or was changed.
        """
        for name, wanted in self.hashes.items():
            if _hash(self.folder / name) != wanted:
                raise CheckpointError(
                    f"{self.folder / name} is missing or was changed. Install the package again."
                )
        return self.folder


def shipped_weights() -> tuple[ShippedWeights, ...]:
    """All weights in the package, sorted by name.

    Raises
    ------
    CheckpointError
        If their index is missing or unreadable.
    """
    index = weights_root() / INDEX_NAME
    try:
        status = index.stat()
        return _read_index(index, status.st_size, status.st_mtime_ns)
    except (OSError, ValueError):
        raise CheckpointError(
            f"{index}, the index of the package's weights, is missing or unreadable. Install the "
            "package again."
        ) from None


@lru_cache(maxsize=1)
def _read_index(path: Path, _size: int, _mtime_ns: int) -> tuple[ShippedWeights, ...]:
    """Read once per process, and again if the file has changed."""
    return tuple(
        ShippedWeights(name, entry["kind"], entry["summary"], path.parent / name, entry["files"])
        for name, entry in sorted(json.loads(path.read_text(encoding="utf-8")).items())
    )


def find_shipped(name: str, kind: str) -> ShippedWeights:
    """The weights with this name.

    Parameters
    ----------
    name : str
    kind : {"extractor", "recognizer"}

    Raises
    ------
    CheckpointError
        If there are none with this name and of this kind.
    """
    weights = {one.name: one for one in shipped_weights() if one.kind == kind}
    if name not in weights:
        raise CheckpointError(
            f"No weights named {name!r} ({kind}) come with the package. "
            f"Known are: {', '.join(weights) or 'none'}."
        )
    return weights[name]


def is_shipped(name: str, kind: str) -> bool:
    """Whether the package contains weights with this name and of this kind."""
    return any((one.name, one.kind) == (name, kind) for one in shipped_weights())


def weights_root() -> Path:
    """Folder of the package that contains the weights."""
    return Path(str(resources.files("aver") / "weights"))


def read_card(folder: Path) -> dict[str, Any]:
    """The card in a folder of weights, with today's names.

    Raises
    ------
    OSError, ValueError
        If it is missing or not JSON.
    """
    return upgrade(json.loads((folder / CARD_NAME).read_text(encoding="utf-8")))


def describe_folder(folder: Path, kind: str, summary: str) -> dict[str, Any]:
    """The entry of a folder in the index: its kind, its summary, and a hash per file."""
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
