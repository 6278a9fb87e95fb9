"""`is_cut`: whether a media file is shorter than its own structure says.

Header durations do not tell: FFmpeg shortens them to what is there, many containers state that of
the longest stream only, subtitles included, and some state none. Sizes do.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_MPEG_TS_PACKETS = (188, 192, 204)
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_SEGMENT = b"\x18\x53\x80\x67"  # of Matroska
_LAST_PAGE_BYTES = 2 * 65307  # the longest page of Ogg, twice


def is_cut(path: Path) -> bool:
    """Whether the end of a file is missing, as far as its container tells.

    Known containers: WAV and AVI (RIFF, RF64), Matroska and WebM, MP4 and MOV, ASF (WMV, WMA), Ogg,
    FLV, MPEG transport streams. For others, and for files that were written as a stream of unknown
    length, the answer is False.

    Parameters
    ----------
    path : Path
        A file that can be opened.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(64)
        for known, needed in _CONTAINERS:
            if known(start):
                try:
                    return needed(file, size)
                except (struct.error, IndexError):
                    return True  # broken off inside a header
    return False


def _riff(file: BinaryIO, size: int) -> bool:
    """Chunk sizes of RIFF; AVI files above 1 GB are several RIFF chunks, one after the other."""
    end = 0
    while end + 12 <= size:
        file.seek(end)
        name, length = struct.unpack("<4sI", file.read(8))
        if name not in (b"RIFF", b"RF64", b"RIFX"):
            return False  # something after the last chunk
        if name == b"RIFX":
            length = int.from_bytes(struct.pack("<I", length), "big")
        if name == b"RF64" and length == 0xFFFFFFFF:
            file.seek(end + 20)
            length = struct.unpack("<Q", file.read(8))[0]
        elif length in (0, 0xFFFFFFFF) or length < 4:
            return _last_chunk_is_cut(file, size)  # written as a stream
        end += 8 + length
    return end > size + 1  # a missing byte of padding is no damage


def _last_chunk_is_cut(file: BinaryIO, size: int) -> bool:
    """A WAV whose RIFF size is unknown may state that of its samples."""
    at = 12
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if name == b"data":
            return length not in (0, 0xFFFFFFFF) and at + 8 + length > size
        at += 8 + length + length % 2
    return False


def _matroska(file: BinaryIO, size: int) -> bool:
    file.seek(0)
    head = file.read(4096)
    at = head.find(_SEGMENT)
    if at < 0:
        return False
    first = head[at + 4]
    width = 9 - first.bit_length()
    digits = int.from_bytes(head[at + 4 : at + 4 + width], "big")
    length = digits & ((1 << 7 * width) - 1)
    if length == (1 << 7 * width) - 1:
        return False  # unknown: written as a stream
    return at + 4 + width + length > size


def _mp4(file: BinaryIO, size: int) -> bool:
    """Boxes follow each other to the end of the file."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        if not (name.isalnum() or name.strip().isalnum() or name[:1] == b"\xa9"):
            return False  # something after the last box
        if length == 1:
            length = struct.unpack(">Q", file.read(8))[0]
        if length == 0:
            return False  # to the end of the file
        if length < 8:
            return False
        at += length
    return at > size


def _asf(file: BinaryIO, size: int) -> bool:
    file.seek(0)
    length = struct.unpack("<16xQ", file.read(24))[0]
    file.seek(0)
    head = file.read(min(length, 65536))
    at = head.find(_ASF_FILE)
    if at < 0:
        return length > size
    stated, flags = struct.unpack_from("<Q", head, at + 40)[0], head[at + 88] if at >= 0 else 0
    return not flags & 1 and stated > size  # bit 0: broadcast, sizes are not valid


def _ogg(file: BinaryIO, size: int) -> bool:
    """The last page ends with the file."""
    first = max(0, size - _LAST_PAGE_BYTES)
    file.seek(first)
    tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0:
        return True
    count = tail[at + 26]
    table = tail[at + 27 : at + 27 + count]
    return len(table) < count or first + at + 27 + count + sum(table) > size


def _flv(file: BinaryIO, size: int) -> bool:
    """The last four bytes state the size of the last tag."""
    if size < 17:
        return True
    file.seek(size - 4)
    length = struct.unpack(">I", file.read(4))[0]
    start = size - 4 - length
    if not 13 <= start <= size - 15:
        return True
    file.seek(start)
    kind, body = file.read(1), file.read(3)
    return kind[0] & 0x1F not in (8, 9, 18) or int.from_bytes(body, "big") + 11 != length


def _mpeg_ts(file: BinaryIO, size: int) -> bool:
    file.seek(0)
    start = file.read(3 * max(_MPEG_TS_PACKETS))
    for length in _MPEG_TS_PACKETS:
        first = 4 if length == 192 else 0
        if all(start[first + k * length : first + k * length + 1] == b"G" for k in range(2)):
            return size % length != 0
    return False


def _aiff(file: BinaryIO, size: int) -> bool:
    file.seek(4)
    return 8 + int(struct.unpack(">I", file.read(4))[0]) > size


def _au(file: BinaryIO, size: int) -> bool:
    file.seek(4)
    start, length = struct.unpack(">II", file.read(8))
    return length != 0xFFFFFFFF and start + length > size


def _caf(file: BinaryIO, size: int) -> bool:
    at = 8
    while at + 12 <= size:
        file.seek(at)
        length = struct.unpack(">4sq", file.read(12))[1]
        if length < 0:
            return False  # to the end of the file
        at += 12 + length
    return at > size


_Test = Callable[[bytes], bool]
_CONTAINERS: tuple[tuple[_Test, Callable[[BinaryIO, int], bool]], ...] = (
    (lambda start: start[:4] in (b"RIFF", b"RF64", b"RIFX"), _riff),
    (lambda start: start[:4] == b"\x1a\x45\xdf\xa3", _matroska),
    (lambda start: start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"), _mp4),
    (lambda start: start[:16] == _ASF_HEADER, _asf),
    (lambda start: start[:4] == b"OggS", _ogg),
    (lambda start: start[:3] == b"FLV", _flv),
    (lambda start: start[:4] == b"FORM" and start[8:12] in (b"AIFF", b"AIFC"), _aiff),
    (lambda start: start[:4] == b".snd", _au),
    (lambda start: start[:4] == b"caff", _caf),
    (lambda start: b"G" in (start[:1], start[4:5]), _mpeg_ts),
)
