"""Exported features: the arrays that the store has, row by row, with ids and labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from aver.cli.main import main
from aver.corpora import open_corpus
from aver.corpora.clip import Clip
from aver.errors import FeatureError, SettingsError
from aver.features.audio_functionals import AudioFunctionals
from aver.features.export import feature_table, write_features
from aver.features.feature import FeatureRecord
from aver.features.spectrogram_segments import SpectrogramSegments
from aver.features.store import FeatureStore
from tone_corpus import write_tone_corpus

SEGMENTS = SpectrogramSegments(needs_speech=False, band_count=8, column_count=10)
PATTERN = ["--reader", "manifest", "--corpus-settings", "pattern={speaker}_{emotion}_{take}.wav"]


class Planted:
    """Arrays by clip."""

    def __init__(self, records: dict[str, FeatureRecord]) -> None:
        self._records = records

    def get(self, clip: Clip, feature: object) -> FeatureRecord:
        return self._records[clip.clip_id]


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    made = []
    for seed in range(2):
        path = tmp_path / f"{seed}.wav"
        soundfile.write(path, np.random.default_rng(seed).normal(0, 0.1, 32000), 16000)
        made.append(Clip(f"clip{seed}", f"s{seed}", "happy", audio=path))
    return [*made, Clip("silent", "s2", "sad")]


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npy"])
@pytest.mark.parametrize("feature", [AudioFunctionals(needs_speech=False), SEGMENTS])
def test_every_format_holds_the_arrays_of_the_store(
    feature: AudioFunctionals | SpectrogramSegments, suffix: str, clips: list[Clip], tmp_path: Path
) -> None:
    store = FeatureStore(tmp_path / "cache")
    path = tmp_path / f"out.{suffix}"
    table = feature_table(clips, feature, store)
    written = write_features(table, path)
    assert written[0] == path
    if suffix == "npy":
        values = np.load(path)
        rows = pd.read_csv(written[1])
    else:
        frame = pd.read_csv(path) if suffix == "csv" else pd.read_parquet(path)
        values, rows = frame[list(table.names)].to_numpy(), frame
    for clip in clips[:2]:
        arrays = store.get(clip, feature).arrays
        mine = values[rows["clip"] == clip.clip_id]
        if "segments" in arrays:
            count = len(arrays["segments"])
            expected = np.column_stack([arrays["segments"].reshape(count, -1), arrays["starts_s"]])
            assert rows["row"][rows["clip"] == clip.clip_id].tolist() == list(range(count))
        else:
            expected = arrays["statistics"][None]
        np.testing.assert_allclose(mine, expected, rtol=1e-5)
    labels = rows.drop_duplicates("clip").set_index("clip")
    assert labels["emotion"].to_dict() == {"clip0": "happy", "clip1": "happy", "silent": "sad"}
    assert labels["speaker"].tolist() == ["s0", "s1", "s2"]
    assert labels["missing"]["silent"] == "no audio"
    assert np.isnan(values[rows["clip"] == "silent"].astype(float)).all()


def test_arrays_that_do_not_fit_are_named_or_refused() -> None:
    one = Clip("a", None, None)
    other = Clip("b", None, None)
    frames = FeatureRecord({"frames": np.ones((3, 2)), "rates": np.ones(4), "flag": np.array(True)})
    table = feature_table([one], SEGMENTS, Planted({"a": frames}))
    assert table.left_out == ("rates",)
    assert table.names == ("frames.0", "frames.1")
    wide = FeatureRecord({"frames": np.ones((3, 5))})
    with pytest.raises(FeatureError, match="of b has 5 values per row, and that of other clips 2"):
        feature_table([one, other], SEGMENTS, Planted({"a": frames, "b": wide}))
    with pytest.raises(FeatureError, match=r"no clip has it .no audio."):
        feature_table([one], SEGMENTS, Planted({"a": FeatureRecord.absent("no audio")}))


def test_too_many_columns_and_other_suffixes(tmp_path: Path) -> None:
    record = FeatureRecord({"images": np.ones((1, 30_000), np.float32)})
    table = feature_table([Clip("a", None, None)], SEGMENTS, Planted({"a": record}))
    with pytest.raises(SettingsError, match=r"30000 values.*\.npy"):
        write_features(table, tmp_path / "x.csv")
    with pytest.raises(SettingsError, match=r"'x\.spss'.*\.csv, \.parquet or \.npy"):
        write_features(table, tmp_path / "x.spss")


def test_the_command_exports_a_corpus_and_keeps_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVER_CACHE", str(tmp_path / "cache"))
    write_tone_corpus(tmp_path / "clips", speakers=2, takes=1)
    words = ["features", "--corpus", str(tmp_path / "clips"), *PATTERN, "--workers", "1"]
    words += ["--feature", "audio-functionals", "--set", "needs_speech=false", "--no-cache"]
    assert main([*words, "--export", str(tmp_path / "out.csv")]) == 0
    assert "out.csv" in capsys.readouterr().out
    frame = pd.read_csv(tmp_path / "out.csv")
    settings = {"pattern": "{speaker}_{emotion}_{take}.wav"}
    corpus = open_corpus(tmp_path / "clips", "manifest", **settings)
    assert frame["clip"].tolist() == [clip.clip_id for clip in corpus]
    assert frame["emotion"].tolist() == [clip.emotion for clip in corpus]
    assert not (tmp_path / "cache").exists()
    assert main([*words, "--export", str(tmp_path / "out.spss")]) == 2
    assert main([*words, "--cache", str(tmp_path / "cache")]) == 2
