"""What standard output cannot take: another encoding, a full disk, a reader that has gone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tone_corpus import write_tone_corpus

CHECK = [
    *("corpus", "check", "--reader", "manifest"),
    *("--corpus-settings", "pattern={speaker}_{emotion}_{take}.wav", "--corpus"),
]


def aver(*words: object, output: object = subprocess.PIPE, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "aver.cli.main", *map(str, words)],
        stdout=output,  # type: ignore[call-overload]
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )


def test_an_encoding_without_the_characters(tmp_path: Path) -> None:
    clips = tmp_path / "ärger-日本"
    write_tone_corpus(clips, speakers=1, takes=1)
    out, err = (run := aver(*CHECK, clips, PYTHONIOENCODING="ascii")).communicate()
    assert (run.returncode, err) == (0, b"")
    assert rb"\xe4rger-\u65e5\u672c" in out


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="there is no /dev/full")
def test_a_full_disk_behind_the_output_is_one_line(tmp_path: Path) -> None:
    write_tone_corpus(tmp_path / "clips", speakers=1, takes=1)
    with Path("/dev/full").open("wb") as full:
        _, err = (run := aver(*CHECK, tmp_path / "clips", output=full)).communicate()
    assert run.returncode == 2
    assert err.decode() == f"aver: the output failed: {os.strerror(28)}.\n"


def test_a_reader_that_has_gone_is_no_error(tmp_path: Path) -> None:
    write_tone_corpus(tmp_path / "clips", speakers=1, takes=1)
    reading, writing = os.pipe()
    os.close(reading)
    _, err = (run := aver(*CHECK, tmp_path / "clips", output=writing)).communicate()
    os.close(writing)
    assert (run.returncode, err) == (0, b"")
