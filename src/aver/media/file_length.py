"""`is_cut`: whether a media file is shorter than its own structure says.

Header durations do not tell: FFmpeg shortens them to what is there, many containers state that of
the longest stream only, subtitles included, and some state none. Sizes do.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from aver.media.frame_chains import is_chain, is_chain_cut

_MPEG_TS_PACKETS = (188, 192, 204)
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_SEGMENT, _CLUSTER = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"  # of Matroska
_MXF_KEY = b"\x06\x0e\x2b\x34"
_PACK = b"\0\0\1\xba"  # of MPEG program streams
_TAIL_BYTES = 1 << 20  # much longer than any packet of MPEG streams
_LAST_PAGE_BYTES = 2 * 65307  # the longest page of Ogg, twice


def is_cut(path: Path) -> bool:
    """Whether the end of a file is missing, as far as its container tells.

    Known containers: WAV and AVI (RIFF, RF64), Matroska and WebM, MP4 and MOV, ASF (WMV, WMA), Ogg,
    FLV, MXF, AIFF, AU, CAF, MPEG transport and program streams, and the audio formats without
    container of `aver.media.frame_chains`. For others the answer is False.

    A stream that does not state its length, such as a broadcast, a recording of a browser or an MP3
    without a header, is known to be cut if it ends inside a packet, a frame or a block. If it was
    cut exactly between two of them, it is a shorter stream, and the answer is False.

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
    at += 4 + width
    if length != (1 << 7 * width) - 1:
        return at + length > size
    return _last_element_is_cut(file, at, size)


def _last_element_is_cut(file: BinaryIO, at: int, size: int) -> bool:
    """A Matroska segment that was written as a stream: its elements, and those of its clusters."""
    while at < size:
        file.seek(at)
        head = file.read(12)
        name_width = 9 - head[0].bit_length()
        if name_width > 4:
            return False  # something after the last element
        length_width = 9 - head[name_width].bit_length()
        start = name_width + length_width
        if length_width > 8 or len(head) < start:
            return len(head) < start
        digits = int.from_bytes(head[name_width:start], "big") & ((1 << 7 * length_width) - 1)
        is_unknown = digits == (1 << 7 * length_width) - 1
        at += start + (0 if is_unknown or head[:name_width] == _CLUSTER else digits)
    return at > size


def _mp4(file: BinaryIO, size: int) -> bool:
    """Boxes follow each other to the end of the file; a fragment's data follow its index."""
    at, name = 0, b""
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
    return at > size or name == b"moof"


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
            return size % length != 0 or _last_pes_is_cut(file, size, length, first)
    return False


def _last_pes_is_cut(file: BinaryIO, size: int, length: int, first: int) -> bool:
    """Packets of elementary streams (PES) that state their length lack bytes at the end.

    Those of sound do, those of pictures seldom.
    """
    at = max(0, size // length - _TAIL_BYTES // length) * length
    file.seek(at)
    tail = file.read()
    missing: dict[int, int] = {}  # bytes, by PID
    for start in range(first, len(tail) - 187, length):
        packet = tail[start : start + 188]
        pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
        payload = packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]
        if not packet[3] & 0x10:
            continue
        if packet[1] & 0x40 and payload[:3] == b"\0\0\1":
            stated = int.from_bytes(payload[4:6], "big")
            missing[pid] = 6 + stated if stated else 0
        missing[pid] = max(0, missing.get(pid, 0) - len(payload))
    return any(missing.values())


def _mpeg_ps(file: BinaryIO, size: int) -> bool:
    """Packets of a program stream state their length; those after the last pack header."""
    first = max(0, size - _TAIL_BYTES)
    file.seek(first)
    tail = file.read()
    at = tail.rfind(_PACK)
    while 0 <= at < len(tail):
        code = tail[at : at + 4]
        if code == _PACK and len(tail) >= at + 14:
            at += 14 + (tail[at + 13] & 7) if tail[at + 4] & 0xC0 == 0x40 else 12
        elif code == b"\0\0\1\xb9":  # end of the program
            at += 4
        elif code[:3] == b"\0\0\1" and len(tail) >= at + 6:
            at += 6 + int.from_bytes(tail[at + 4 : at + 6], "big")
        else:  # a header is cut, or there is something after the last packet
            return code == _PACK or code[:3] == b"\0\0\1"[: len(code)]
    return at > len(tail)


def _mxf(file: BinaryIO, size: int) -> bool:
    """Keys of 16 bytes, lengths and values follow each other to the end (SMPTE ST 336)."""
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(25)
        if head[:4] != _MXF_KEY[: len(head)]:
            return False  # something after the last value
        if len(head) < 17:
            return True
        width = head[16] & 0x7F if head[16] & 0x80 else 0
        length = int.from_bytes(head[17 : 17 + width], "big") if width else head[16]
        at += 17 + width + length
    return at > size


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
    (lambda start: start[:4] == _PACK, _mpeg_ps),
    (lambda start: start[:4] == _MXF_KEY, _mxf),
    (is_chain, is_chain_cut),
    (lambda start: b"G" in (start[:1], start[4:5]), _mpeg_ts),
)
