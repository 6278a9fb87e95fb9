"""The feature store: what it keeps, what it computes again, and what it never leaves behind."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import soundfile

from aver.corpora.clip import Clip
from aver.errors import SettingsError, StorageError
from aver.execution import tasks
from aver.features.action_units import ActionUnits
from aver.features.audio_functionals import AudioFunctionals
from aver.features.feature import DerivedFeature, Feature, FeatureRecord
from aver.features.spectrogram_segments import SpectrogramSegments
from aver.features.store import CacheWarning, FeatureStore, read_entry, write_entry

SEGMENTS = SpectrogramSegments(needs_speech=False, band_count=16, column_count=25)
SPARSE = SpectrogramSegments(needs_speech=False, band_count=16, column_count=25, hop_s=1.0)


def noise_clip(folder: Path, number: int) -> Clip:
    path = folder / f"{number}.wav"
    soundfile.write(path, np.random.default_rng(number).normal(0, 0.1, 20000), 16000)
    return Clip(str(number), None, None, audio=path)


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    return [noise_clip(tmp_path, number) for number in range(4)]


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore(tmp_path / "cache")


def entries(store: FeatureStore) -> list[Path]:
    return sorted(path for path in (store.root / "features").rglob("*") if path.is_file())


def same(one: FeatureRecord, other: FeatureRecord) -> bool:
    return (
        one.arrays.keys() == other.arrays.keys()
        and all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)
        and all(one.arrays[name].dtype == other.arrays[name].dtype for name in one.arrays)
        and (one.coverage, one.missing, one.flags) == (other.coverage, other.missing, other.flags)
    )


@dataclass(frozen=True)
class Counted(Feature):
    """Counts its own extractions in a file, across processes."""

    log: str

    name = "counted"
    modality = "audio"
    source = "this test"

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        return (clip.audio,) if clip.audio else ()

    def extract(self, clip: Clip) -> FeatureRecord:
        with Path(self.log).open("a") as file:
            file.write("x")
        return FeatureRecord({"values": np.arange(3.0)})


@dataclass(frozen=True)
class Doubled(DerivedFeature):
    """Twice what was counted."""

    log: str

    name = "doubled"
    modality = "audio"
    source = "this test"

    @property
    def basis(self) -> Feature:
        return Counted(self.log)

    def derive(self, record: FeatureRecord) -> FeatureRecord:
        return FeatureRecord({"values": 2 * record.arrays["values"]})


def test_cached_record_is_the_computed_one(store: FeatureStore, clips: list[Clip]) -> None:
    fresh = store.get(clips[0], SEGMENTS)
    assert same(fresh, SEGMENTS.extract(clips[0]))
    assert same(store.get(clips[0], SEGMENTS), fresh)
    assert same(FeatureStore(store.root).get(clips[0], SEGMENTS), fresh)
    assert len(entries(store)) == 1


def test_absence_and_flags_are_kept(store: FeatureStore, tmp_path: Path) -> None:
    silent, short = tmp_path / "silent.wav", tmp_path / "short.wav"
    soundfile.write(silent, np.zeros(16000), 16000)
    soundfile.write(short, np.random.default_rng(0).normal(0, 0.1, 8000), 16000)
    for path in (silent, short):
        clip = Clip("a", None, None, audio=path)
        assert same(store.get(clip, SEGMENTS), store.get(clip, SEGMENTS))
    assert store.get(Clip("b", None, None, audio=silent), SEGMENTS).missing == "silent audio"
    assert store.get(Clip("b", None, None, audio=short), SEGMENTS).flags
    nothing = Clip("c", None, None)
    assert store.has(nothing, SEGMENTS)
    assert store.get(nothing, SEGMENTS).missing == "no audio"
    assert len(entries(store)) == 2


def test_flags_of_old_entries_use_the_current_words(tmp_path: Path) -> None:
    for name, record in (
        ("old-missing", FeatureRecord.absent("no sound")),
        ("old-flags", FeatureRecord({"x": np.ones(2)}, flags=("cut to 2 s of sound",))),
    ):
        write_entry(tmp_path / f"{name}.safetensors", record)
    missing, cut = (read_entry(path) for path in sorted(tmp_path.iterdir(), reverse=True))
    assert missing is not None
    assert missing.missing == "no audio"
    assert cut is not None
    assert cut.flags == ("cut to 2 s of audio",)


def test_moved_and_renamed_files_keep_their_entries(
    store: FeatureStore, clips: list[Clip], tmp_path: Path
) -> None:
    store.prepare(clips, [SEGMENTS])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = [
        Clip(
            f"new-{c.clip_id}", None, None, audio=Path(shutil.move(c.audio, tmp_path / "elsewhere"))
        )
        for c in clips
        if c.audio
    ]
    preparation = FeatureStore(store.root).prepare(moved, [SEGMENTS])
    assert (preparation.computed, preparation.cached) == (0, 4)


def test_changed_content_or_settings_are_computed_again(
    store: FeatureStore, clips: list[Clip], tmp_path: Path
) -> None:
    before = store.get(clips[0], SEGMENTS)
    soundfile.write(tmp_path / "0.wav", np.random.default_rng(9).normal(0, 0.1, 20000), 16000)
    assert not same(store.get(clips[0], SEGMENTS), before)
    assert not store.has(
        clips[0], SpectrogramSegments(needs_speech=False, hop_s=0.5, band_count=16, column_count=25)
    )
    assert not store.has(clips[0], AudioFunctionals())


def test_clips_in_one_table_have_entries_of_their_own(store: FeatureStore, tmp_path: Path) -> None:
    table = tmp_path / "units.csv"
    table.write_text("clip,AU01_r\none,1.0\ntwo,2.0\n")
    feature = ActionUnits()
    one, two = (
        Clip(name, None, None, action_units=table, action_units_row=name) for name in ("one", "two")
    )
    found = [store.get(clip, feature) for clip in (one, two, one)]
    assert [record.arrays["units"].item() for record in found] == [1.0, 2.0, 1.0]
    table.write_text("clip,AU01_r\none,7.0\ntwo,2.0\n")
    assert store.get(one, feature).arrays["units"].item() == 7.0


@pytest.mark.parametrize("fault", ["cut", "empty", "garbage", "another entry"])
def test_damaged_or_foreign_entry_is_computed_again_with_a_warning(
    store: FeatureStore, clips: list[Clip], fault: str
) -> None:
    right = store.get(clips[0], SEGMENTS)
    (entry,) = entries(store)
    store.get(clips[1], SEGMENTS)
    (other,) = set(entries(store)) - {entry}
    content = entry.read_bytes()
    entry.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "empty": b"",
            "garbage": b"\x07" * 100,
            "another entry": other.read_bytes(),
        }[fault]
    )
    with pytest.warns(CacheWarning, match="computed again"):
        assert same(store.get(clips[0], SEGMENTS), right)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(store.get(clips[0], SEGMENTS), right)


@pytest.mark.parametrize("workers", [1, 2])
def test_prepare_computes_what_is_missing_and_no_more(
    store: FeatureStore, clips: list[Clip], workers: int
) -> None:
    store.get(clips[1], SEGMENTS)
    preparation = store.prepare(clips, [SEGMENTS, SPARSE], workers=workers)
    assert (preparation.computed, preparation.cached) == (7, 1)
    assert preparation.clips == tuple(clips)
    assert preparation.failures == ()
    assert store.prepare(clips, [SEGMENTS, SPARSE], workers=workers).computed == 0
    assert all(same(store.get(clip, SEGMENTS), SEGMENTS.extract(clip)) for clip in clips)


@pytest.mark.parametrize("workers", [1, 2])
def test_derived_feature_extracts_its_basis_once(
    store: FeatureStore, clips: list[Clip], tmp_path: Path, workers: int
) -> None:
    log = tmp_path / "log"
    store.prepare(clips, [Doubled(str(log)), Counted(str(log))], workers=workers)
    assert log.read_text() == "xxxx"
    assert store.get(clips[0], Doubled(str(log))).arrays["values"].tolist() == [0, 2, 4]
    assert log.read_text() == "xxxx"


@pytest.mark.parametrize("workers", [1, 2])
def test_unreadable_clips_are_skipped_and_listed(
    store: FeatureStore, clips: list[Clip], tmp_path: Path, workers: int
) -> None:
    (tmp_path / "torn.wav").write_bytes(b"RIFF")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "pointer.wav").write_text("version https://git-lfs.github.com/spec/v1\n")
    bad = [
        Clip(name, None, None, audio=tmp_path / f"{name}.wav")
        for name in ("torn", "empty", "pointer", "gone")
    ]
    mixed = [bad[0], clips[0], bad[1], bad[2], clips[1], bad[3]]
    preparation = store.prepare(mixed, [SEGMENTS], workers=workers)
    assert preparation.clips == (clips[0], clips[1])
    assert [failure.clip for failure in preparation.failures] == bad
    for failure in preparation.failures:
        assert failure.clip.clip_id in failure.reason


def test_progress_bar_counts_only_what_must_be_computed(
    store: FeatureStore, clips: list[Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prepare(clips[:3], [SEGMENTS])
    totals: list[float] = []
    real = tasks.progress_bar
    monkeypatch.setattr(
        tasks,
        "progress_bar",
        lambda description, total, *about: totals.append(total) or real(description, total, *about),
    )
    store.prepare(clips, [SEGMENTS])
    assert clips[3].audio is not None
    assert totals == [pytest.approx(clips[3].audio.stat().st_size / 1e6)]


def test_unusable_settings_stop_at_once(store: FeatureStore, clips: list[Clip]) -> None:
    with pytest.raises(SettingsError, match="too many"):
        store.prepare(clips, [SpectrogramSegments(needs_speech=False, bands="mel", band_count=250)])


def test_full_disk_is_one_error_and_leaves_no_partial_entry(
    store: FeatureStore, clips: list[Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.get(clips[0], SEGMENTS)
    kept = entries(store)

    def write_half(file: BinaryIO, *_: object) -> None:
        file.write(b"half of the entry")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("aver.features.store._write_safetensors", write_half)
    with pytest.raises(StorageError, match="disk is full"):
        store.prepare(clips, [SEGMENTS])
    assert entries(store) == kept
    monkeypatch.undo()
    assert store.prepare(clips, [SEGMENTS]).computed == 3


LIMITED = """
import resource, signal, sys
from pathlib import Path
from aver.corpora.clip import Clip
from aver.features.spectrogram_segments import SpectrogramSegments
from aver.features.store import FeatureStore

