"""`aver robustness` and `aver report` on a run of tones, as somebody types them."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

import aver
from aver.cli.main import main
from aver.errors import SettingsError
from aver.evaluation.evaluation_folder import load_evaluation
from aver.evaluation.metrics import accuracy
from aver.evaluation.robustness import RobustnessPlan
from aver.features.store import FeatureStore
from aver.media.degradation import degradation
from browser import look_at, needs_browser
from tone_corpus import write_tone_corpus


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluated run, its baselines, and robustness measured of both."""
    folder = tmp_path_factory.mktemp("tones")
    write_tone_corpus(folder / "clips", speakers=4, takes=2)
    cache = ["--cache", str(folder / "cache"), "--workers", "1"]
    words = [
        "evaluate", "--corpus", str(folder / "clips"), "--reader", "manifest",
        "--corpus-settings", "pattern={speaker}_{emotion}_{take}.wav",
        "--preset", "statistics-logistic", "--modalities", "audio", "--split", "speaker-kfold",
        "--split-settings", "folds=4", "--baselines", "quick", "--out", str(folder / "run"), *cache,
    ]  # fmt: skip
    assert main(words) == 0
    plan = yaml.safe_load((folder / "run" / "settings.yaml").read_text())
    plan["command"] = "aver " + " ".join(f"'{word}'" for word in words)
    (folder / "run" / "settings.yaml").write_text(yaml.safe_dump(plan))
    noise = ["--levels", "white-noise=30", *cache]
    svm = folder / "run" / "baselines" / "statistics-svm"
    (svm / "settings.yaml").write_text((folder / "run" / "settings.yaml").read_text())
    for place in (folder / "run", svm):
        assert main(["robustness", str(place), *noise]) == 0
        assert main(["robustness", str(place), "--levels", "white-noise=-20", *cache]) == 0
    return folder / "run"


def test_curves_lie_in_the_run_folder(run: Path) -> None:
    folder = run / "robustness"
    names = {path.name for path in folder.iterdir() if path.is_file()}
    suffixes = ("png", "svg", "json", "csv", "tex", "md", "txt")
    tables = {f"robustness-white-noise.{suffix}" for suffix in suffixes}
    assert names == {"curves.json", "robustness-white-noise-plain.tex", *tables}
    rows = json.loads((folder / "curves.json").read_text())["kinds"]["white-noise"]["rows"]
    assert [row["signal-to-noise ratio in dB"] for row in rows] == ["none", "30", "-20"]
    assert rows[0]["accuracy in %"]["value"] == 100 * accuracy(load_evaluation(run)).value
    damaged = load_evaluation(folder / "white-noise" / "-20")
    assert rows[2]["accuracy in %"]["value"] == 100 * accuracy(damaged).value
    change = rows[2]["accuracy in %"]["value"] - rows[0]["accuracy in %"]["value"]
    assert rows[2]["change in points"]["value"] == pytest.approx(change)


def test_a_report_holds_everything_that_was_found(run: Path) -> None:
    assert main(["report", str(run)]) == 0
    page = (run / "report.html").read_text()
    for heading in ("Audit of the split", "Degraded audio and video", "Reproduction"):
        assert heading in page
    assert "record" in page[page.index("Audit of the split") :]
    assert "majority" in page
    tables = {path.name for path in (run / "tables").iterdir()}
    for name in ("comparison", "paired", "robustness-white-noise", "classes", "speakers"):
        assert {f"{name}.tex", f"{name}.csv"} <= tables


