"""Labels of the user's own, from the shell, through every command."""

from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from aver.cli.main import main
from tone_corpus import write_tone_corpus

OWN = {"happy": "Langeweile", "sad": "mildly bored", "angry": "<b>x</b> & a/b"}
CLASSES = sorted(word.lower() for word in OWN.values())
"""As labels are written and ordered: in lower case, alphabetically."""


def write_table(folder: Path, seed: int = 0, speakers: int = 4) -> Path:
    """A table of tones with labels that are none of the shared ones."""
    corpus = write_tone_corpus(folder / "clips", speakers=speakers, takes=2, seed=seed)
    table = folder / "clips.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "speaker", "emotion"])
        for clip in corpus:
            writer.writerow([f"clips/{clip.audio.name}", clip.speaker, OWN[clip.emotion]])
    return table


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return ["--workers", "1", "--cache", str(tmp_path_factory.mktemp("cache"))]


SYSTEM = ["--preset", "statistics-logistic", "--modalities", "audio"]


@pytest.fixture(scope="module")
def run(table: Path, work: list[str]) -> Path:
    """An evaluated run."""
    out = table.parent / "run"
    corpus = ["--corpus", str(table), "--labels", "*=keep"]
    words = [*corpus, *SYSTEM, "--baselines", "quick", "--out", str(out), *work]
    words += ["--split", "speaker-kfold", "--split-settings", "folds=4"]
    assert main(["evaluate", *words]) == 0
    return out


@pytest.mark.parametrize(
    ("labels", "counts"),
    [
        (["*=keep"], "<b>x</b> & a/b 8, langeweile 8, mildly bored 8"),
        (["langeweile=sad", "mildly bored=drop", "*=surprise"], "sad 8, surprised 8"),
        (["Langeweile=calm,mildly bored=calm", "*=drop"], "calm 16"),
    ],
)
def test_rules_for_a_table(
    labels: list[str], counts: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["corpus", "check", "--corpus", str(table), "--labels", *labels]) == 0
    assert f"by class: {counts}\n" in capsys.readouterr().out


def test_what_nothing_declares_is_named_with_a_rule_that_a_shell_can_take(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["corpus", "check", "--corpus", str(table), "--labels", "Langeweile=keep"]) == 0
    assert "--labels '<b>x</b> & a/b=drop'" in capsys.readouterr().out


def test_rules_for_a_corpus_with_a_reader_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names of EMO-DB: W is angry, L boredom, F happy, T sad."""
    for name in ("03a01Wa", "03a01La", "08a01Fa", "08a01Ta"):
        (tmp_path / f"{name}.wav").write_bytes(b"RIFF")
    check = ["corpus", "check", "--corpus", str(tmp_path), "--reader", "emodb", "--labels"]
    assert main([*check, "boredom=drop", "anger=rage", "happy=sad"]) == 0
    said = capsys.readouterr().out
    assert "by class: sad 2, rage 1\n" in said
    assert "left out: 1 clips: dropped emotion 'boredom'" in said
    assert main([*check, "boredem=drop"]) == 2
    assert "No clip of the corpus is 'boredem'" in capsys.readouterr().err


def test_train_and_predict(
    table: Path, work: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    words = ["--corpus", str(table), "--labels", "*=keep", *SYSTEM, "--out", str(out), *work]
    assert main(["train", *words]) == 0
    capsys.readouterr()
    clips = [str(table.parent / "clips" / f"s0_{name}_0.wav") for name in OWN]
    assert main(["predict", *clips, "--checkpoint", str(out), "--format", "jsonl", *work]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["clip"]: row["emotion"] for row in rows} == {
        f"s0_{name}_0.wav": label.lower() for name, label in OWN.items()
    }
    assert all(list(row["probabilities"]) == CLASSES for row in rows)
    assert main(["predict", *clips, "--checkpoint", str(out), *work]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    for line in lines:  # the columns of a class end together
        assert re.search(r"%$", line[: heading.index(CLASSES[0], 30) + len(CLASSES[0])])


def test_the_command_of_a_run_is_the_one_that_was_given(run: Path, table: Path) -> None:
    """Also if Python gave it, whose own command line is another one."""
    command = yaml.safe_load((run / "settings.yaml").read_text())["command"]
    assert shlex.split(command)[:4] == ["aver", "evaluate", "--corpus", str(table)]


def test_pages_cards_and_tables(run: Path, work: list[str]) -> None:
    assert main(["report", str(run)]) == 0
    page = (run / "report.html").read_text()
    assert "&lt;b&gt;x&lt;/b&gt; &amp; a/b" in page
    assert "<b>x</b>" not in page
    assert all(label in (run / "model-card.md").read_text() for label in ("langeweile", "bored"))
    assert main(["audit", str(run)]) == 0
    assert main(["robustness", str(run), "--levels", "white-noise=40", *work]) == 0


def test_split_and_audit_of_a_split(table: Path, tmp_path: Path) -> None:
    corpus = ["--corpus", str(table), "--labels", "*=keep"]
    split = str(tmp_path / "split.json")
    assert main(["split", "make", *corpus, "--rule", "leave-one-speaker-out", "--out", split]) == 0
    assert main(["split", "check", split, *corpus]) == 0
    assert main(["audit", split, *corpus, "--names-only"]) == 0


def test_across_corpora(table: Path, work: list[str], tmp_path: Path) -> None:
    other = write_table(tmp_path / "other", seed=1, speakers=3)
    out = tmp_path / "run"
    corpora = ["--train-corpus", str(table), "name=one", "labels=*=keep"]
    corpora += ["--test-corpus", str(other), "name=two", "labels=*=keep", "drop=mildly bored"]
    assert (
        main(["evaluate", *corpora, *SYSTEM, "--baselines", "none", "--out", str(out), *work]) == 0
    )
    card = (out / "report.html").read_text()
    assert "langeweile" in card
    facts = json.loads((out / "evaluation.json").read_text())
    assert facts["classes"] == ["<b>x</b> & a/b", "langeweile"]
