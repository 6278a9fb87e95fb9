"""Several corpora on the command line: end to end, and one clear line for what is not possible."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
from sklearn.metrics import recall_score

from aver.cli.main import main
from aver.cli.several_corpora import read_corpus_words
from aver.errors import SettingsError
from aver.synthesis import SynthesisSettings, synthesize
from tone_corpus import write_tone_corpus

MANIFEST = ["reader=manifest", "pattern={speaker}_{emotion}_{take}.wav"]
QUICK = ["--preset", "statistics-logistic", "--modalities", "audio", "--workers", "1"]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.getbasetemp() / "cache-of-several-corpora"
    monkeypatch.setenv("AVER_CACHE", str(folder))


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """By name, the words for three corpora of tones."""
    folder = tmp_path_factory.mktemp("tones")
    for seed, (name, speakers) in enumerate({"one": 4, "two": 3, "alone": 1}.items()):
        write_tone_corpus(folder / name, speakers=speakers, takes=2, seed=seed)
    return {name: [str(folder / name), *MANIFEST] for name in ("one", "two", "alone")}


def error_of(captured: pytest.CaptureFixture[str]) -> str:
    err = captured.readouterr().err
    lines = [line for line in err.splitlines() if line.startswith("aver: ")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]


def test_training_and_testing_on_synthetic_corpora_end_to_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From two synthesized corpora to the report, and from the run folder to the report again."""
    for seed, (name, emotions) in enumerate(
        {"first": ("happy", "sad", "calm"), "second": ("happy", "sad", "neutral", "angry")}.items()
    ):
        settings = SynthesisSettings(
            speakers=3, emotions=emotions, sentences=1, seed=seed, size_px=96, fps=5.0,
            duration_s=(1.0, 1.1),
        )  # fmt: skip
        synthesize(tmp_path / name, settings)
    words = ["evaluate", "--train-corpus", str(tmp_path / "first"), "--test-corpus"]
    words += [str(tmp_path / "second"), "name=other", "--merge", "calm=neutral"]
    words += [
        *QUICK,
        "--preset",
        "statistics-svm",
        "--baselines",
        "none",
        "--out",
        str(tmp_path / "run"),
    ]
    monkeypatch.setattr(sys, "argv", ["aver", *words])
    assert main(words) == 0
    printed, notes = capsys.readouterr()
    assert notes.startswith(
        "Emotions: neutral, happy, sad; calm counts as neutral; left out, since not every corpus "
        "has them: other angry (3 clips)."
    )
    assert "test: other" in printed
    run = tmp_path / "run"
    with (run / "predictions.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert {row["clip_id"].split("/")[0] for row in rows} == {"other"}
    assert {row["speaker"] for row in rows} == {"other/s01", "other/s02", "other/s03"}
    expected = recall_score(
        [row["truth"] for row in rows], [row["prediction"] for row in rows], average="macro"
    )
    matrix = json.loads((run / "tables" / "corpora-uar.json").read_text())
    assert matrix["rows"][0]["test: other"]["value"] == pytest.approx(100 * expected)
    assert [row["trained on"] for row in matrix["rows"]] == ["synthetic", "synthetic"]
    page = (run / "report.html").read_text()
    assert "By training and test corpus" in page
    assert "Trained on synthetic; tested on other" in (run / "model-card.md").read_text()
    # Again: nothing is computed, and the report finds both corpora by the recorded command.
    done = (run / "folds" / "seed-0" / "fold-00" / "fold.json").stat().st_mtime_ns
    assert main(words) == 0
    assert (run / "folds" / "seed-0" / "fold-00" / "fold.json").stat().st_mtime_ns == done
    capsys.readouterr()
    assert main(["report", str(run), "--no-media", "--out", str(tmp_path / "again")]) == 0
    assert "no audit" not in capsys.readouterr().err
    again = (tmp_path / "again" / "tables" / "corpora-uar.csv").read_text()
    assert again == (run / "tables" / "corpora-uar.csv").read_text()
    assert main(["audit", str(run)]) == 0
    (tmp_path / "second").rename(tmp_path / "moved")
    moved = ["--corpora", str(tmp_path / "first"), str(tmp_path / "moved"), "name=other"]
    again = ["report", str(run), "--no-media", "--out", str(tmp_path / "again")]
    assert main(again) == 0
    assert "2 corpora of the run" in capsys.readouterr().err
    assert main([*again, *moved, "--merge", "calm=neutral"]) == 0
    assert "aver:" not in capsys.readouterr().err


def test_each_corpus_is_tested_in_turn_by_default(
    tones: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--corpora", *tones["one"], *tones["two"], *tones["alone"], *QUICK]
    assert main([*words, "--baselines", "none", "--out", str(tmp_path / "run")]) == 0
    matrix = json.loads((tmp_path / "run" / "tables" / "corpora-accuracy.json").read_text())
    (row,) = matrix["rows"]
    assert row["trained on"] == "all other corpora"
    assert row["test: alone"]["low"] is None
    assert row["test: one"]["low"] is not None
    assert "test: alone" in matrix["notes"][-1]  # no interval: one speaker
    assert "Pooled over 3 test corpora" in capsys.readouterr().out


def test_a_matrix_with_its_diagonal(tones: dict[str, list[str]], tmp_path: Path) -> None:
    words = ["evaluate", "--corpora", *tones["one"], *tones["two"], *QUICK, "--baselines", "none"]
    words += ["--split", "train-on-one-corpus", "--split-settings", "within_folds=3"]
    assert main([*words, "--out", str(tmp_path / "run")]) == 0
    matrix = json.loads((tmp_path / "run" / "tables" / "corpora-uar.json").read_text())
    assert [row["trained on"] for row in matrix["rows"]] == ["one", "two"]
    assert all(row[f"test: {name}"] for row in matrix["rows"] for name in ("one", "two"))


def test_training_on_several_corpora_keeps_a_recognizer_that_predicts(
    tones: dict[str, list[str]], tmp_path: Path
) -> None:
    words = ["train", "--train-corpus", *tones["one"], "--test-corpus", *tones["two"], *QUICK]
    assert main([*words, "--out", str(tmp_path / "run")]) == 0
    clip = Path(tones["alone"][0]) / "s0_sad_0.wav"
    assert main(["predict", str(clip), "--checkpoint", str(tmp_path / "run")]) == 0


def test_a_split_of_several_corpora_is_written_checked_and_used(
    tones: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = str(tmp_path / "split.json")
    roles = ["--train-corpus", *tones["one"], "--test-corpus", *tones["two"]]
    both = ["--corpora", *tones["one"], *tones["two"]]
    assert main(["split", "make", *roles, "--set", "validation_share=0.5", "--out", target]) == 0
    assert "fold 0: 12 train, 12 validation, 18 test" in capsys.readouterr().out
    assert main(["split", "check", target, *both]) == 0
    out = str(tmp_path / "run")
    assert main(["train", *both, "--split", target, *QUICK, "--out", out]) == 0
    assert main(["audit", target]) == 0


def test_speakers_and_emotions_can_be_selected(
    tones: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "split.json"
    words = ["split", "make", "--train-corpus", *tones["one"], "speakers=s0,s1", "--test-corpus"]
    words += [*tones["two"], "--emotions", "happy,sadness", "--out", str(target)]
    assert main(words) == 0
    assert "Emotions: happy, sad; dropped: angry (" in capsys.readouterr().err
    (fold,) = json.loads(target.read_text())["folds"]
    assert {name.split("_")[0] for name in fold["train"] + fold["validation"]} == {
        "one/s0",
        "one/s1",
    }
    assert not any("angry" in name for name in fold["test"])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--train-corpus", "ONE"], "--train-corpus is given without --test-corpus"),
        (["--test-corpus", "ONE"], "--test-corpus is given without --train-corpus"),
        (["--corpora", "ONE"], "at least two corpora, not 1"),
        (["--corpora", "ONE", "ONE"], "is given twice"),
        (["--train-corpus", "ONE", "--test-corpus", "ONE"], "is given twice"),
        (["--train-corpus", "ONE", "--test-corpus", "ONE", "name=x"], "is given twice"),
        (["--corpora", "ONE", "TWO", "--test-corpus", "TWO"], "either with --corpora, or with"),
        (["--corpus", "x", "--corpora", "ONE", "TWO"], "either one corpus with --corpus or sev"),
        (["--corpora", "name=x", "ONE", "TWO"], "'name=x' stands before any folder"),
        (["--corpora", "ONE", "name=a/b", "TWO"], "cannot be named 'a/b'"),
        (["--corpora", "ONE", "name=two", "TWO"], "are both named 'two'"),
        (["--corpora", "ONE", "color=red", "TWO"], "no setting 'manifest.color'"),
        (["--corpora", "ONE", "/nowhere/at/all"], "no corpus at /nowhere/at/all"),
        (["--corpora", "ONE", "TWO", "--reader", "manifest"], "write reader=NAME behind the fol"),
        (["--corpora", "ONE", "TWO", "--corpus-settings", "a=b"], "write KEY=VALUE behind"),
        (
            ["--corpora", "ONE", "TWO", "--merge", "calm=neutral"],
            "No clip of the corpora is 'calm'",
        ),
        (["--corpora", "ONE", "TWO", "--drop", "sad,happy"], "have 1 emotions in common"),
        (["--corpora", "ONE", "TWO", "--split", "cross-corpus"], "needs the names of the training"),
        (
            ["--train-corpus", "ALONE", "--test-corpus", "ONE"],
            "no training corpus has two speakers",
        ),
        (
            ["--train-corpus", "ONE", "--test-corpus", "TWO", "--split", "random"],
            "determine the split",
        ),
        (
            ["--train-corpus", "ONE", "--test-corpus", "TWO", "--modalities", "audio,video"],
            "No training clip of one has video, which statistics-logistic",
        ),
        (["--corpus", "x", "--merge", "sad=calm"], "With one write --labels sad=calm"),
        ([], "Name a corpus with --corpus, or several with --corpora"),
    ],
)
def test_what_is_not_possible_is_one_clear_line(
    words: list[str],
    reason: str,
    tones: dict[str, list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spelled = [part for word in words for part in tones.get(word.lower(), [word])]
    out = tmp_path / "run"
    assert main(["evaluate", *QUICK, *spelled, "--out", str(out)]) == 2
    assert reason in error_of(capsys)
    assert not out.exists()


def test_a_preset_named_twice_is_refused(
    tones: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--corpora", *tones["one"], *tones["two"], *QUICK]
    assert main([*words, "--preset", "statistics-logistic", "--out", str(tmp_path / "run")]) == 2
    assert "named twice" in error_of(capsys)


def test_words_behind_a_folder_belong_to_it() -> None:
    words = ["a/b:c", "reader=nemo", "./x=y", "name=z", "labels=01=sad,02=happy", "speakers=01,02"]
    one, two = read_corpus_words(words, "--corpora")
    assert (str(one.path), one.reader, one.settings) == ("a/b:c", "nemo", {})
    assert (str(two.path), two.name) == ("x=y", "z")
    assert two.speakers == ("01", "02")
    assert two.settings == {"labels": "01=sad,02=happy"}
    with pytest.raises(SettingsError, match=r"Write a folder of that name as '\./x=y'"):
        read_corpus_words(["x=y"], "--corpora")
