"""The cache's report and its clearing, on entries that a store wrote."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aver.cli.main import main
from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features.audio_functionals import AudioFunctionals
from aver.features.cache_report import clear_cache, describe_cache
from aver.features.spectrogram_segments import SpectrogramSegments
from aver.features.store import FeatureStore

STATISTICS = AudioFunctionals()
SEGMENTS = SpectrogramSegments(band_count=16, column_count=10)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A cache with two entries of segments and one of statistics."""
    store = FeatureStore(tmp_path / "cache")
    for seed in range(2):
        path = tmp_path / f"{seed}.wav"
        soundfile.write(path, np.random.default_rng(seed).normal(0, 0.1, 16000), 16000)
        store.get(Clip(str(seed), None, None, audio=path), SEGMENTS)
    store.get(Clip("0", None, None, audio=tmp_path / "0.wav"), STATISTICS)
    return store.root


def files(root: Path) -> list[Path]:
    return list((root / "features").rglob("*.safetensors"))


def test_report_counts_the_files_on_disk(filled: Path) -> None:
    report = describe_cache(filled)
    assert report.table["feature"].tolist() == ["spectrogram-segments", "audio-functionals"]
    assert report.table["settings"].tolist() == [SEGMENTS.key, STATISTICS.key]
    assert report.table["entries"].tolist() == [2, 1]
    states = [path.stat() for path in files(filled)]
    assert report.table["size_bytes"].sum() == sum(state.st_size for state in states)
    newest_s = max(state.st_mtime for state in states)
    assert report.table["newest"].max().timestamp() == pytest.approx(newest_s, abs=0.01)
    assert "3 entries" in report.text()
    assert "audio-functionals" in report.text()


def test_missing_cache_is_empty(tmp_path: Path) -> None:
    report = describe_cache(tmp_path / "none")
    assert report.table.empty
    assert "is empty" in report.text()
    assert clear_cache(tmp_path / "none").entries == 0


def test_clear_by_feature_keeps_the_others(filled: Path) -> None:
    size = sum(path.stat().st_size for path in files(filled) if "segments" in str(path))
    removed = clear_cache(filled, feature="spectrogram-segments")
    assert (removed.entries, removed.size_bytes) == (2, size)
    assert describe_cache(filled).table["feature"].tolist() == ["audio-functionals"]


def test_clear_by_age(filled: Path) -> None:
    old = files(filled)[0]
    os.utime(old, (time.time() - 40 * 86400,) * 2)
    assert clear_cache(filled, older_than_days=30).entries == 1
    assert not old.exists()
    assert len(files(filled)) == 2


def test_clear_all_leaves_no_entry_and_no_folder(filled: Path) -> None:
    assert clear_cache(filled).entries == 3
    assert list((filled / "features").iterdir()) == []


def test_files_being_written_are_left_alone(filled: Path) -> None:
    entry = files(filled)[0]
    fresh, forgotten = entry.with_name(".a-1.safetensors"), entry.with_name(".a-2.safetensors")
    for path in (fresh, forgotten):
        path.write_bytes(b"half")
    os.utime(forgotten, (time.time() - 2 * 86400,) * 2)
    clear_cache(filled)
    assert fresh.exists()
    assert not forgotten.exists()


def test_unknown_feature_and_negative_age(filled: Path) -> None:
    with pytest.raises(SettingsError, match="audio-functionals, spectrogram-segments"):
        clear_cache(filled, feature="face-crop")
    with pytest.raises(SettingsError, match="older_than_days is -1"):
        clear_cache(filled, older_than_days=-1)


def test_clear_to_a_size_keeps_the_most_recently_used(filled: Path) -> None:
    """The oldest entry is used again, so that the next oldest is removed."""
    oldest, middle, newest = files(filled)
    for age_s, path in ((300, oldest), (200, middle), (100, newest)):
        stamp = time.time() - age_s
        os.utime(path, (stamp, stamp))
    os.utime(oldest, (time.time(), oldest.stat().st_mtime))
    kept = oldest.stat().st_size + newest.stat().st_size
    removed = clear_cache(filled, keep_bytes=kept)
    assert removed.entries == 1
    assert set(files(filled)) == {oldest, newest}
    assert clear_cache(filled, keep_bytes=kept).entries == 0
    with pytest.raises(SettingsError, match="keep_bytes is -1"):
        clear_cache(filled, keep_bytes=-1)


def test_reading_an_entry_counts_as_use_and_leaves_its_age(filled: Path, tmp_path: Path) -> None:
    (entry,) = (path for path in files(filled) if "audio-functionals" in str(path))
    stamp = time.time() - 1000
    os.utime(entry, (stamp, stamp))
    FeatureStore(filled).get(Clip("0", None, None, audio=tmp_path / "0.wav"), STATISTICS)
    state = entry.stat()
    assert state.st_mtime == pytest.approx(stamp, abs=1)
    assert state.st_atime > stamp + 900


def test_only_the_user_may_read_entries(filled: Path) -> None:
    assert {stat.S_IMODE(path.stat().st_mode) for path in files(filled)} == {0o600}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--older", "30"], "--older takes a number with its unit, as in 12h, 30d or 8w: '30'."),
        (["--older", "-3d"], "--older"),
        (["--keep", "5 apples"], "--keep takes a number with its unit, as in 500MB or 5GB"),
    ],
)
def test_ages_and_sizes_without_a_unit_are_refused(
    words: list[str], said: str, filled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cache", "clear", "--cache", str(filled), *words]) == 2
    assert said in capsys.readouterr().err
    assert len(files(filled)) == 3


def test_clear_by_age_in_days(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = files(filled)[0]
    stamp = time.time() - 31 * 24 * 3600
    os.utime(old, (stamp, stamp))
    assert main(["cache", "clear", "--cache", str(filled), "--older", "30d"]) == 0
    assert capsys.readouterr().out.startswith("Removed 1 entries")
    assert not old.exists()
