"""`aver predict --speaker-by`: every speaker is adapted on his or her own files, in one call."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from aver import api
from aver.cli.main import main
from aver.features.speaker_adaptation import ENOUGH_CLIPS, MIN_CLIPS
from aver.features.store import FeatureStore
from aver.models.base.checkpoint import DEFAULT_ADAPTED
from tone_corpus import write_tone_corpus

PATTERN = "{speaker}_{emotion}_{take}.wav"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recognizers of audio with and without adaptation; tones of other speakers beside them."""
    folder = tmp_path_factory.mktemp("speakers")
    corpus = write_tone_corpus(folder / "tones", speakers=3, takes=2)
    for name, adapt in (("adapted", "speaker"), ("plain", "")):
        api.train(
            corpus,
            "statistics-logistic",
            out=folder / name,
            overrides={"modalities": ["audio"]},
            adapt=adapt,
            store=FeatureStore(folder / "cache"),
            workers=1,
        )
    write_tone_corpus(folder / "new", speakers=3, takes=3, seed=5)  # 9 clips of each speaker
    return folder


def predict(folder: Path, *words: object, kind: str = "jsonl") -> int:
    return main(
        [
            "predict", *map(str, words), "--format", kind, "--cache", str(folder / "cache"),
            "--workers", "1",
        ]
    )  # fmt: skip


