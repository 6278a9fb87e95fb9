"""`aver predict`: action units reach the system, and every target is shown."""

from __future__ import annotations

import csv
import functools
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aver import api
from aver.cli.main import main
from aver.corpora.clip import Clip
from aver.corpora.user_files import UserFile, attach_action_units
from aver.features.store import FeatureStore
from aver.models.base.predict_files import FilePredictions
from aver.models.base.prediction import Prediction
from aver.reports.predictions import as_csv, as_table, write_predictions
from aver.splits import make_split
from tone_corpus import PITCHES_HZ, write_tone_corpus


def _write_units(table: Path, labels: dict[str, str]) -> Path:
    random = np.random.default_rng(0)
    rows = [
        f"{name},{list(PITCHES_HZ).index(label) + random.normal(0, 0.1):.3f}\n"
        for name, label in labels.items()
    ]
    table.write_text("clip,AU01_r\n" + "".join(rows))
    return table


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of sound and units on three speakers."""
    folder = tmp_path_factory.mktemp("units")
    corpus = write_tone_corpus(folder / "tones", speakers=3, takes=2)
    labels = {clip.clip_id: str(clip.emotion) for clip in corpus}
    result = api.train(
        attach_action_units(corpus, _write_units(folder / "units.csv", labels)),
        "statistics-logistic",
        out=folder / "run",
        split=make_split(corpus, "speaker-kfold", folds=3),
        overrides={"modalities": ["audio", "action_units"]},
        store=FeatureStore(folder / "cache"),
        workers=1,
    )
    return result.folder


def test_units_prediction_where_the_table_knows_the_clip(trained: Path, tmp_path: Path) -> None:
    tones = tmp_path / "own"
    clips = write_tone_corpus(tones, speakers=2, takes=1).clips
    names = {Path(str(clip.audio)).stem: str(clip.emotion) for clip in clips}
    unknown = min(names)
    (tones / "b").mkdir()
    for stem in names:  # the same names again, in another folder: a row's name is the first's path
        if stem.startswith("s1"):
            (tones / "b" / f"{stem}.wav").write_bytes((tones / f"{stem}.wav").read_bytes())
    table = _write_units(
        tmp_path / "units.csv", {stem: label for stem, label in names.items() if stem != unknown}
    )
    words = ["predict", str(tones), "--checkpoint", str(trained), "--format", "jsonl"]
    words += ["--cache", str(tmp_path / "cache"), "--workers", "1", "--out"]
    assert main([*words, str(tmp_path / "with.jsonl"), "--action-units", str(table)]) == 0
    assert main([*words, str(tmp_path / "without.jsonl")]) == 0
    rows = {
        name: {row["clip"]: row for row in map(json.loads, _lines(tmp_path / f"{name}.jsonl"))}
        for name in ("with", "without")
    }
    predicted = {clip for clip, row in rows["with"].items() if row["by_modality"]["action_units"]}
    assert predicted == {f"{stem}.wav" for stem in names if stem != unknown}
    assert any(clip.startswith("b/") for clip in rows["with"])
    for clip in predicted:
        said = rows["with"][clip]["by_modality"]["action_units"]
        assert max(said, key=said.get) == names[Path(clip).stem]
    assert all(row["by_modality"]["action_units"] is None for row in rows["without"].values())


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_a_table_that_knows_no_file_is_an_error(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tone_corpus(tmp_path / "own", speakers=1, takes=1)
    table = _write_units(tmp_path / "units.csv", {"somebody": "happy"})
    words = [
        "predict",
        str(tmp_path / "own"),
        "--checkpoint",
        str(trained),
        "--action-units",
        str(table),
    ]
    assert main([*words, "--cache", str(tmp_path / "cache")]) == 2
    assert "has none of the clips" in capsys.readouterr().err


def _of_files(prediction: Prediction) -> FilePredictions:
    names = prediction.clip_ids
    clips = tuple(Clip(name, None, None) for name in names)
    return FilePredictions(tuple(UserFile(name, name, name) for name in names), clips, prediction)


def test_the_table_shows_every_target() -> None:
    prediction = Prediction(
        clip_ids=("a.mp4", "b.mp4"),
        classes=("happy", "sad"),
        probabilities=np.array([[0.6, 0.4], [0.3, 0.7]]),
        by_modality={"audio": np.array([[0.6, 0.4], [np.nan, np.nan]])},
        other_targets={
            "intensity": np.array([[0.25, 0.75], [0.9, 0.1]]),
            "votes-face": np.array([[0.5, 0.125], [0.0, 0.875]]),
        },
        other_outputs={"intensity": ("normal", "strong"), "votes-face": ("happy", "sad")},
    )
    lines = as_table(_of_files(prediction)).splitlines()
    assert [line.split() for line in lines if "intensity" in line] == [
        ["intensity", "strong", "normal", "25.0%,", "strong", "75.0%"],
        ["intensity", "normal", "normal", "90.0%,", "strong", "10.0%"],
    ]
    assert [line.split() for line in lines if "votes-face" in line] == [
        ["votes-face", "happy", "happy", "50.0%,", "sad", "12.5%"],
        ["votes-face", "sad", "happy", "0.0%,", "sad", "87.5%"],
    ]


def test_a_modality_that_a_clip_lacks_is_empty_cells_under_the_same_columns() -> None:
    said = np.array([[0.25, 0.75], [0.5, 0.5]])
    lacking = np.array([[np.nan, np.nan], [0.25, 0.75]])
    prediction = Prediction(("a", "b"), ("happy", "sad"), said, {"audio": lacking, "video": said})
    empty, full = csv.DictReader(io.StringIO(as_csv(_of_files(prediction))))
    assert list(full) == list(empty)
    assert (full["audio: p happy"], full["audio: p sad"]) == ("0.25", "0.75")
    assert (empty["audio: p happy"], empty["audio: p sad"]) == ("", "")


@pytest.mark.parametrize(
    ("suffix", "read"),
    [
        (".csv", pd.read_csv),
        (".tsv", functools.partial(pd.read_csv, sep="\t")),
        (".jsonl", functools.partial(pd.read_json, lines=True)),
        (".parquet", pd.read_parquet),
        (".xlsx", pd.read_excel),
    ],
)
def test_the_suffix_is_the_format(
    suffix: str, read: Callable[[Path], pd.DataFrame], tmp_path: Path
) -> None:
    prediction = Prediction(("a.mp4", "=b"), ("happy", "sad"), np.array([[0.25, 0.75]] * 2))
    write_predictions(_of_files(prediction), tmp_path / f"table{suffix}")
    table = read(tmp_path / f"table{suffix}")
    assert list(table["emotion"]) == ["sad", "sad"]
    escaped = suffix in (".csv", ".tsv", ".xlsx")  # a spreadsheet runs "=b" as a formula
    assert list(table["clip"]) == ["a.mp4", "'=b" if escaped else "=b"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--out", "result.doc"], "names no format"),
        (["--out", "result.csv", "--format", "jsonl"], "means csv"),
    ],
)
def test_a_format_that_is_unclear_is_refused_before_any_work(
    words: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", "none.wav", "--checkpoint", str(tmp_path / "none"), *words]) == 2
    assert reason in capsys.readouterr().err


def test_control_characters_in_names_do_not_reach_the_terminal(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "own"
    source = write_tone_corpus(folder, speakers=1, takes=1).clips[0].audio
    Path(str(source)).rename(folder / "\x1b[2Jred\u202egnp.wav")
    (folder / "\x1b[31mempty.wav").write_bytes(b"")
    words = ["--checkpoint", str(trained), "--cache", str(tmp_path / "cache"), "--workers", "1"]
    assert main(["predict", str(folder), *words]) == 0
    assert main(["predict", str(folder / "\x1b[31mempty.wav"), *words]) == 2
    shown = capsys.readouterr()
    assert "\\x1b[2Jred\\u202egnp.wav" in shown.out
    assert not {"\x1b", "\u202e"} & {*shown.out, *shown.err}
