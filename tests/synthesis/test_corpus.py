import errno
import hashlib
import json
from pathlib import Path

import av
import numpy as np
import pytest

from aver.emotions import EMOTIONS
from aver.errors import SettingsError, StorageError
from aver.synthesis import SynthesisSettings, synthesize
from aver.synthesis.corpus import COLUMNS

from .conftest import SMALL

TINY = SynthesisSettings(
    speakers=1, emotions=("happy", "sad"), sentences=1, duration_s=(0.5, 0.6), moment_s=0.3
)


def decoded(file: Path) -> str:
    """Hash of every pixel and sample."""
    digest = hashlib.sha256()
    with av.open(str(file)) as container:
        for frame in container.decode():
            digest.update(np.ascontiguousarray(frame.to_ndarray()))
    return digest.hexdigest()


def test_the_table_lists_every_combination_once_and_every_file_is_there(small_corpus, rows):
    assert tuple(rows[0]) == COLUMNS
    combinations = {(r["speaker"], r["emotion"], r["sentence"], r["take"]) for r in rows}
    assert len(rows) == len(combinations) == SMALL.clips == 48
    assert {row["emotion"] for row in rows} <= set(EMOTIONS)
    assert {row["sex"] for row in rows} == {"female", "male"}
    assert {row["intensity"] for row in rows} == {"normal", "strong"}
    for row in rows:
        assert (small_corpus / row["file"]).is_file()
        assert (small_corpus / row["action_units"]).is_file()
    hidden = list(small_corpus.rglob(".*"))
    assert hidden == []


def test_files_are_h264_and_aac_and_image_and_audio_are_equally_long(small_corpus, rows):
    for row in rows[::7]:
        with av.open(str(small_corpus / row["file"])) as container:
            video, audio = container.streams.video[0], container.streams.audio[0]
            assert video.codec_context.name == "h264"
            assert audio.codec_context.name == "aac"
            assert (video.width, video.height) == (SMALL.size_px, SMALL.size_px)
            assert video.average_rate == SMALL.fps
            frames = [frame.time for frame in container.decode(video=0)]
        with av.open(str(small_corpus / row["file"])) as container:
            ends = [f.time + f.samples / f.sample_rate for f in container.decode(audio=0)]
        seconds = len(frames) / SMALL.fps
        low, high = SMALL.duration_s
        assert low - 1 / SMALL.fps <= seconds <= high + 1 / SMALL.fps
        assert np.allclose(np.diff(frames), 1 / SMALL.fps, atol=1e-3)
        assert 0 <= ends[-1] - seconds < 1024 / SMALL.audio_rate_hz  # AAC fills its last frame


def test_content_depends_on_the_seed_and_not_on_workers_or_neighbors(tmp_path):
    one = synthesize(tmp_path / "one", TINY, workers=1)
    two = synthesize(tmp_path / "two", TINY, workers=2)
    more = SynthesisSettings(
        speakers=1, emotions=("angry", "sad"), sentences=1, duration_s=(0.5, 0.6), moment_s=0.3
    )
    other = synthesize(tmp_path / "other", more)
    clip = "clips/s01/s01-sad-1-1.mp4"
    assert decoded(one / clip) == decoded(two / clip) == decoded(other / clip)
    assert (one / "clips.csv").read_bytes() == (two / "clips.csv").read_bytes()
    units = "units/s01/s01-sad-1-1.csv"
    assert (one / units).read_bytes() == (two / units).read_bytes()
    seeded = SynthesisSettings(
        speakers=1, emotions=("sad",), sentences=1, duration_s=(0.5, 0.6), moment_s=0.3, seed=1
    )
    assert decoded(synthesize(tmp_path / "seeded", seeded) / clip) != decoded(one / clip)


def test_stopped_halfway_it_keeps_whole_clips_and_completes_when_called_again(
    tmp_path, monkeypatch
):
    whole = synthesize(tmp_path / "whole", TINY)
    real_write = Path.write_bytes

    def stop_in_second_clip(self: Path, data: bytes) -> int:
        if "sad" in self.name:
            real_write(self, data[:100])
            raise KeyboardInterrupt
        return real_write(self, data)

    monkeypatch.setattr(Path, "write_bytes", stop_in_second_clip)
    root = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        synthesize(root, TINY)
    monkeypatch.undo()
    assert [path.name for path in root.glob("clips/*/*")] == ["s01-happy-1-1.mp4"]
    assert not (root / "clips.csv").exists()
    kept = (root / "clips/s01/s01-happy-1-1.mp4").stat().st_mtime_ns

    synthesize(root, TINY)
    assert (root / "clips/s01/s01-happy-1-1.mp4").stat().st_mtime_ns == kept
    assert (root / "clips.csv").read_bytes() == (whole / "clips.csv").read_bytes()
    for file in whole.glob("clips/*/*"):
        assert decoded(file) == decoded(root / file.relative_to(whole))


def test_a_full_disk_is_told_and_leaves_no_half_file(tmp_path, monkeypatch):
    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="disk is full"):
        synthesize(tmp_path / "corpus", TINY)
    assert list((tmp_path / "corpus").rglob("*.mp4")) == []


def test_other_settings_in_the_same_folder_are_refused_by_name(tmp_path):
    root = synthesize(tmp_path / "corpus", TINY)
    with pytest.raises(SettingsError, match=r"noise 1\.0, not 0\.5"):
        synthesize(
            root,
            SynthesisSettings(
                speakers=1,
                emotions=("happy", "sad"),
                sentences=1,
                duration_s=(0.5, 0.6),
                moment_s=0.3,
                noise=0.5,
            ),
        )
    described = json.loads((root / "synthesis.json").read_text())
    described["version"] = 999
    (root / "synthesis.json").write_text(json.dumps(described))
    with pytest.raises(SettingsError, match="version 999"):
        synthesize(root, TINY)
    (root / "synthesis.json").write_text("[]")
    with pytest.raises(SettingsError, match="cannot be read"):
        synthesize(root, TINY)


def test_a_folder_of_other_files_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(SettingsError, match="not a synthetic corpus"):
        synthesize(tmp_path, TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
