"""The table and figures of temporal aggregation by the command line, on synthetic videos."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from aver.cli.main import main
from aver.evaluation.evaluation_folder import load_evaluation
from aver.evaluation.metrics import accuracy
from aver.synthesis import SynthesisSettings, synthesize

SMALL = {"emotions": ("happy", "sad"), "sentences": 1, "noise": 0.3, "fps": 10, "size_px": 96}
NETWORK = "temporal-aggregation-compact"
PROTOCOLS = {
    "paper": f"paper protocol (LEAKS), {NETWORK}",
    "clean": f"clean protocol, {NETWORK}",
}


def aver(*words: object) -> int:
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Table I, Figures 3 to 5 and the tolerance of offsets, both protocols, three speakers."""
    place = tmp_path_factory.mktemp("reproduced")
    settings = SynthesisSettings(speakers=3, duration_s=(1.3, 1.4), **SMALL)  # type: ignore[arg-type]
    synthesize(place / "corpus", settings)
    words = ["--cache", place / "cache", "--workers", 1, "--set", "training.epochs=1"]
    asked = ["--table", "I", "--figure", 3, 4, 5, "asynchrony"]
    corpus = ["--corpus", place / "corpus"]
    assert aver("reproduce", "temporal-aggregation", *corpus, *asked, *words, "--out", place) == 0
    return place


def runs_of(place: Path) -> dict[tuple[str, str], Path]:
    """Run folders by name of the system and kind of protocol."""
    found = {}
    for folder in (place / "runs").iterdir():
        run = load_evaluation(folder)
        found[run.system, "paper" if run.leaks else "clean"] = folder
    return found


def test_both_protocols_are_run_on_the_papers_folds(reproduced: Path) -> None:
    runs = runs_of(reproduced)
    assert len(runs) == len(list((reproduced / "runs").iterdir()))  # each system once a protocol
    for (_, kind), folder in runs.items():
        split = json.loads((folder / "split.json").read_text())
        assert len(split["folds"]) == 3  # ten at most, one for each speaker here
        run = load_evaluation(folder)
        assert sorted(run.speakers) == sorted(["s01", "s02", "s03"] * 2)
        for fold in split["folds"]:
            train, validation, test = (set(fold[part]) for part in ("train", "validation", "test"))
            assert (validation == test) == (kind == "paper")
            assert not train & validation
            assert not train & test
            assert len(train) == (4 if kind == "paper" else 2)


def test_table_1_holds_the_accuracies_of_its_runs(reproduced: Path) -> None:
    table = json.loads((reproduced / "temporal-aggregation-table-I.json").read_text())
    rows = {row["row"]: row for row in table["rows"]}
    assert len(rows) == 8
    runs = runs_of(reproduced)
    for label in ("proposed method, N = 10", "CNN-based approach, N = 1", "majority, ours"):
        for kind, column in PROTOCOLS.items():
            expected = accuracy(load_evaluation(runs[label, kind])).value
            assert rows[label][column]["value"] == pytest.approx(100 * expected)
    assert (
        "LEAKS: validation-is-test" in (reproduced / "temporal-aggregation-table-I.txt").read_text()
    )


def test_figures_3_to_5_and_asynchrony_are_written_for_both_protocols(reproduced: Path) -> None:
    stem = "temporal-aggregation-figure"
    for kind in PROTOCOLS:
        for name in (f"3-loss-{kind}", f"3-accuracy-{kind}", f"4-{kind}"):
            assert (reproduced / f"{stem}-{name}.png").stat().st_size > 0
    with (reproduced / f"{stem}-5.csv").open(newline="") as file:
        curve = list(csv.DictReader(file))
    assert [row["segments N"] for row in curve] == ["1", "3", "5", "8", "10"]
    table = json.loads((reproduced / "temporal-aggregation-table-I.json").read_text())
    rows = {row["row"]: row for row in table["rows"]}
    for place, label in ((0, "CNN-based approach, N = 1"), (4, "proposed method, N = 10")):
        for kind, column in (("paper", "paper protocol (LEAKS)"), ("clean", "clean")):
            found = float(curve[place][column])
            assert found == pytest.approx(rows[label][PROTOCOLS[kind]]["value"])
    with (reproduced / f"{stem}-asynchrony.csv").open(newline="") as file:
        offsets = list(csv.DictReader(file))
    assert len(offsets) == 9
    as_trained = offsets[4]
    assert as_trained["delay of the audio in s"] == "0"
    for column in ("paper protocol (LEAKS)", "clean"):
        assert float(as_trained[column]) == pytest.approx(float(curve[4][column]))


def test_a_video_too_short_for_ten_segments_is_listed_and_the_others_are_predicted(
    reproduced: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = SynthesisSettings(speakers=1, duration_s=(0.5, 0.5), **SMALL)  # type: ignore[arg-type]
    short = sorted(synthesize(tmp_path / "short", settings).rglob("*.mp4"))
    films = tmp_path / "films"
    films.mkdir()
    for number, film in enumerate([*short, *sorted((reproduced / "corpus").rglob("*.mp4"))[:2]]):
        shutil.copy(film, films / f"film{number}.mp4")
    run = runs_of(reproduced)["proposed method, N = 10", "clean"]
    checkpoint = run / "folds" / "seed-0" / "fold-00" / "checkpoint"
    words = ["predict", films, "--checkpoint", checkpoint, "--cache", tmp_path / "cache"]
    words += ["--workers", 1, "--format", "jsonl"]
    capsys.readouterr()
    assert aver(*words) == 0
    captured = capsys.readouterr()
    rows = [json.loads(line) for line in captured.out.splitlines()]
    assert [row["clip"] for row in rows if row["emotion"]] == ["film2.mp4", "film3.mp4"]
    assert len(rows) == 4
    lines = [line for line in captured.err.splitlines() if "not predicted" in line]
    assert len(lines) == 2
    assert "frames and cannot be divided into 10 segments" in lines[0]
    assert aver(*words, "--strict") == 2
