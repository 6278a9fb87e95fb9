"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of the real corpora; tests that need it skip where it is missing."""
    root = Path(os.environ.get("AVER_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not root.is_dir():
        pytest.skip(f"The real corpora are not at {root}; set AVER_DATA to their folder.")
    return root
