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
    "with progress_bar('Counting sheep', 4) as bar:\n"
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
    assert "4/4" in text
