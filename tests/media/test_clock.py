"""Broken clocks: what was joined or cut out of a broadcast is read whole, in order, and flagged."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from aver.media.audio import AudioReader, read_audio_blocks
from aver.media.frames import read_frames

HZ = 16000
MINUTE, DAY = 60, 86400


def film(path: Path, numbered, write_media, seconds: float = 2.0, hz: int = HZ) -> Path:
    """Gray frames that get brighter with time, and a tone that gets louder with time."""
    time_s = np.arange(int(seconds * hz)) / hz
    tone = 0.5 * time_s / seconds * np.sin(2 * np.pi * 440 * time_s)
    images = numbered(round(seconds * 25))
    codec = "libx264" if path.suffix == ".ts" else "mpeg4"  # every packet with both time stamps
    return write_media(path.name, images, audio=tone[np.newaxis], audio_hz=hz, video_codec=codec)


def remuxed(source: Path, target: Path, shift_s: dict[str, float], after_s: float) -> Path:
    """The same packets; time stamps of these streams jump after a moment."""
    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        streams = {s.index: written.add_stream_from_template(s) for s in read.streams}
        for packet in read.demux():
            if packet.dts is None:
                continue
            kind = packet.stream.type
            if packet.dts * packet.time_base >= after_s + float(read.start_time or 0) / 1e6:
                ticks = round(shift_s.get(kind, 0.0) / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
            packet.stream = streams[packet.stream.index]
            written.mux(packet)
    return target


def read_both(path: Path) -> tuple[list[float], list[int], np.ndarray, tuple[str, ...]]:
    frames = read_frames(path)
    shown = [(t, int(image.mean())) for t, image in frames]
    sound: AudioReader = read_audio_blocks(path, HZ)
    samples = np.concatenate(list(sound))
    return [t for t, _ in shown], [n for _, n in shown], samples, (*frames.flags, *sound.flags)


@pytest.mark.parametrize("suffix", [".ts", ".mkv", ".mp4"])
@pytest.mark.parametrize("jump_s", [MINUTE, 15 * MINUTE, DAY])
def test_a_clock_that_jumps_ahead(suffix, jump_s, tmp_path, numbered, write_media) -> None:
    whole = film(tmp_path / f"whole{suffix}", numbered, write_media)
    path = remuxed(
        whole, tmp_path / f"jump{suffix}", {"video": jump_s, "audio": jump_s}, after_s=1.0
    )
    times, numbers, samples, flags = read_both(path)
    expected_times, expected_numbers, expected, no_flags = read_both(whole)
    assert no_flags == ()
    assert numbers == expected_numbers
    np.testing.assert_allclose(times, expected_times, atol=0.15)
    assert samples.size == pytest.approx(expected.size, abs=0.15 * HZ)
    assert "video with broken time stamps" in flags
    assert "audio with broken time stamps" in flags


@pytest.mark.parametrize("suffix", [".ts", ".mkv", ".mp4", ".mov"])
def test_a_jump_adds_no_frames_and_is_no_cut(suffix, tmp_path, numbered, write_media) -> None:
    """The frame rate and the length that MP4 states include the jump."""
    whole = film(tmp_path / f"whole{suffix}", numbered, write_media)
    jump_s = {"video": 15 * MINUTE, "audio": 15 * MINUTE}
    path = remuxed(whole, tmp_path / f"jump{suffix}", jump_s, after_s=1.0)
    frames = read_frames(path, rate_hz=25)
    assert len(list(frames)) == pytest.approx(50, abs=1)
    assert frames.flags == ("video with broken time stamps",)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("hz", [44100, 48000])
def test_a_jump_that_is_too_long_for_mp4(suffix, hz, tmp_path, numbered, write_media) -> None:
    """A day of 48 kHz sound exceeds the 31 bits of a duration: the sound after it is read."""
    whole = film(tmp_path / f"whole{suffix}", numbered, write_media, hz=hz)
    jump_s = {"video": DAY, "audio": DAY}
    path = remuxed(whole, tmp_path / f"jump{suffix}", jump_s, after_s=1.0)
    _, numbers, samples, flags = read_both(path)
    _, expected_numbers, expected, _ = read_both(whole)
    assert numbers == expected_numbers
    assert samples.size == pytest.approx(expected.size, abs=0.15 * HZ)
    assert np.abs(samples[-HZ // 2 :]).max() == pytest.approx(0.5, abs=0.05)  # the loud end
    assert "audio with broken time stamps" in flags


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_a_jump_of_one_stream_only(kind, tmp_path, numbered, write_media) -> None:
    whole = film(tmp_path / "whole.mkv", numbered, write_media)
    path = remuxed(whole, tmp_path / "jump.mkv", {kind: DAY}, after_s=1.0)
    times, numbers, samples, _ = read_both(path)
    assert len(numbers) == 50
    assert times[-1] < 2.5
    assert samples.size < 2.5 * HZ


def test_a_joined_film_is_read_to_its_end(tmp_path, numbered, write_media) -> None:
    """Two transport streams in one file: the clock restarts in the middle."""
    first = film(tmp_path / "first.ts", numbered, write_media)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() * 2)
    times, numbers, samples, flags = read_both(joined)
    once = read_both(first)
    assert len(numbers) >= 2 * len(once[1]) - 1
    assert times[-1] == pytest.approx(2 * once[0][-1], abs=0.3)
    assert samples.size == pytest.approx(2 * once[2].size, abs=0.3 * HZ)
    assert "video with broken time stamps" in flags


def test_a_pause_of_the_sound_stays(tmp_path, numbered, write_media) -> None:
    """Sound stops for 20 s while the film goes on: nothing is closed, nothing flagged."""
    path = tmp_path / "pause.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=5)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=HZ, layout="mono")
        for second in range(26):
            for k in range(5):
                frame = av.VideoFrame.from_ndarray(
                    np.full((48, 64, 3), 40 + 4 * second, np.uint8), "rgb24"
                )
                frame.pts, frame.time_base = second * 5 + k, Fraction(1, 5)
                container.mux(video.encode(frame))
            if second < 3 or second >= 23:
                samples = np.full((1, HZ), 8000, np.int16)
                sound = av.AudioFrame.from_ndarray(samples, "s16", "mono")
                sound.rate, sound.pts, sound.time_base = HZ, second * HZ, Fraction(1, HZ)
                container.mux(audio.encode(sound))
        container.mux(video.encode())
    _, _, samples, flags = read_both(path)
    assert flags == ()
    assert samples.size == pytest.approx(26 * HZ, abs=0.1 * HZ)
    assert np.abs(samples[round(3.1 * HZ) : round(22.9 * HZ)]).max() < 1e-3
