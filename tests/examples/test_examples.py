"""The scripts in `examples/` run, in processes of their own, and print what they promise."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("examples")


def output_of(name: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), str(folder)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_predict(folder) -> None:
    printed = output_of("predict.py", folder)
    assert "s01-happy-1-1" in printed
    header = (folder / "predictions.csv").read_text().splitlines()[0]
    assert {"path", "clip", "emotion", "p happy", "audio: p happy"} <= set(header.split(","))


def test_psychologist(folder) -> None:
    """Five films of which one is broken, seven emotions; probabilities of a film sum to 1."""
    printed = output_of("psychologist.py", folder)
    assert "5 films, 1 without a prediction" in printed
    assert "s03_talk-1_9.mp4: " in printed
    tidy = pd.read_csv(folder / "tidy.csv")
    assert len(tidy) == 4 * 7
    assert tidy.groupby("clip")["probability"].sum().tolist() == pytest.approx([1] * 4)
    assert set(tidy["condition"]) == {"talk-1", "talk-2"}
    assert (folder / "emotions.png").stat().st_size > 5_000


def test_engineer(folder) -> None:
    """Frames and audio in memory give what the file gives; nothing is left behind."""
    printed = output_of("engineer.py", folder)
    uploads, recordings = (
        re.findall(rf"request [{numbers}]: (.*)", printed) for numbers in ("02", "13")
    )
    assert len(uploads) == 2
    assert uploads == recordings
    assert "equal to one thread: True" in printed
    assert "files left in the cache: 0" in printed
    assert "broken upload: '', " in printed
    assert "no usable modality" in printed


def test_train_and_evaluate(folder) -> None:
    printed = output_of("train_and_evaluate.py", folder)
    assert re.search(r"mrpn-statistics .*\d+\.\d \[", printed)
    assert (folder / "run" / "report.html").stat().st_size > 10_000


def test_custom_model(folder) -> None:
    """On synthetic voices the nearest class mean is better than chance, 1 of 6."""
    printed = output_of("custom_model.py", folder)
    (share,) = re.findall(r"nearest-mean.*: (\d+\.\d)%", printed)
    assert float(share) > 25
    assert "p happy" in printed


def test_custom_corpus(folder) -> None:
    printed = output_of("custom_corpus.py", folder)
    assert "32 clips; classes neutral, happy" in printed
    assert "skipped: trailer.mp4" in printed
    assert re.search(r"random.*LEAKS", printed)
    assert re.search(r"leave-one-speaker-out.*no leak found", printed)


def test_spiking_engine(folder) -> None:
    printed = output_of("spiking_engine.py", folder)
    (share,) = re.findall(r"(\d+)% of 597 test digits", printed)
    assert int(share) > 75
    assert (folder / "weights.png").stat().st_size > 10_000


def test_student(folder) -> None:
    """Own files, feature and model end in a table for the paper and a table of the feature."""
    printed = output_of("student.py", folder)
    assert re.search(r"Loudness, nearest neighbors: \d+\.\d %", printed)
    tex = (folder / "student" / "tables" / "comparison.tex").read_text()
    caption = next(line for line in tex.splitlines() if line.startswith(r"\caption"))
    for fact in ("Seminar clips", "6 speakers", "happy", "Protocol: clean: speaker-kfold"):
        assert fact in caption
    rows = (folder / "loudness.csv").read_text().splitlines()
    assert rows[0].startswith("clip,speaker,emotion")
    assert len(rows) - 1 == len(list((folder / "seminar").glob("*.mp4")))


def test_every_example_is_listed_and_tested() -> None:
    scripts = {path.name for path in EXAMPLES.glob("*.py")}
    assert scripts == set(re.findall(r"\[(\w+\.py)\]", (EXAMPLES / "README.md").read_text()))
    assert all(f'"{name}"' in Path(__file__).read_text() for name in scripts)
