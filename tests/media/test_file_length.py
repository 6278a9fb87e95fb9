"""A whole file is never called cut, a cut one always: every container at several places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from aver.media.audio import read_audio_blocks
from aver.media.file_length import is_cut
from aver.media.frames import read_frames
from aver.media.media_file import TruncatedMediaWarning

RATE_HZ = 16000
SOUND = np.random.default_rng(0).normal(0, 0.1, (1, 3 * RATE_HZ))
FILMS = {
    "a.mp4": ("libx264", "aac", {}),
    "fast.mp4": ("libx264", "aac", {"movflags": "faststart"}),
    "fragments.mp4": ("libx264", "aac", {"movflags": "frag_keyframe+empty_moov"}),
    "a.mov": ("mpeg4", "pcm_s16le", {}),
    "a.mkv": ("libx264", "aac", {}),
    "a.webm": ("libvpx", "libopus", {}),
    "a.avi": ("mpeg4", "pcm_s16le", {}),
    "a.wmv": ("wmv2", "", {}),
    "a.flv": ("flv1", "aac", {}),
    "a.ts": ("libx264", "aac", {}),
    "a.mpg": ("mpeg1video", "mp2", {}),
    "a.vob": ("mpeg2video", "mp2", {}),
    "a.mxf": ("mpeg2video", "pcm_s16le", {}),
}


def film(write_media, numbered, name: str) -> Path:
    video, audio, options = FILMS[name]
    hz = 48000 if audio == "libopus" or name == "a.mxf" else RATE_HZ
    sound = np.resize(SOUND, (1, 3 * hz)) if audio else None
    return write_media(
        name, numbered(75), video_codec=video, audio=sound, audio_hz=hz, audio_codec=audio,
        options=options,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "codec"), [("a.ogg", "libopus"), ("a.opus", "libopus")])
def test_whole_and_cut_ogg(name: str, codec: str, write_media) -> None:
    sound = np.resize(SOUND, (1, 5 * 48000))
    path = write_media(name, audio=sound, audio_hz=48000, audio_codec=codec)
    assert not is_cut(path)
    data = path.read_bytes()
    for share in (0.5, 0.8, 0.97):
        torn = path.with_name(f"torn{path.suffix}")
        torn.write_bytes(data[: int(len(data) * share)])
        assert is_cut(torn)


@pytest.mark.filterwarnings("error::aver.media.media_file.TruncatedMediaWarning")
@pytest.mark.parametrize("name", FILMS)
def test_whole_and_cut_films(name: str, write_media, numbered) -> None:
    path = film(write_media, numbered, name)
    assert not is_cut(path)
    list(read_frames(path))  # no warning
    data = path.read_bytes()
    for share in (0.5, 0.8, 0.97):
        # not at a boundary of packets, where a transport stream cannot be told from a whole one
        torn = path.with_name(f"torn{share}{path.suffix}")
        torn.write_bytes(data[: int(len(data) * share) // 188 * 188 - 55])
        assert is_cut(torn), share


SOUNDS = {
    "header.mp3": ("libmp3lame", {}),
    "headless.mp3": ("libmp3lame", {"write_xing": "0"}),
    "untagged.mp3": ("libmp3lame", {"write_xing": "0", "id3v2_version": "0"}),
    "a.mp2": ("mp2", {}),
    "a.aac": ("aac", {}),
    "a.ac3": ("ac3", {}),
    "a.eac3": ("eac3", {}),
    "a.aiff": ("pcm_s16be", {}),
    "a.au": ("pcm_s16be", {}),
    "a.caf": ("pcm_s16le", {}),
    "a.m4a": ("aac", {"movflags": "faststart"}),
}


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("hz", [16000, 44100])
def test_whole_and_cut_sound_of_other_kinds(name: str, hz: int, write_media) -> None:
    codec, options = SOUNDS[name]
    if "ac3" in codec:
        hz = max(hz, 32000)  # the lowest rate
    sound = np.resize(SOUND, (1, 5 * hz))
    path = write_media(name, audio=sound, audio_hz=hz, audio_codec=codec, options=options)
    assert not is_cut(path)
    reader = read_audio_blocks(path)
    list(reader)
    assert reader.flags == ()
    data = path.read_bytes()
    for share in (0.5, 0.8, 0.97):
        torn = path.with_name(f"torn{path.suffix}")
        torn.write_bytes(data[: int(len(data) * share) // 2 * 2 + 1])
        assert is_cut(torn), share
        reader = read_audio_blocks(torn)
        with pytest.warns(TruncatedMediaWarning):
            list(reader)
        assert reader.flags == ("truncated audio",)


def test_mp3_with_other_tags_and_variable_rate(write_media) -> None:
    """Fraunhofer's header in place of LAME's, and a tag at the end."""
    path = write_media("a.mp3", audio=SOUND, audio_hz=16000, audio_codec="libmp3lame")
    data = path.read_bytes()
    start = data.index(b"\xff\xf3")
    header = bytearray(data[start : start + 36 + 26])
    header[36:50] = b"VBRI" + bytes(6) + (len(data) - start).to_bytes(4, "big")
    fraunhofer = bytes(header) + data[start + len(header) :]
    path.write_bytes(fraunhofer + b"TAG" + bytes(125))
    assert not is_cut(path)
    path.write_bytes(fraunhofer[:-1])
    assert is_cut(path)


def test_whole_and_cut_amr(tmp_path: Path) -> None:
    """Frames of 12.2 kbit/s: a type in the first byte, and 31 bytes of sound."""
    path = tmp_path / "a.amr"
    frames = (b"\x3c" + bytes(31)) * 50
    path.write_bytes(b"#!AMR\n" + frames)
    assert not is_cut(path)
    path.write_bytes(b"#!AMR\n" + frames[:-1])
    assert is_cut(path)


def test_a_transport_stream_that_ends_inside_a_packet_of_sound(write_media) -> None:
    """Cut between two packets of 188 bytes: that of sound states its length."""
    path = write_media("a.ts", audio=np.resize(SOUND, (1, 4 * RATE_HZ)), audio_codec="aac")
    assert not is_cut(path)
    data = path.read_bytes()
    path.write_bytes(data[:-188])
    assert is_cut(path)


def test_a_recording_of_a_browser(write_media, numbered) -> None:
    """WebM without any length: known to be cut if it ends inside a block."""
    path = write_media("a.webm", numbered(50), video_codec="libvpx", options={"live": "1"})
    assert not is_cut(path)
    data = path.read_bytes()
    for missing in (1, 40, len(data) // 2):
        path.write_bytes(data[:-missing])
        assert is_cut(path), missing


@pytest.mark.parametrize("form", [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("RF64", "PCM_16")])
def test_whole_and_cut_sound(form: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, SOUND[0], RATE_HZ, format=form[0], subtype=form[1])
    assert not is_cut(path)
    data = path.read_bytes()
    for share in (0.1, 0.5, 0.99):
        torn = tmp_path / "torn.wav"
        torn.write_bytes(data[: int(len(data) * share)])
        assert is_cut(torn)


def test_a_stream_of_unknown_length_is_not_called_cut(tmp_path: Path) -> None:
    """Recorders that write to a pipe leave the sizes at 0 or at the largest value."""
    path = tmp_path / "a.wav"
    soundfile.write(path, SOUND[0], RATE_HZ, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    for size in (b"\x00\x00\x00\x00", b"\xff\xff\xff\xff"):
        data[4:8] = size
        at = data.index(b"data") + 4
        data[at : at + 4] = size
        path.write_bytes(bytes(data))
        assert not is_cut(path)


def test_files_of_other_kinds(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    for content in (b"", b"G", b"RIFF", b"OggS" + bytes(30), b"\x1a\x45\xdf\xa3" + bytes(99)):
        path.write_bytes(content)
        is_cut(path)  # no error
    path.write_bytes(b"hello" * 100)
    assert not is_cut(path)


def test_subtitles_and_longer_sound_do_not_make_a_film_truncated(write_media, numbered) -> None:
    long = np.resize(SOUND, (1, 6 * RATE_HZ))
    path = write_media("longer.mkv", numbered(50), audio=long)
    reader = read_frames(path)
    list(reader)
    assert reader.complete
    assert reader.flags == ()
    torn = path.with_name("torn.mkv")
    torn.write_bytes(path.read_bytes()[:-300])
    reader = read_frames(torn)
    with pytest.warns(TruncatedMediaWarning):
        list(reader)
    assert reader.flags == ("truncated video",)
