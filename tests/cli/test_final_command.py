"""`aver evaluate --final`, `aver train --all` and `aver predict --checkpoint RUN`, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aver.cli.main import main
from tone_corpus import write_tone_corpus


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("final")
    write_tone_corpus(folder / "tones", speakers=4, takes=2)
    return folder


def typed(place: Path, command: str, run: str, *more: str) -> list[str]:
    return [
        *(command, "--corpus", str(place / "tones"), "--reader", "manifest"),
        *("--corpus-settings", "pattern={speaker}_{emotion}_{take}.wav"),
        *("--cache", str(place / "cache"), "--workers", "1"),
        *("--preset", "statistics-svm", "--out", str(place / run), *more),
    ]


def predicted(place: Path, run: str) -> int:
    clip = str(place / "tones" / "s0_happy_0.wav")
    cache = ("--cache", str(place / "cache"), "--workers", "1")
    return main(["predict", clip, "--checkpoint", str(place / run), *cache])


def test_a_run_of_evaluate_gives_the_recognizer_to_use(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(typed(place, "evaluate", "run", "--baselines", "none")) == 0
    printed = capsys.readouterr().out
    # The line on modalities comes before anything is extracted.
    assert printed.startswith("Modalities: audio (no clip has video).\n")
    assert predicted(place, "run") == 2
    assert "Repeat its command with --final to fit one" in capsys.readouterr().err
    assert main(typed(place, "evaluate", "run", "--baselines", "none", "--final")) == 0
    printed = capsys.readouterr().out
    assert "Fitted on all 24 clips of 4 speakers" in printed
    assert "Its expected quality is that of the evaluation with the same settings" in printed
    assert predicted(place, "run") == 0
    assert "happy" in capsys.readouterr().out


def test_train_on_all_clips_alone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(typed(place, "train", "alone", "--all")) == 0
    assert "these settings were not evaluated" in capsys.readouterr().out
    card = json.loads((place / "alone" / "final" / "checkpoint" / "card.json").read_text())
    assert "metrics" not in card["expected"]
    assert predicted(place, "alone") == 0
    assert main(typed(place, "train", "alone", "--all", "--fold", "1")) == 2
    assert "--all fits on every clip and --fold on one fold" in capsys.readouterr().err


def test_the_report_says_that_a_network_underfits(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = typed(place, "evaluate", "short", "--baselines", "none")
    short[short.index("statistics-svm")] = "mrpn-statistics"
    rates = ("training.epochs=4", "training.learning_rate=1e-5", "refit=false")
    assert main([*short, "--set", *rates, "network=N1", "training.schedule=step"]) == 0
    assert "Training accuracy below 50 %: underfits (" in capsys.readouterr().out
    assert "below 50 %: underfits" in (place / "short" / "report.html").read_text("utf-8")
