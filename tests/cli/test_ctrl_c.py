"""Ctrl-C at the command line: training ends soon, with one line, and goes on to the same result."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aver.corpora import open_corpus
from aver.evaluation.experiment import Experiment, run_experiment
from aver.features.store import FeatureStore
from aver.splits import make_split
from tone_corpus import write_tone_corpus

PATTERN = "{speaker}_{emotion}_{take}.wav"
EPOCHS = 60
SOON_S = 8.0
"""Above the five seconds after which workers are killed: two cores may be shared with others."""
TRAINING = {
    **{"training.epochs": EPOCHS, "training.patience": EPOCHS},
    "training.schedule": "reduce-on-plateau",
}
OVERRIDES = {"modalities": ["audio"], **TRAINING}


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tones")
    write_tone_corpus(folder)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def run_here(tones: Path, cache: Path, out: Path) -> str:
    corpus = open_corpus(tones, "manifest", pattern=PATTERN)
    split = make_split(corpus, "speaker-kfold", folds=3)
    experiment = Experiment(corpus, split, "mrpn-statistics", OVERRIDES)
    run_experiment(experiment, out, store=FeatureStore(cache))
    return (out / "predictions.csv").read_text()


@pytest.fixture(scope="module")
def unbroken(tones: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return run_here(tones, cache, tmp_path_factory.mktemp("unbroken"))


def start(tones: Path, cache: Path, out: Path, workers: int) -> subprocess.Popen[str]:
    words = [
        *("evaluate", "--corpus", tones, "--reader", "manifest"),
        *("--corpus-settings", f"pattern={PATTERN}", "--preset", "mrpn-statistics"),
        *("--split", "speaker-kfold", "--split-settings", "folds=3", "--modalities", "audio"),
        *("--set", *(f"{name}={value}" for name, value in TRAINING.items())),
        *("--baselines", "none"),
        *("--cache", cache, "--out", out, "--workers", workers),
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "aver.cli.main", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def alone(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)


def as_a_terminal(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGINT)


@pytest.mark.parametrize(
    ("workers", "ctrl_c", "status"),
    [(2, alone, 130), (2, as_a_terminal, 130), (1, as_a_terminal, 2)],
)
def test_training_stops_soon_and_goes_on_to_the_same_result(
    tones: Path,
    cache: Path,
    unbroken: str,
    tmp_path: Path,
    workers: int,
    ctrl_c: Callable[[subprocess.Popen[str]], None],
    status: int,
) -> None:
    process = start(tones, cache, tmp_path, workers)
    deadline_s = time.monotonic() + 60
    while len(list(tmp_path.rglob("resume.ckpt"))) < workers and process.poll() is None:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    ctrl_c(process)
    stopped_s = time.monotonic()
    _, complaints = process.communicate(timeout=60)  # until the last worker has let go of stderr
    assert time.monotonic() - stopped_s < SOON_S
    assert process.returncode == status, complaints
    assert complaints.startswith("aver: ")
    assert complaints.count("\n") == 1
    assert not list(tmp_path.rglob("fold.json"))
    assert len(list(tmp_path.rglob("resume.ckpt"))) == workers
    logs = list(tmp_path.rglob("training.jsonl"))
    assert all(len(log.read_text().splitlines()) < EPOCHS for log in logs)
    assert run_here(tones, cache, tmp_path) == unbroken
    assert not list(tmp_path.rglob("resume.ckpt"))
