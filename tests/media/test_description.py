from __future__ import annotations

import os
import socket
from pathlib import Path

import av
import numpy as np
import pytest

from aver.media.description import describe_media


@pytest.fixture
def film(write_media, numbered) -> Path:
    """Two seconds of pictures without a face, and half a second of a 200 Hz tone at half scale."""
    tone = 0.5 * np.sin(2 * np.pi * 200 * np.arange(8000) / 16000)[None].astype(np.float32)
    return write_media("film.mov", numbered(50), audio=tone, audio_codec="pcm_s16le")


def test_lengths_and_rates_are_those_that_were_written(film: Path) -> None:
    found = describe_media(film)
    assert (found.container.split(",")[0], found.size_bytes) == ("mov", film.stat().st_size)
    assert found.video is not None
    assert (found.video.frames, found.video.orientation) == (50, "upright")
    assert found.video.duration_s == pytest.approx(2.0, abs=1e-3)
    assert found.video.rate_hz == pytest.approx(25.0, abs=1e-3)
    assert (found.video.examined, found.video.face_share, found.video.face_px) == (8, 0.0, None)
    assert found.audio is not None
    assert found.audio.duration_s == pytest.approx(0.5, abs=1e-3)
    assert found.audio.peak_db == pytest.approx(20 * np.log10(0.5), abs=0.05)
    assert found.audio.speech_share == 0.0
    assert not found.problems


def test_tracks_say_why_they_are_read_or_not(film: Path, tmp_path: Path) -> None:
    target = tmp_path / "two.mkv"
    with av.open(str(film)) as source, av.open(str(target), "w") as container:
        tracks = [container.add_stream_from_template(source.streams.audio[0]) for _ in range(2)]
        tracks[0].disposition = av.stream.Disposition.comment
        tracks[1].disposition = av.stream.Disposition.default
        for packet in source.demux(audio=0):
            if packet.dts is None:
                continue
            content, time = bytes(packet), (packet.pts, packet.dts, packet.time_base)
            for track in tracks:
                copy = av.Packet(content)
                copy.pts, copy.dts, copy.time_base = time
                copy.stream = track
                container.mux(copy)
    found = describe_media(target)
    assert [(track.is_chosen, track.why) for track in found.tracks] == [
        (False, "commentary"),
        (True, "the default track"),
    ]
    assert found.video is None
    assert found.audio is not None


def test_faces_are_counted_and_measured(data_root: Path) -> None:
    clip = next(iter(sorted((data_root / "javanese-av").glob("*.mp4"))), None)
    if clip is None:
        pytest.skip("needs the Javanese clips in $AVER_DATA")
    found = describe_media(clip)
    assert found.video is not None
    assert (found.video.face_share, found.video.most_faces) == (1.0, 1)
    assert found.video.face_px is not None
    assert 0.2 < found.video.face_px / found.video.height_px < 0.8
    assert found.audio is not None
    assert 0.3 < found.audio.speech_share <= 1.0


def test_a_picture_has_one_frame(tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "turned.jpg"
    picture = Image.fromarray(np.full((40, 60, 3), 128, np.uint8))
    exif = picture.getexif()
    exif[0x0112] = 6  # shown after a quarter turn to the right
    picture.save(path, exif=exif)
    video = describe_media(path).video
    assert video is not None
    assert (video.frames, video.examined, video.rate_hz) == (1, 1, None)
    assert (video.width_px, video.height_px, video.orientation) == (40, 60, "turned right")


def test_a_cut_file_is_described_up_to_its_end(write_media, numbered, tmp_path: Path) -> None:
    whole = write_media("whole.mkv", numbered(50))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    video = describe_media(cut).video
    assert video is not None
    assert 0 < video.frames < 50
    assert video.flags == ("truncated video",)


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.mp4"))
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    for name, why in {
        "pipe.mp4": "is a device, a pipe or a socket",
        "socket.mp4": "is a device, a pipe or a socket",
        "folder.mp4": "is a folder",
        "noise.mp4": "cannot be read as video or audio",
        "nowhere.mp4": "does not exist",
    }.items():
        found = describe_media(tmp_path / name)
        assert not found.is_readable
        assert len(found.problems) == 1
        assert why in found.problems[0]
