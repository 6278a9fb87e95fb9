"""Whatever goes wrong with one clip, the others are done, and the reason is one sentence."""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aver.cli.main import main
from aver.features.audio_functionals import AudioFunctionals
from aver.models.baselines.functionals import Statistics
from tone_corpus import RATE_HZ, write_tone_corpus

READ = ["--reader", "manifest", "--corpus-settings", "pattern={speaker}_{emotion}_{take}.wav"]
SYSTEM = ["--preset", "statistics-logistic", "--modalities", "audio"]


@pytest.fixture
def tones(tmp_path: Path) -> Path:
    write_tone_corpus(tmp_path / "tones", speakers=3, takes=1)
    return tmp_path / "tones"


@pytest.fixture
def work(tmp_path: Path) -> list[str]:
    return ["--workers", "1", "--cache", str(tmp_path / "cache")]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    write_tone_corpus(folder / "tones", speakers=3, takes=2)
    words = ["--corpus", str(folder / "tones"), *READ, *SYSTEM, "--out", str(folder / "run")]
    assert main(["train", *words, "--workers", "1", "--cache", str(folder / "cache")]) == 0
    return folder / "run"


def undecodable(path: Path) -> None:
    path.write_bytes(b"no sound at all " * 400)


def a_link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("gone.wav"))


@pytest.mark.parametrize("spoil", [undecodable, a_link_to_nothing])
@pytest.mark.parametrize("command", ["features", "evaluate", "predict"])
def test_a_broken_file_is_named_and_the_others_are_done(
    command: str, spoil, tones: Path, work: list[str], trained: Path, tmp_path: Path, capsys
) -> None:
    spoil(tones / "s1_sad_0.wav")
    corpus = ["--corpus", str(tones), *READ]
    split = ["--split", "speaker-kfold", "--split-settings", "folds=3", "--baselines", "none"]
    words = {
        "features": [*corpus, "--preset", "statistics-logistic"],
        "evaluate": [*corpus, *SYSTEM, *split, "--out", str(tmp_path / "run")],
        "predict": [str(tones), "--checkpoint", str(trained), "--format", "jsonl"],
    }[command]
    assert main([command, *words, *work]) == 0
    said = capsys.readouterr()
    assert "s1_sad_0" in said.err
    if command == "predict":
        rows = [json.loads(line) for line in said.out.splitlines()]
        answered = {row["clip"] for row in rows if row["emotion"]}
        assert answered == {path.name for path in tones.iterdir()} - {"s1_sad_0.wav"}
    if command == "features":
        assert said.out.startswith("8 clips are ready")


def test_sound_that_is_no_number_is_flagged(
    tones: Path, work: list[str], trained: Path, capsys
) -> None:
    nothing = np.full(RATE_HZ, np.nan, np.float32)
    soundfile.write(tones / "s1_sad_0.wav", nothing, RATE_HZ, subtype="FLOAT")
    words = ["predict", str(tones), "--checkpoint", str(trained), "--format", "jsonl", *work]
    assert main(words) == 0
    rows = {row["clip"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert len(rows) == 9
    assert [name for name, row in rows.items() if not row["emotion"]] == ["s1_sad_0.wav"]
    assert rows["s1_sad_0.wav"]["flags"]


def test_a_name_that_is_no_text(tones: Path, work: list[str], trained: Path, capsys) -> None:
    named = os.fsencode(tones) + b"/s1_gl\xfccklich.wav"
    shutil.copy(tones / "s1_sad_0.wav", named)
    assert main(["predict", str(tones), "--checkpoint", str(trained), *work]) == 0
    assert "s1_gl\\xfccklich.wav" in capsys.readouterr().out


@pytest.mark.parametrize("place", [AudioFunctionals, Statistics])
def test_our_own_bug_in_the_middle_costs_one_clip(
    place: type, tones: Path, work: list[str], trained: Path, monkeypatch, capsys, caplog
) -> None:
    """In the extraction or in the recognizer; ``--debug`` shows the traceback."""
    method = "extract" if place is AudioFunctionals else "_predict"
    right = getattr(place, method)

    def wrong(self, clips):
        some = clips if isinstance(clips, list | tuple) else [clips]
        if any("s1_sad" in clip.clip_id for clip in some):
            raise TypeError("unsupported operand")
        return right(self, clips)

    monkeypatch.setattr(place, method, wrong)
    words = ["predict", str(tones), "--checkpoint", str(trained), "--format", "jsonl", *work]
    with caplog.at_level(logging.DEBUG, "aver"):
        assert main(words) == 0
    said = capsys.readouterr()
    assert sum(bool(json.loads(line)["emotion"]) for line in said.out.splitlines()) == 8
    assert "s1_sad_0.wav cannot be processed (TypeError: unsupported operand)" in said.err
    assert any(record.exc_info for record in caplog.records)


def test_a_file_that_vanishes_between_extraction_and_prediction(
    tones: Path, work: list[str], trained: Path, monkeypatch, capsys
) -> None:
    right = Statistics._predict

    def late(self, clips):
        (tones / "s1_sad_0.wav").unlink(missing_ok=True)
        return right(self, clips)

    monkeypatch.setattr(Statistics, "_predict", late)
    words = ["predict", str(tones), "--checkpoint", str(trained), "--format", "jsonl", *work]
    assert main(words) == 0
    said = capsys.readouterr()
    assert sum(bool(json.loads(line)["emotion"]) for line in said.out.splitlines()) == 8
    assert "s1_sad_0.wav cannot be read: No such file" in said.err


def test_a_bug_outside_the_work_on_clips_keeps_what_is_in_the_cache(
    tones: Path, work: list[str], monkeypatch, capsys
) -> None:
    """The finished clips are in the cache, and the next command uses them."""
    right = AudioFunctionals.extract
    seen = []

    class OurBug(BaseException):
        pass

    def dies(self, clip):
        if len(seen) == 4:
            raise OurBug
        seen.append(clip.clip_id)
        return right(self, clip)

    words = ["features", "--corpus", str(tones), *READ, *SYSTEM[:2], *work]
    words += ["--set", "modalities=audio"]
    monkeypatch.setattr(AudioFunctionals, "extract", dies)
    with pytest.raises(OurBug):
        main(words)
    monkeypatch.setattr(AudioFunctionals, "extract", right)
    assert main(words) == 0
    assert "5 features computed, 4 from the cache" in capsys.readouterr().out
