"""One small corpus for all tests of the synthesis."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from aver.synthesis import SynthesisSettings, synthesize

SMALL = SynthesisSettings(speakers=8, sentences=1, duration_s=(1.3, 1.5))


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight speakers, six emotions, default difficulty."""
    return synthesize(tmp_path_factory.mktemp("synthetic") / "corpus", SMALL)


@pytest.fixture(scope="session")
def rows(small_corpus: Path) -> list[dict[str, str]]:
    """Rows of its ``clips.csv``."""
    with (small_corpus / "clips.csv").open(newline="") as table:
        return list(csv.DictReader(table))