if __name__ == "__main__":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))  # workers inherit it
    folder = Path(sys.argv[1])
    clips = [Clip(str(n), None, None, audio=folder / f"{n}.wav") for n in range(4)]
    features = [SpectrogramSegments(needs_speech=False)]
    FeatureStore(folder / "cache").prepare(clips, features, workers=2)
"""


def test_workers_that_cannot_write_raise_one_error(
    store: FeatureStore, clips: list[Clip], tmp_path: Path
) -> None:
    script = tmp_path / "limited.py"
    script.write_text(LIMITED)
    run = subprocess.run(
        [sys.executable, script, tmp_path], capture_output=True, text=True, check=False
    )
    assert "StorageError" in run.stderr
    assert "cannot be written" in run.stderr
    assert entries(store) == []


TOGETHER = """
import sys
from pathlib import Path
from aver.corpora.clip import Clip
from aver.features.spectrogram_segments import SpectrogramSegments
from aver.features.store import FeatureStore

folder = Path(sys.argv[1])
clips = [Clip(str(n), None, None, audio=folder / f"{n}.wav") for n in range(4)]
sizes = {"band_count": 16, "column_count": 25, "needs_speech": False}
features = [SpectrogramSegments(hop_s=hop_s, **sizes) for hop_s in (0.2, 1.0)]
sys.stdin.readline()  # start together
for _ in range(2):
    for clip in clips:
        for feature in features:
            FeatureStore(folder / "cache").get(clip, feature)
