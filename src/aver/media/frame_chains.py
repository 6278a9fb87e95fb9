"""Audio formats without container: MP3, AAC (ADTS), AC-3, AMR. A chain of frames that say how long
they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

_MP3_KBPS = {  # ISO 11172-3, 2.4.2.3, layers 1 to 3; ISO 13818-3 for the lower rates
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_HZ = (44100, 48000, 32000)
_AMR_BYTES = {  # RFC 4867, 5.3: a frame by its type, with its header
    b"#!AMR\n": (13, 14, 16, 18, 20, 21, 27, 32, 6),
    b"#!AMR-WB\n": (18, 24, 33, 37, 41, 47, 51, 59, 61, 6),
}
_AC3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_AC3_HZ = (48000, 44100, 32000)


def is_chain(start: bytes) -> bool:
    """Whether a file is of one of these formats.

    Parameters
    ----------
    start : bytes
        At least the first 16 bytes of the file.
    """
    return start[:3] == b"ID3" or start[:5] == b"#!AMR" or _frame_of(start) is not None


def is_chain_cut(file: BinaryIO, size: int) -> bool:
    """Whether the last frame is incomplete, or bytes are missing that the first one states.

    Parameters
    ----------
    file : file object
        Opened in binary mode.
    size : int
        In bytes.
    """
    file.seek(0)
    magic = file.readline(9)
    if magic in _AMR_BYTES:
        return _last_frame_is_cut(file, len(magic), size, 1, _amr_frame(magic))
    start = _after_id3(file)
    file.seek(start)
    head = file.read(256)
    length_of = _frame_of(head)
    if length_of is None:
        return start > size
    if length_of is _mp3_frame and (stated := _stated_bytes(head)):
        return start + stated > size
    return _last_frame_is_cut(file, start, size, 7, length_of)


def _frame_of(head: bytes) -> Callable[[bytes], int] | None:
    """How the length of frames is read, by the first one."""
    kinds = (_adts_frame, _ac3_frame, _mp3_frame)
    return next((kind for kind in kinds if len(head) >= 7 and kind(head)), None)


def _stated_bytes(head: bytes) -> int:
    """What a header in the first frame of an MP3 (Xing, Info, VBRI) states; 0 if nothing."""
    for name in (b"Xing", b"Info"):
        at = head.find(name)
        if at >= 0 and head[at + 7] & 3 == 3:  # frames and bytes are stated
            return int.from_bytes(head[at + 12 : at + 16], "big")
    at = head.find(b"VBRI")
    return int.from_bytes(head[at + 10 : at + 14], "big") if at >= 0 else 0


def _after_id3(file: BinaryIO) -> int:
    """Where audio starts: after tags of ID3v2."""
    at = 0
    while True:
        file.seek(at)
        head = file.read(10)
        if head[:3] != b"ID3" or len(head) < 10:
            return at
        high, middle, low, lowest = head[6:]
        at += 10 + (high << 21 | middle << 14 | low << 7 | lowest) + (10 if head[5] & 16 else 0)


def _last_frame_is_cut(
    file: BinaryIO, at: int, size: int, width: int, length_of: Callable[[bytes], int]
) -> bool:
    """Whether the last frame of a chain ends after the file.

    Parameters
    ----------
    width : int
        Bytes of the header of a frame.
    length_of : callable
        Bytes of the frame with this header; 0 if it is none.
    """
    before = b""
    while at < size:
        file.seek(at)
        head = file.read(width)
        if len(head) < width:
            return head[:2] == before[: len(head)][:2]  # part of a header
        length = length_of(head)
        if not length:
            return False  # a tag after the last frame, or damage inside
        at, before = at + length, head
    return at > size


def _mp3_frame(head: bytes) -> int:
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    rate, hz, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if head[0] != 0xFF or head[1] < 0xE0 or version == 1 or layer == 4:
        return 0
    if rate in (0, 15) or hz == 3:
        return 0
    is_first = version == 3  # MPEG-1
    bits_per_s = 1000 * _MP3_KBPS[is_first, layer][rate - 1]
    rate_hz = _MP3_HZ[hz] // {3: 1, 2: 2, 0: 4}[version]
    if layer == 1:
        return (12 * bits_per_s // rate_hz + padding) * 4
    samples = 1152 if is_first or layer == 2 else 576
    return samples // 8 * bits_per_s // rate_hz + padding


def _adts_frame(head: bytes) -> int:
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if head[0] == 0xFF and head[1] & 0xF6 == 0xF0 and length >= 7 else 0


def _ac3_frame(head: bytes) -> int:
    """ATSC A/52, 5.3 and annex E: AC-3, and E-AC-3, which states its length."""
    if head[:2] != b"\x0b\x77":
        return 0
    if head[5] >> 3 > 10:
        return 2 * (((head[2] & 7) << 8 | head[3]) + 1)
    hz, rate = head[4] >> 6, head[4] & 63
    if hz == 3 or rate >= 2 * len(_AC3_KBPS):
        return 0
    words = 96 * 1000 * _AC3_KBPS[rate // 2] // _AC3_HZ[hz]
    return 2 * (words + (rate & 1 if hz == 1 else 0))


def _amr_frame(magic: bytes) -> Callable[[bytes], int]:
    lengths = _AMR_BYTES[magic]

    def length_of(head: bytes) -> int:
        kind = head[0] >> 3 & 15
        return lengths[kind] if kind < len(lengths) else int(kind in (14, 15))

    return length_of
