"""Damage of files, as it occurs on disks, in downloads and by hand; every change is seeded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

Random = np.random.Generator

_NUMBERS = (0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1, 0x10000)
_WORDS = (
    *(b"", b"null", b"true", b"-1", b"0", b"1e308", b"NaN", b"-.inf", b"99999999999999999999"),
    *(b"[]", b"{}", b'""', b"\x00", b"\xff\xfe", b"\xc3", b"..", b"../../etc/passwd", b"*"),
    *(b"&a *a", b"&a [*a]"),
    *(b"/", b"'", b'"', b";", b"\t", b"\r\n", b"=cmd()", "é\u0301\u202e".encode(), b"%s", b"{0}"),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 3.5, 1e308, -1e308, 10**30, float("nan"), float("inf"), "", "x", "01"),
    *([], {}, [[]], [None], {"x": None}, "\x00", "../..", "/etc/passwd", "é" * 300, [0] * 1000),
)


def damaged_media(data: bytes, other: bytes, random: Random) -> tuple[str, bytes]:
    """Damage a file; `other` is one of another container.

    Returns
    -------
    (str, bytes)
        The kind of damage, and the file.
    """
    kinds: dict[str, Callable[[bytes, bytes, Random], bytes]] = {
        "bits": _bits,
        "truncated": _truncated,
        "zeros": _zeros,
        "noise": _noise,
        "removed": _removed,
        "repeated": _repeated,
        "number": _number,
        "spliced": _spliced,
        "header": _header,
    }
    kind = list(kinds)[random.integers(len(kinds))]
    return kind, kinds[kind](data, other, random)


def _bits(data: bytes, other: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    limit = len(data) if random.random() < 0.5 else min(len(data), 1024)  # headers matter most
    for position in random.integers(limit, size=int(2 ** random.uniform(0, 8))):
        changed[position] ^= 1 << int(random.integers(8))
    return bytes(changed)


def _truncated(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: int(random.integers(len(data)))]


def _span(data: bytes, random: Random) -> tuple[int, int]:
    start = int(random.integers(len(data)))
    return start, min(len(data), start + int(2 ** random.uniform(0, np.log2(len(data) + 1))))


def _zeros(data: bytes, other: bytes, random: Random) -> bytes:
    start, end = _span(data, random)
    return data[:start] + bytes(end - start) + data[end:]


def _noise(data: bytes, other: bytes, random: Random) -> bytes:
    start, end = _span(data, random)
    return data[:start] + random.bytes(end - start) + data[end:]


def _removed(data: bytes, other: bytes, random: Random) -> bytes:
    start, end = _span(data, random)
    return data[:start] + data[end:]


def _repeated(data: bytes, other: bytes, random: Random) -> bytes:
    start, end = _span(data, random)
    return data[:end] + data[start:]


def _number(data: bytes, other: bytes, random: Random) -> bytes:
    """Extreme values in fields of 1 to 8 bytes, most of them in the header."""
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 5))):
        width = int(random.choice([1, 2, 4, 8]))
        limit = max(1, min(len(data), 600 if random.random() < 0.7 else len(data)) - width)
        start = int(random.integers(limit))
        value = int(random.choice(_NUMBERS)) & (2 ** (8 * width) - 1)
        order = "big" if random.random() < 0.5 else "little"
        changed[start : start + width] = value.to_bytes(width, order)
    return bytes(changed)


def _spliced(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: int(random.integers(len(data)))] + other[int(random.integers(len(other))) :]


def _header(data: bytes, other: bytes, random: Random) -> bytes:
    length = int(2 ** random.uniform(2, 12))
    return other[:length] + data[length:]


def damaged_text(data: bytes, random: Random) -> tuple[str, bytes]:
    """Damage a CSV, YAML or JSON file: in its lines, its words, or as bytes."""
    kind = ("words", "lines", "bytes")[int(random.integers(3))]
    if kind == "bytes":
        return damaged_media(data, data[::-1], random)
    if kind == "lines":
        lines = data.splitlines(keepends=True)
        for _ in range(int(random.integers(1, 4))):
            a, b = (int(i) for i in random.integers(len(lines), size=2))
            choice = random.integers(4)
            if choice == 0 and len(lines) > 1:
                del lines[a]
            elif choice == 1:
                lines.insert(a, lines[b % len(lines)])
            elif choice == 2:
                lines[a % len(lines)] = lines[b % len(lines)][: int(random.integers(1, 80))]
            else:
                a, b = a % len(lines), b % len(lines)
                lines[a], lines[b] = lines[b], lines[a]
        return kind, b"".join(lines)
    for _ in range(int(random.integers(1, 4))):
        start = int(random.integers(len(data) + 1))
        end = min(len(data), start + int(random.integers(0, 8)))
        data = data[:start] + _WORDS[random.integers(len(_WORDS))] + data[end:]
    return kind, data


def damaged_json(data: bytes, random: Random) -> tuple[str, bytes]:
    """Valid JSON with a wrong value, a missing key or a foreign one; sometimes `damaged_text`."""
    if random.random() < 0.3:
        return damaged_text(data, random)
    value = json.loads(data)
    for _ in range(int(random.integers(1, 3))):
        value = _changed(value, random)
    return "values", json.dumps(value).encode()


def _changed(value: Any, random: Random) -> Any:
    """One change somewhere in a tree of JSON values."""
    wrong = _VALUES[random.integers(len(_VALUES))]
    if not isinstance(value, dict | list) or not value or random.random() < 0.05:
        return wrong
    if isinstance(value, list):
        at = int(random.integers(len(value)))
        if random.random() < 0.15:
            return value[:at] + value[at + 1 :]
        return [*value[:at], _changed(value[at], random), *value[at + 1 :]]
    key = list(value)[random.integers(len(value))]
    if random.random() < 0.15:
        return {name: one for name, one in value.items() if name != key}
    if random.random() < 0.1:
        return {**value, "foreign": wrong}
    return {**value, key: _changed(value[key], random)}


def damaged_safetensors(data: bytes, random: Random) -> tuple[str, bytes]:
    """Damage in the header of a safetensors file, in its length, or in its arrays."""
    if random.random() < 0.3:
        return damaged_media(data, data[::-1], random)
    length = int.from_bytes(data[:8], "little")
    header, arrays = data[8 : 8 + length], data[8 + length :]
    if random.random() < 0.3:  # values that are no numbers
        floats = np.frombuffer(arrays[: len(arrays) // 4 * 4], np.float32).copy()
        floats[random.integers(max(len(floats), 1), size=5)] = random.choice([np.nan, np.inf, 1e38])
        return "not finite", data[: 8 + length] + floats.tobytes() + arrays[len(floats) * 4 :]
    kind, header = damaged_json(header, random)
    stated = len(header) if random.random() < 0.9 else int(random.choice([0, 2**20, 2**40, 2**63]))
    return f"header {kind}", stated.to_bytes(8, "little") + header + arrays