def rows_of(captured: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    rows = [json.loads(line) for line in captured.readouterr().out.splitlines()]
    return {Path(row["clip"]).name: row for row in rows}


def test_one_call_gives_what_one_call_per_speaker_gives(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ("--checkpoint", trained / "adapted")
    assert predict(trained, trained / "new", *run, "--speaker-by", PATTERN) == 0
    together = rows_of(capsys)
    assert len(together) == 27
    for speaker in ("s0", "s1", "s2"):
        own = tmp_path / speaker
        own.mkdir()
        for path in (trained / "new").glob(f"{speaker}_*.wav"):
            shutil.copy(path, own)
        assert predict(trained, own, *run, "--speaker-clips", own) == 0
        for name, row in rows_of(capsys).items():
            assert row["probabilities"] == together[name]["probabilities"]
            assert together[name]["speaker"] == speaker
            assert together[name]["adaptation"]
            assert "speaker" not in row
    assert predict(trained, tmp_path, *run, "--speaker-by", "folder") == 0
    assert rows_of(capsys) == {
        name: {
            **row,
            "path": str(tmp_path / row["speaker"] / name),
            "clip": f"{row['speaker']}/{name}",
        }
        for name, row in together.items()
    }


def test_a_table_from_python(trained: Path, tmp_path: Path) -> None:
    paths = sorted((trained / "new").glob("s[01]_*.wav"))
    table = tmp_path / "people.csv"
    table.write_text("file,who\n" + "".join(f"{p.name},{p.name[:2]}\n" for p in paths))
    store = FeatureStore(trained / "cache")
    by_table, by_name = (
        api.predict(paths, trained / "adapted", speaker_by=rule, store=store)
        for rule in (f"{table}:who", PATTERN)
    )
    assert [clip.speaker for clip in by_table.clips] == [path.name[:2] for path in paths]
    assert np.array_equal(by_table.prediction.probabilities, by_name.prediction.probabilities)


def test_rows_of_every_format_name_the_speaker(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (trained / "new", "--checkpoint", trained / "adapted", "--speaker-by", PATTERN)
    assert predict(trained, *words, kind="csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["speaker"] for row in rows] == ["s0"] * 9 + ["s1"] * 9 + ["s2"] * 9
    assert predict(trained, *words, kind="table") == 0
    heading, first, *_ = capsys.readouterr().out.splitlines()
    assert heading.split()[:3] == ["path", "speaker", "emotion"]
    assert first.split()[1] == "s0"
    assert first.split("  ")[1].strip() == "s0"
    assert first.index("  s0  ") + 2 == heading.index("speaker")


def test_speakers_with_too_few_clips_are_listed_in_one_line(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"s1_happy_{take}.wav" for take in range(3)]
    for name in (*names, *(path.name for path in (trained / "new").glob("s0_*.wav"))):
        shutil.copy(trained / "new" / name, tmp_path)
    shutil.copy(trained / "new" / "s2_sad_0.wav", tmp_path / "notes.wav")
    words = (tmp_path, "--checkpoint", trained / "adapted", "--speaker-by", PATTERN)
    assert predict(trained, *words) == 0
    shown = capsys.readouterr()
    rows = [json.loads(line) for line in shown.out.splitlines()]
    assert len(rows) == 9 + len(names) + 1
    assert {row["speaker"] for row in rows if row["emotion"]} == {"s0"}
    lines = [line for line in shown.err.splitlines() if "not predicted" in line]
    assert len(lines) == 2
    assert any("notes.wav: The name does not match the pattern" in line for line in lines)
    assert any(
        f"{', '.join(str(tmp_path / name) for name in names)}: The speaker 's1' has 3 readable "
        f"clips; --speaker-by needs at least {ENOUGH_CLIPS} with" in line
        for line in lines
    )
    assert predict(trained, *words, "--strict") == 2
    capsys.readouterr()
    only = (tmp_path / names[0], *words[1:])
    assert predict(trained, *only) == 2
    shown = capsys.readouterr()
    assert not shown.out
    assert "has 1 readable clip; " in shown.err


def test_enough_clips_are_enough_and_one_less_is_not(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for speaker, count in (("s0", ENOUGH_CLIPS), ("s1", ENOUGH_CLIPS - 1)):
        for path in sorted((trained / "new").glob(f"{speaker}_*.wav"))[:count]:
            shutil.copy(path, tmp_path)
    words = (tmp_path, "--checkpoint", trained / "adapted", "--speaker-by", PATTERN)
    assert predict(trained, *words) == 0
    predicted = [row for row in rows_of(capsys).values() if row["emotion"]]
    assert len(predicted) == ENOUGH_CLIPS
    assert {row["speaker"] for row in predicted} == {"s0"}


@pytest.mark.parametrize("count", [MIN_CLIPS, ENOUGH_CLIPS - 1, ENOUGH_CLIPS])
def test_few_other_clips_are_flagged(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    first, *others = sorted((trained / "new").glob("s0_*.wav"))
    for path in others[:count]:
        shutil.copy(path, tmp_path)
    words = (first, "--checkpoint", trained / "adapted", "--speaker-clips", tmp_path)
    assert predict(trained, *words) == 0
    (row,) = rows_of(capsys).values()
    assert ("few clips to adapt audio to" in str(row["flags"])) == (count < ENOUGH_CLIPS)


def test_the_default_weights_adapt_to_every_speaker(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(trained, trained / "new", "--speaker-by", PATTERN) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 27
    assert f"predicted by {DEFAULT_ADAPTED}, which comes with aver" in shown.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plain", PATTERN), "was trained without speaker adaptation and cannot use --speaker-by"),
        (("adapted", ""), "say with --speaker-by how the files tell their speakers"),
        (("adapted", PATTERN, "--speaker-clips", "new"), "Give one of them"),
        (("adapted", "name"), "--speaker-by is 'name'. Give the word 'folder'"),
        (("adapted", "{speaker}-{take}.wav"), "The speaker of none of the 27 files was found"),
        (("adapted", "people.csv:who"), "people.csv cannot be read"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    trained: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    run, rule, *more = words
    extra = [trained / word if word == "new" else word for word in more]
    rest = ("--checkpoint", trained / run, "--speaker-by", rule, *extra)
    assert predict(trained, trained / "new", *rest) == 2
    shown = capsys.readouterr()
    assert not shown.out
    (line,) = [line for line in shown.err.splitlines() if line.startswith("aver: ")]
    assert said in line
