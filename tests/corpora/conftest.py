"""Small corpus folders with the names of real files and a few bytes of content."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest


@pytest.fixture
def plant(tmp_path: Path) -> Callable[..., Path]:
    """A function that makes files of the given relative names and returns their folder."""

    def make(names: Iterable[str], content: bytes = b"media") -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return tmp_path

    return make


@pytest.fixture
def lfs_pointer() -> bytes:
    """What a clone without Git LFS holds in place of media."""
    return (
        b"version https://git-lfs.github.com/spec/v1\n"
        b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
        b"size 12345\n"
    )