"""


def test_several_processes_share_one_cache(
    store: FeatureStore, clips: list[Clip], tmp_path: Path
) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", TOGETHER, tmp_path],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints
    assert len(entries(store)) == 8
    assert not [path for path in entries(store) if path.name.startswith(".")]
    preparation = store.prepare(clips, [SEGMENTS, SPARSE])
    assert preparation.computed == 0
    assert all(same(store.get(clip, SEGMENTS), SEGMENTS.extract(clip)) for clip in clips)


def test_entries_are_what_the_library_reads(tmp_path: Path) -> None:
    """All types and shapes, empty ones and views included, equal in `safetensors`."""
    from safetensors.numpy import load_file

    generator = np.random.default_rng(0)
    arrays = {
        "crops": generator.integers(0, 255, (3, 4, 4, 3)).astype(np.uint8),
        "found": np.array([True, False, True]),
        "wide": generator.normal(size=(5, 2)),
        "turned": generator.normal(size=(5, 2)).astype(np.float16).T,
        "empty": np.zeros((0, 7), np.float32),
        "count": np.array(3, np.int64),
    }
    path = tmp_path / "entry.safetensors"
    write_entry(path, FeatureRecord(arrays, coverage=0.5, flags=("several faces",)))
    found = load_file(path)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    record = read_entry(path)
    assert record is not None
    assert (record.coverage, record.flags) == (0.5, ("several faces",))
