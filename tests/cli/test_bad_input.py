"""Bad input on the command line: one clear line, exit status 2, nothing lost or half-written."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import pytest

from aver.cli.main import main
from tone_corpus import write_tone_corpus

PATTERN = "pattern={speaker}_{emotion}_{take}.wav"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVER_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus ``tones`` and a run ``run`` that was trained on it."""
    folder = tmp_path_factory.mktemp("trained")
    write_tone_corpus(folder / "tones", speakers=4, takes=2)
    words = ["--cache", folder / "cache", "--out", folder / "run"]
    assert aver("train", *system(folder / "tones"), *words) == 0
    return folder


@pytest.fixture
def tones(trained: Path, tmp_path: Path) -> Path:
    """A copy of the corpus, which a test may damage."""
    return shutil.copytree(trained / "tones", tmp_path / "tones")


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the trained run, which a test may damage."""
    return shutil.copytree(trained / "run", tmp_path / "run")


def aver(*words: object) -> int:
    return main([str(word) for word in words])


def system(folder: Path) -> list[object]:
    """Arguments that name a quick system on a folder of tones."""
    return [
        *("--corpus", folder, "--reader", "manifest", "--corpus-settings", PATTERN),
        *("--preset", "statistics-logistic", "--modalities", "audio", "--workers", 1),
    ]


def error_of(captured: pytest.CaptureFixture[str]) -> str:
    err = captured.readouterr().err
    lines = [line for line in err.splitlines() if line.startswith("aver: ")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]


def test_missing_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert aver("train", *system(tmp_path / "nowhere"), "--out", tmp_path / "run") == 2
    assert "nowhere" in error_of(capsys)
    assert not (tmp_path / "run").exists()


def test_empty_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert aver("train", *system(tmp_path / "empty"), "--out", tmp_path / "run") == 2
    assert "No clip" in error_of(capsys)


def test_unknown_label(tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tones / "s0_happy_0.wav").rename(tones / "s0_hapy_0.wav")
    assert aver("train", *system(tones), "--out", tmp_path / "run") == 0
    assert (
        "s0_hapy_0.wav: The emotion 'hapy' is none of the shared ones." in capsys.readouterr().err
    )


def test_classes_of_the_users_own(
    tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in sorted(tones.glob("*_happy_*.wav")):
        path.rename(tones / path.name.replace("happy", "boredom"))
    words = ["--corpus-settings", "further_emotions=boredom", "--out", tmp_path / "run"]
    assert aver("train", *system(tones), *words) == 0
    corpus = system(tones)[: system(tones).index("--preset")]
    assert aver("report", tmp_path / "run", *corpus, "further_emotions=boredom") == 0
    assert "boredom" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    capsys.readouterr()
    given = ["--checkpoint", tmp_path / "run", "--format", "jsonl", "--workers", 1]
    assert aver("predict", next(tones.glob("*_boredom_*.wav")), *given) == 0
    predicted = json.loads(capsys.readouterr().out)
    assert predicted["emotion"] == "boredom"
    assert list(predicted["probabilities"])[-1] == "boredom"


def test_one_class(tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert aver("train", *system(tones), "--emotions", "sad", "--out", tmp_path / "run") == 2
    assert "at least two classes" in error_of(capsys)


def test_one_speaker(tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert aver("train", *system(tones), "--speakers", "s0", "--out", tmp_path / "run") == 2
    assert "one speaker" in error_of(capsys)


def test_fewer_speakers_than_folds(
    tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*system(tones), "--split", "speaker-kfold", "--split-settings", "folds=9"]
    assert aver("evaluate", *words, "--out", tmp_path / "run") == 2
    assert "9" in error_of(capsys)


def test_unknown_setting(tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert aver("train", *system(tones), "--set", "color=red", "--out", tmp_path / "run") == 2
    assert "color" in error_of(capsys)


def test_bad_files_are_listed_and_the_run_goes_on(
    tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {
        "s0_happy_0": b"",
        "s1_sad_0": b"RIFF\x24\x00\x00\x00WAVE",  # truncated
        "s2_angry_1": b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
    }
    for name, content in bad.items():
        (tones / f"{name}.wav").write_bytes(content)
    words = [*system(tones), "--baselines", "none"]
    assert aver("evaluate", *words, "--out", tmp_path / "run") == 0
    captured = capsys.readouterr()
    assert all(name in captured.err for name in bad)
    assert (tmp_path / "run" / "evaluation.json").exists()
    assert aver("evaluate", *words, "--strict", "--out", tmp_path / "strict") == 2
    error = error_of(capsys)
    assert any(name in error for name in bad)


def test_predict_goes_on_after_a_bad_file(
    tones: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tones / "bad.wav").write_bytes(b"RIFF but no more")
    (tones / "zero.wav").write_bytes(b"")
    words = ["predict", tones, "--checkpoint", run, "--workers", 1]
    assert aver(*words, "--format", "jsonl") == 0
    captured = capsys.readouterr()
    rows = [json.loads(line) for line in captured.out.splitlines()]
    assert [row["clip"] for row in rows if row["emotion"] is None] == ["bad.wav", "zero.wav"]
    assert all(row["flags"] for row in rows if row["emotion"] is None)
    predicted = [row["probabilities"] for row in rows if row["emotion"]]
    assert len(predicted) == 24
    assert all(abs(sum(one.values()) - 1) < 1e-3 for one in predicted)
    assert "bad.wav" in captured.err
    assert "zero.wav" in captured.err
    assert aver(*words, "--format", "csv", "--out", tmp_path / "predictions.csv", "--strict") == 2
    assert (tmp_path / "predictions.csv").read_text().count("\n") == 27


def test_predict_with_nothing_readable(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.wav").write_bytes(b"nothing like sound")
    words = ["predict", tmp_path / "bad.wav", "--checkpoint", run]
    assert aver(*words, "--workers", 1) == 2
    assert "bad.wav" in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["none", "version", "keys", "torn"])
def test_checkpoint_that_does_not_fit(
    tones: Path, run: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    if fault == "none":
        shutil.rmtree(run)
        run.mkdir()
    else:
        facts = next(run.rglob("recognizer.json"))
        if fault == "version":
            facts.write_text(facts.read_text().replace("aver-recognizer-2", "aver-recognizer-0"))
        elif fault == "keys":
            from safetensors.numpy import load_file, save_file

            weights = facts.with_name("weights.safetensors")
            save_file({**load_file(weights), "foreign": load_file(weights).popitem()[1]}, weights)
        else:
            facts.with_name("weights.safetensors").write_bytes(b"torn")
    assert aver("predict", tones, "--checkpoint", run, "--workers", 1) == 2
    assert str(run) in error_of(capsys)


def test_full_disk_leaves_nothing_half_written(
    tones: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = Path.replace

    def full(self: Path, target: Path) -> Path:
        if Path(target).name == "weights.safetensors":
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(self, target)

    monkeypatch.setattr(Path, "replace", full)
    assert aver("train", *system(tones), "--out", tmp_path / "run") == 2
    assert "disk is full" in error_of(capsys)
    fold = tmp_path / "run" / "folds" / "seed-0" / "fold-00"
    assert not (fold / "fold.json").exists()
    assert not list(fold.rglob("*weights*"))
    monkeypatch.undo()
    assert aver("train", *system(tones), "--out", tmp_path / "run") == 0


def test_run_folder_of_other_settings_is_refused(
    tones: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*system(tones), "--set", "refit=false"]
    assert aver("train", *words, "--out", run) == 2
    assert "--out" in error_of(capsys)


def test_split_that_hides_a_shared_speaker(
    tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = ["--corpus", tones, "--reader", "manifest", "--corpus-settings", PATTERN]
    target = tmp_path / "split.json"
    assert aver("split", "make", *corpus, "--rule", "random", "--out", target) == 0
    split = json.loads(target.read_text())
    split["leaks"] = []
    target.write_text(json.dumps(split))
    capsys.readouterr()
    assert aver("split", "check", target, *corpus) == 2
    assert "Speaker" in error_of(capsys)
