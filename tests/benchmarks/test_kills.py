"""Killed extractions leave nothing half written and end with the result of an unbroken one."""

from __future__ import annotations

import json
from pathlib import Path

from kills import JOBS, Counts, Study, broken_files, measure


def test_extraction_goes_on_after_kills(tmp_path: Path) -> None:
    counts = Counts()
    measure(Study(tmp_path, JOBS[:1]), counts, kills=2, seed=0, save=None)
    assert counts.failures == []
    assert counts.kills["features"] >= 2


def test_half_written_files_are_found(tmp_path: Path) -> None:
    whole = {"settings": {"seed": 3}}
    (tmp_path / "whole.json").write_text(json.dumps(whole))
    (tmp_path / "half.json").write_text(json.dumps(whole)[:9])
    (tmp_path / ".half-1.json").write_text("{")  # a temporary name, which nothing reads
    (tmp_path / "half.safetensors").write_bytes(b"\x40\0\0\0")
    (tmp_path / "half.csv").write_text("clip,truth\na,happy\nb")
    assert {name.split()[0] for name in broken_files(tmp_path)} == {
        "half.json",
        "half.safetensors",
        "half.csv",
    }
