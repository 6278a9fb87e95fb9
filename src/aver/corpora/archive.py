"""Files inside a tar archive, addressed by ordinary paths and read without unpacking.

The path of a member is the archive's path, followed by the member's name:
``data/fer2013.tar/train/angry/Training_1.jpg``. It is an ordinary `Path`, so that a `Clip` need not
know whether its corpus was unpacked; `read_file` reads either kind.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from aver.errors import CorpusError, MediaError


@dataclass(frozen=True)
class Member:
    """Where the bytes of one file lie within an archive."""

    offset_bytes: int
    size_bytes: int


def archive_members(archive: Path) -> dict[str, Member]:
    """Index the files of an uncompressed tar archive.

    Parameters
    ----------
    archive : Path
        The index is kept in memory until the file changes.

    Returns
    -------
    dict of str to Member
        By name, without a leading ``./``.

    Raises
    ------
    CorpusError
        If the file is missing, compressed, or no tar archive.
    """
    try:
        status = archive.stat()
        return _index(archive.resolve(), status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise CorpusError(f"The archive {archive} cannot be read: {error.strerror}.") from error


@lru_cache(maxsize=8)
def _index(archive: Path, _mtime_ns: int, _size_bytes: int) -> dict[str, Member]:
    try:
        # "r:" refuses compressed archives, in which no file can be read without all before it.
        with tarfile.open(archive, "r:") as opened:
            return {
                member.name.removeprefix("./"): Member(member.offset_data, member.size)
                for member in opened
                if member.isreg()
            }
    except tarfile.TarError as error:
        raise CorpusError(
            f"{archive} is not an uncompressed tar archive: {error}. Unpack it, or give the folder."
        ) from error


def read_file(path: Path) -> bytes:
    """Read a whole file, from a folder or from inside a tar archive.

    Parameters
    ----------
    path : Path
        As `Clip.video` or `Clip.sound` hold it.

    Returns
    -------
    bytes

    Raises
    ------
    MediaError
        If there is no such file, or it cannot be read.

    Examples
    --------
    >>> len(read_file(Path(__file__))) > 1000
    True
    """
    try:
        archive = next((parent for parent in path.parents if parent.is_file()), None)
        if archive is None:
            return path.read_bytes()
        name = path.relative_to(archive).as_posix()
        members = archive_members(archive)
        if name not in members:
            raise MediaError(f"There is no file {name!r} in the archive {archive}.")
        with archive.open("rb") as handle:
            handle.seek(members[name].offset_bytes)
            content = handle.read(members[name].size_bytes)
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror}.") from error
    except CorpusError as error:
        raise MediaError(f"{path} cannot be read. {error}") from error
    if len(content) < members[name].size_bytes:
        raise MediaError(f"{path} is cut short: the archive {archive} ends within it.")
    return content