def test_several_runs_are_compared(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    svm = run / "baselines" / "statistics-svm"
    assert main(["report", str(run), str(svm), "--no-media"]) == 0
    with (run / "compared" / "tables" / "paired.csv").open() as file:
        compared = [row["compared with"] for row in csv.DictReader(file)]
    assert sorted(compared) == sorted({*compared})  # each once, though the SVM was given twice
    assert "statistics-svm" in compared
    noise = json.loads((run / "compared" / "tables" / "robustness-white-noise.json").read_text())
    assert "statistics-svm: accuracy" in noise["columns"]
    assert "<img" not in (run / "compared" / "report.html").read_text()


def test_worst_clips_are_shown_unless_told_not_to(run: Path, tmp_path: Path) -> None:
    majority = run / "baselines" / "majority"
    (majority / "settings.yaml").write_text((run / "settings.yaml").read_text())
    for words, images in (([], True), (["--no-media"], False)):
        out = tmp_path / str(images)
        assert main(["report", str(majority), "--out", str(out), *words]) == 0
        page = (out / "report.html").read_text()
        found = re.findall(r'<img src="(data:image/png;base64,[^"]+)" alt="Spectrogram', page)
        assert bool(found) is images
        assert "Clips with the lowest probability of the true class" in page


@needs_browser
def test_a_real_browser_shows_images_and_curves_without_error_or_request(
    run: Path, tmp_path: Path
) -> None:
    majority = run / "baselines" / "majority"
    (majority / "settings.yaml").write_text((run / "settings.yaml").read_text())
    svm = run / "baselines" / "statistics-svm"
    assert main(["report", str(majority), str(svm), "--out", str(tmp_path / "out")]) == 0
    page = tmp_path / "out" / "report.html"
    assert "data:image/png" in page.read_text()
    assert "robustness-white-noise" in page.read_text()
    look_at(page, tmp_path / "browser", width_px=1200)


def test_the_model_card_has_front_matter_and_the_facts(run: Path) -> None:
    assert main(["report", str(run)]) == 0
    _, front, body = (run / "model-card.md").read_text().split("---\n", 2)
    facts = yaml.safe_load(front)
    result = facts["model-index"][0]["results"][0]
    assert result["metrics"][0]["type"] == "accuracy"
    expected = accuracy(load_evaluation(run)).value
    assert result["metrics"][0]["value"] == pytest.approx(expected, abs=1e-4)
    assert facts["pipeline_tag"] == "audio-classification"
    card = json.loads((run / "folds" / "seed-0" / "fold-00" / "fold.json").read_text())["card"]
    for part in ("train", "validation", "test"):
        assert ", ".join(card["speakers"][part]) in body
    assert card["split_hash"] in body
    assert "window_s: 30.0" in body


def test_the_audit_of_a_run_knows_the_speakers_of_its_corpus(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", str(run)]) == 0
    said = capsys.readouterr().out
    assert "4 known speakers" in said
    assert "speakers unknown" not in said
    assert "4 records" in said


def test_the_same_verbs_from_python(run: Path, tmp_path: Path) -> None:
    clips = run.parent / "clips"
    corpus = aver.open_corpus(clips, "manifest", pattern="{speaker}_{emotion}_{take}.wav")
    plan = RobustnessPlan({degradation("white-noise"): (-20.0,)})
    store = FeatureStore(run.parent / "cache")
    (found,) = aver.robustness(run, corpus, plan, store=store, workers=1)
    kept = load_evaluation(run / "robustness" / "white-noise" / "-20")
    assert (found.runs[-20.0].probabilities == kept.probabilities).all()
    written = aver.report(run, out=tmp_path / "one", corpus=corpus)
    assert "Audit of the split" in written.page.read_text()
    assert "No leak declared." in written.words
    several = aver.report([str(run), run / "baselines" / "majority"], out=tmp_path / "two")
    assert several.card.read_text().startswith("---\n")
    with pytest.raises(SettingsError, match="at least one run"):
        aver.report([])


def test_what_may_be_shared_names_no_folder_of_this_machine(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["report", str(run), "--no-media", "--out", str(out)]) == 0
    page = (out / "report.html").read_text()
    assert "aver evaluate --corpus clips" in page
    assert "corpus_root: clips" in page
    shared = [path for path in out.rglob("*") if path.suffix not in (".png", "")]
    shared += run.rglob("checkpoint/*.json")
    assert len(shared) > 60
    for path in shared:
        for private in (str(run.parent), str(tmp_path), str(Path.home()) + "/"):
            assert private not in path.read_text("utf-8"), path


def test_a_leak_that_only_the_audit_finds_marks_page_card_and_tables(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = shutil.copytree(run, tmp_path / "run")
    fold = copied / "folds" / "seed-0" / "fold-00" / "fold.json"
    record = json.loads(fold.read_text())
    record["card"]["fitted_on"] = {"sound scaler": ["train", "test"]}
    fold.write_text(json.dumps(record))
    assert main(["report", str(copied), "--no-media"]) == 0
    said = capsys.readouterr().out
    assert "LEAKS: fitted-beyond-training" in said
    page, card = (copied / "report.html").read_text(), (copied / "model-card.md").read_text()
    for text in (page, card):
        assert "fitted-beyond-training: &#39;sound scaler&#39;" in text.replace("'", "&#39;")
        assert "No leak declared" not in text
        assert "clean: speaker-kfold" not in text
    name = yaml.safe_load(card.split("---\n")[1])["model-index"][0]["results"][0]["metrics"][0]
    assert "(LEAKS)" in name["name"]
    row = json.loads((copied / "tables" / "comparison.json").read_text())["rows"][0]
    assert row["clean protocol"] is None
    assert row["paper protocol (LEAKS)"]["value"] > 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--kinds", "fog"], "There is no degradation 'fog'"),
        (["--levels", "white-noise"], "KIND=A,B"),
        (["--levels", "white-noise=loud"], "is a number"),
        (["--kinds", "blur"], "reads audio; none of blur changes that"),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    run: Path, words: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["robustness", str(run), *words]) == 2
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1


def test_no_run_folder_and_no_corpus_are_said(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("robustness", "report"):
        assert main([verb, str(tmp_path)]) == 2
        assert "holds no evaluation" in capsys.readouterr().err
    (tmp_path / "nothing").mkdir()
    assert main(["robustness", str(run), "--corpus", str(tmp_path / "nothing")]) == 2
    capsys.readouterr()
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("evaluation.json", "predictions.csv"):
        (moved / name).write_text((run / name).read_text())
    (moved / "settings.yaml").write_text("corpus: manifest\ncorpus_root: /nowhere/clips\n")
    assert main(["robustness", str(moved)]) == 2
    assert "Name its folder with --corpus" in capsys.readouterr().err
    assert main(["report", str(moved)]) == 0
    assert "no media in the report" in capsys.readouterr().err
