"""The progress bar on a pseudo-terminal, and no output elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from aver.execution.progress import progress_bar

SCRIPT = (
    "import time\n"
    "from aver.execution.progress import progress_bar\n"
    "with progress_bar('Counting sheep', 4, 'sheep') as bar:\n"
    "    for _ in range(4):\n"
    "        time.sleep(0.15)\n"
    "        bar.advance()\n"
    "        bar.describe('Counting goats')\n"
)


def test_silent_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Counting", 3) as bar:
        bar.advance()
        bar.describe("Still counting")
    assert capfd.readouterr() == ("", "")


def test_shown_on_a_terminal_and_only_on_standard_error() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the terminal is gone with its last user
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    printed, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert printed == b""
    text = shown.decode(errors="replace")
    assert "Counting sheep" in text
    assert "Counting goats" in text
    for shown_once in ("4 of 4 sheep", "100 %", "about 0 s left"):
        assert shown_once in text


def test_one_line_a_minute_without_a_terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two units of four in 90 s: half is done, and 90 s are left."""
    now_s = [0.0]
    monkeypatch.setattr("aver.execution.progress.time.monotonic", lambda: now_s[0])
    with progress_bar("Extracting", 4, "clips") as bar:
        for now_s[0] in (45.0, 90.0, 100.0, 180.0):
            bar.advance()
    assert capfd.readouterr() == ("", "aver: Extracting: 2 of 4 clips, 50 %, about 2 min left\n")


def test_units_of_different_size_are_counted_and_weighed(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One long clip of ten, which is half of the work: as much time is left as it took."""
    now_s = [0.0]
    monkeypatch.setattr("aver.execution.progress.time.monotonic", lambda: now_s[0])
    with progress_bar("Extracting", 18, "clips", count=10) as bar:
        now_s[0] = 3600.0
        bar.advance(9)
    assert capfd.readouterr().err == (
        "aver: Extracting: 1 of 10 clips, 50 %, about 1 h 0 min left\n"
    )
