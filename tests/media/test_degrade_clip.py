"""Degraded media are written, and read back by the usual readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features.clip_audio import read_clip_audio
from aver.media.audio import read_audio
from aver.media.degradation import DEGRADATIONS, degradation
from aver.media.degrade_clip import RATE_HZ, degrade_clip, write_audio, write_images
from aver.media.frames import read_frames

FRAMES = 25


@pytest.fixture
def clip(write_media: Callable[..., Path]) -> Clip:
    rng = np.random.default_rng(0)
    images = [rng.integers(30, 220, (48, 64, 3), dtype=np.uint8) for _ in range(FRAMES)]
    audio = 0.2 * rng.standard_normal((1, RATE_HZ)).astype(np.float32)
    path = write_media("clip.mov", images, audio=audio, audio_codec="pcm_s16le")
    return Clip("a", "s1", "happy", video=path)


def test_written_media_are_read_back_bit_by_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 256, (33, 47, 3), dtype=np.uint8) for _ in range(5)]
    times_s = [0.5, 0.54, 0.6, 0.7, 1.0]
    write_images(tmp_path / "p.mov", zip(times_s, images, strict=True))
    again = list(read_frames(tmp_path / "p.mov"))
    np.testing.assert_allclose([time_s for time_s, _ in again], times_s, atol=1e-5)
    np.testing.assert_array_equal([image for _, image in again], images)
    loud = (3 * rng.standard_normal(1000)).astype(np.float32)
    write_audio(tmp_path / "s.wav", loud, RATE_HZ)
    np.testing.assert_array_equal(read_audio(tmp_path / "s.wav", RATE_HZ), loud)


@pytest.mark.parametrize("name", ["blur", "low-light", "occlusion", "dropped-frames"])
def test_level_zero_gives_the_same_frames_at_the_same_times(
    name: str, clip: Clip, tmp_path: Path
) -> None:
    same = degrade_clip(clip, degradation(name), 0.0, tmp_path)
    assert same.video != clip.video
    for rate_hz in (None, 6.0):
        before = list(read_frames(clip.video, rate_hz, skip_black=True))
        after = list(read_frames(same.video, rate_hz, skip_black=True))
        np.testing.assert_allclose([t for t, _ in after], [t for t, _ in before], atol=2e-5)
        np.testing.assert_array_equal([p for _, p in after], [p for _, p in before])
    assert same.audio == clip.video


def test_dropped_frames_repeat_the_one_before_and_increase_with_the_level(
    clip: Clip, tmp_path: Path
) -> None:
    before = [image for _, image in read_frames(clip.video)]
    frozen = []
    for level in (50.0, 75.0, 100.0):
        worse = degrade_clip(clip, degradation("dropped-frames"), level, tmp_path)
        after = [image for _, image in read_frames(worse.video)]
        assert len(after) == FRAMES
        repeated = {i for i in range(1, FRAMES) if (after[i] == after[i - 1]).all()}
        kept = set(range(FRAMES)) - repeated
        assert all((after[i] == before[i]).all() for i in kept)
        frozen.append(repeated)
    assert frozen[0] <= frozen[1] <= frozen[2]
    assert len(frozen[2]) == FRAMES - 1
    assert 5 < len(frozen[0]) < 20


def test_noise_is_the_same_at_every_level_and_call(clip: Clip, tmp_path: Path) -> None:
    audio = read_audio(clip.video, RATE_HZ)
    noises = []
    for level in (0.0, 10.0, 10.0):
        worse = degrade_clip(clip, degradation("white-noise"), level, tmp_path)
        noises.append(read_audio(worse.audio, RATE_HZ) - audio)
    np.testing.assert_allclose(noises[0], noises[1] * 10**0.5, atol=1e-5)
    np.testing.assert_array_equal(noises[1], noises[2])
    other = degrade_clip(clip, degradation("white-noise"), 0.0, tmp_path, seed=1)
    assert not np.allclose(read_audio(other.audio, RATE_HZ) - audio, noises[0])


def test_offset_takes_later_audio(clip: Clip, tmp_path: Path) -> None:
    audio = read_audio(clip.video, RATE_HZ)
    moved = read_audio(degrade_clip(clip, degradation("offset"), 0.25, tmp_path).audio, RATE_HZ)
    np.testing.assert_array_equal(moved[: -RATE_HZ // 4], audio[RATE_HZ // 4 :])
    assert not moved[-RATE_HZ // 4 :].any()


def test_a_lost_modality_is_absent(clip: Clip, tmp_path: Path) -> None:
    lost = degradation("lost-modality")
    deaf = degrade_clip(clip, lost, "audio", tmp_path)
    assert read_clip_audio(deaf, RATE_HZ).missing
    assert deaf.video == clip.video
    blind = degrade_clip(clip, lost, "video", tmp_path)
    assert blind.video is None
    assert not read_clip_audio(blind, RATE_HZ).missing


def test_a_clip_without_the_modality_is_unchanged(tmp_path: Path) -> None:
    write_audio(tmp_path / "s.wav", np.ones(100, np.float32), RATE_HZ)
    audio_only = Clip("a", "s1", None, audio=tmp_path / "s.wav")
    assert degrade_clip(audio_only, degradation("blur"), 2.0, tmp_path) == audio_only
    nothing = Clip("b", "s1", None)
    assert degrade_clip(nothing, degradation("white-noise"), 0.0, tmp_path) == nothing


def test_levels_are_parsed_or_refused() -> None:
    assert degradation("offset").read_level("-0.5") == -0.5
    assert degradation("lost-modality").read_level("audio") == "audio"
    for name, word, why in (
        ("blur", "much", "is a number"),
        ("blur", "-1", "lies between 0 and 50"),
        ("white-noise", "nan", "lies between"),
        ("lost-modality", "smell", "Choose among audio, video, action_units"),
    ):
        with pytest.raises(SettingsError, match=why):
            degradation(name).read_level(word)
    with pytest.raises(SettingsError, match="no degradation 'fog'"):
        degradation("fog")
    for kind in DEGRADATIONS:
        assert [kind.read_level(str(level)) for level in kind.levels] == list(kind.levels)
