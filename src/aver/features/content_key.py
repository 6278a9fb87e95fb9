"""`ContentKeys`: what a file holds, as a key that does not depend on where it lies."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from aver.errors import MediaError
from aver.execution.atomic import write_json

_BLOCK_BYTES = 1 << 20


class ContentKeys:
    """SHA-256 of files' contents, remembered by size, time of change and inode.

    Parameters
    ----------
    folder : Path
        Where notes are kept between runs, so that a corpus is read once only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, tuple[list[int], str]] = {}

    def of(self, path: Path) -> str:
        """The key of one file.

        Raises
        ------
        MediaError
            If the file cannot be read.
        StorageError
            If the note cannot be written.
        """
        try:
            state = path.stat()
            stamp = [state.st_size, state.st_mtime_ns, state.st_ino]
            known = self._known.get(path)
            if known is not None and known[0] == stamp:
                return known[1]
            name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]
            note = self._folder / name[:2] / f"{name}.json"
            key = _read_note(note, stamp)
            if key is None:
                key = _hash_file(path)
                write_json(note, {"stamp": stamp, "sha256": key})
        except OSError as error:
            raise MediaError(f"{path} cannot be read: {error.strerror}.") from None
        self._known[path] = (stamp, key)
        return key


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _read_note(note: Path, stamp: list[int]) -> str | None:
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        return str(known["sha256"]) if known["stamp"] == stamp else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
