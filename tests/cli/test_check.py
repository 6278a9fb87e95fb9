"""`aver check` says what `aver predict` will say, and what is in the file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

import aver
from aver.cli.main import main
from tone_corpus import speech_like


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Speech, the same with damaged samples, noise-free silence, and a file of no format."""
    folder = tmp_path_factory.mktemp("sounds")
    speech = speech_like(150.0, 1.5, np.random.default_rng(0)).astype(np.float32)
    damaged = speech.copy()
    damaged[4000:4010] = np.nan
    soundfile.write(folder / "speech.wav", speech, 16000, subtype="FLOAT")
    soundfile.write(folder / "damaged.wav", damaged, 16000, subtype="FLOAT")
    soundfile.write(folder / "silence.wav", np.zeros(16000), 16000)
    (folder / "broken.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(500))
    os.mkfifo(folder / "pipe.mp4")
    return folder


NAMES = ("speech.wav", "damaged.wav", "silence.wav")


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return status, captured.out


def test_flags_are_those_of_the_prediction(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, cache = [sounds / name for name in NAMES], ("--cache", tmp_path)
    status, text = run(capsys, "check", *files, "--format", "json", *cache)
    checked = json.loads(text)
    assert status == 1  # silence has no prediction
    _, text = run(capsys, "predict", *files, "--format", "jsonl", *cache, "--workers", 1)
    predicted = {row["clip"]: row for row in map(json.loads, text.splitlines())}
    for name, check in zip(NAMES, checked, strict=True):
        assert check["flags"] == predicted[name]["flags"]
        assert check["label"] == (predicted[name]["emotion"] or "")
    assert "damaged audio samples" in checked[1]["flags"]
    assert checked[0]["audio"]["duration_s"] == pytest.approx(1.5, abs=1e-3)
    assert checked[2]["audio"]["peak_db"] == -200


def test_broken_files_have_one_line_of_reason(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [sounds / name for name in ("broken.mp4", "pipe.mp4", "nowhere.mp4", "speech.wav")]
    status, text = run(capsys, "check", *files, "--cache", tmp_path)
    blocks = text.split("\n\n")
    assert status == 1
    for block, why in zip(blocks, ("cannot be read", "a pipe", "does not exist"), strict=False):
        problems = [line for line in block.splitlines() if line.startswith("  problem ")]
        assert len(problems) == 1
        assert why in problems[0]
    assert "pcm_f32le, 16000 Hz, 1 channel" in blocks[3]
    assert "by content" in blocks[3]


def test_from_python(sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVER_CACHE", str(tmp_path))
    (check,) = aver.check(sounds / "speech.wav")
    assert check.is_usable
    assert [track.why for track in check.media.tracks] == ["the only audio track"]
