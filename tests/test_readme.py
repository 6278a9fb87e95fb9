"""The Python lines of the README, run as a file without a guard, with one process and with two."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tone_corpus import write_tone_corpus

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize("workers", [1, 2])
def test_the_python_lines_run_as_a_file(workers: int, tmp_path: Path) -> None:
    tones = tmp_path / "tones"
    write_tone_corpus(tones, speakers=4, takes=2)
    (tmp_path / "b.mp4").write_bytes((tones / "s0_sad_0.wav").read_bytes())
    (tmp_path / "a.wav").write_bytes((tones / "s0_happy_0.wav").read_bytes())
    (lines,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    changes = {  # a corpus that is here, and a system that takes seconds
        '"path/to/ravdess"': f'{str(tones)!r}, pattern="{{speaker}}_{{emotion}}_{{take}}.wav"',
        '"mrpn-compact"': '"statistics-logistic", overrides={"modalities": ["audio"]}',
        "workers=1": f"workers={workers}",
    }
    for old, new in changes.items():
        assert lines.count(old) == 1
        lines = lines.replace(old, new)
    lines = lines.replace("pattern=", '"manifest", pattern=')
    script = tmp_path / "script.py"
    script.write_text(lines + 'print(list(table["clip"]), len(results.predictions))\n')
    done = subprocess.run(
        [sys.executable, script.name],
        cwd=tmp_path,
        env={**os.environ, "AVER_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.splitlines()[-1].startswith("['b.mp4', 'a.wav']")
    assert done.stdout.count("clip ") == 1  # the script runs once
    assert "statistics-svm" in done.stdout
    assert (tmp_path / "confusion.png").stat().st_size > 5_000
