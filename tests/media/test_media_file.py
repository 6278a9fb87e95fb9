"""Bad files give one clear error, or their content and a warning; headers against written files."""

from __future__ import annotations

import os

import numpy as np
import pytest
import soundfile

from aver.errors import MediaError, MissingModalityError
from aver.media.audio import read_audio
from aver.media.frames import read_frames
from aver.media.media_file import MediaFile, TruncatedMediaWarning, inspect_media


def both_refuse(path, words):
    for read in (inspect_media, read_audio, read_frames):
        with pytest.raises(MediaError, match=words) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_missing_file(tmp_path):
    both_refuse(tmp_path / "none.mp4", "does not exist")


def test_folder(tmp_path):
    both_refuse(tmp_path, "is a folder")


def test_empty_file(tmp_path):
    path = tmp_path / "empty.mp4"
    path.touch()
    both_refuse(path, "0 bytes")


def test_git_lfs_pointer(tmp_path):
    path = tmp_path / "1001_DFA_ANG_XX.flv"
    path.write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 172032\n"
    )
    assert path.stat().st_size in range(120, 140)
    both_refuse(path, "git lfs pull")


def test_file_that_is_not_media(tmp_path):
    path = tmp_path / "noise.mp4"
    path.write_bytes(np.random.default_rng(0).bytes(4000))
    both_refuse(path, "cannot be read")


def test_names_that_look_like_protocols(tmp_path, write_media, numbered):
    path = write_media("concat:a|b.mp4", numbered(5))
    assert len(list(read_frames(path))) == 5


def test_file_without_audio(write_media, numbered):
    path = write_media("silent.mp4", numbered(5))
    with pytest.raises(MissingModalityError, match="no audio"):
        read_audio(path)


def test_file_without_video(write_media):
    path = write_media("voice.m4a", audio=np.zeros((1, 16000)))
    with pytest.raises(MissingModalityError, match="no video"):
        read_frames(path)


def test_index_at_the_end_cut_off(write_media, numbered):
    path = write_media("cut.mp4", numbered(50))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    both_refuse(path, "truncated")


@pytest.fixture
def broken_off(write_media):
    noise = np.random.default_rng(0).integers(0, 255, (75, 48, 64, 3), np.uint8)
    audio = np.random.default_rng(1).normal(0, 0.1, (1, 48000))
    whole = write_media("whole.mp4", list(noise), audio=audio, options={"movflags": "faststart"})
    data = whole.read_bytes()
    torn = whole.with_name("torn.mp4")
    torn.write_bytes(data[: len(data) * 6 // 10])
    return whole, torn


def test_truncated_file_gives_what_it_has(broken_off):
    whole, torn = broken_off
    reader = read_frames(whole)
    assert len(list(reader)) == 75
    assert reader.complete
    reader = read_frames(torn)
    with pytest.warns(TruncatedMediaWarning, match="torn.mp4 is truncated"):
        n = len(list(reader))
    assert 5 < n < 70
    assert reader.complete is False
    assert reader.read_s == pytest.approx(n / 25, abs=0.1)
    with pytest.warns(TruncatedMediaWarning):
        assert 0 < read_audio(torn).size < 46000


def test_damage_inside_is_skipped_and_counted(broken_off):
    whole, _ = broken_off
    data = bytearray(whole.read_bytes())
    start = data.index(b"mdat") + len(data) // 3
    data[start : start + len(data) // 5] = bytes(len(data) // 5)
    hurt = whole.with_name("hurt.mp4")
    hurt.write_bytes(bytes(data))
    reader = read_frames(hurt)
    with pytest.warns(TruncatedMediaWarning, match="damaged packets"):
        n = len(list(reader))
    assert n > 10
    assert reader.complete is False


def test_nothing_decodable_is_an_error(broken_off):
    whole, _ = broken_off
    data = bytearray(whole.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    hollow = whole.with_name("hollow.mp4")
    hollow.write_bytes(bytes(data))
    with pytest.raises(MissingModalityError, match="cannot be decoded") as raised:
        list(read_frames(hollow))
    assert raised.value.flag == "unreadable video"


def test_empty_stream(tmp_path):
    path = tmp_path / "nothing.wav"
    soundfile.write(path, np.zeros(0), 16000)
    with pytest.raises(MissingModalityError, match=r"The audio stream of .* is empty"):
        read_audio(path)


def test_written_file(write_media, numbered):
    path = write_media("both.mp4", numbered(50), audio=np.zeros((2, 44100)), audio_hz=44100)
    facts = inspect_media(path)
    assert facts.has_video
    assert facts.has_audio
    assert (facts.width_px, facts.height_px) == (64, 48)
    assert facts.frame_rate_hz == pytest.approx(25)
    assert facts.duration_s == pytest.approx(2.0, abs=0.05)
    assert (facts.audio_rate_hz, facts.channels) == (44100, 2)
    assert (facts.video_codec, facts.audio_codec) == ("h264", "aac")


def test_audio_only(write_media):
    facts = inspect_media(write_media("voice.m4a", audio=np.zeros((1, 8000))))
    assert facts.has_audio
    assert not facts.has_video
    assert facts.frame_rate_hz is None


def test_cover_image_is_not_video(write_media, tmp_path):
    import av
    from av.stream import Disposition

    with av.open(str(tmp_path / "song.mp4"), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        tone = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 99, np.uint8), "rgb24")
        container.mux(cover.encode(frame.reformat(format="yuvj420p")))
        audio = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        audio.rate = 16000
        container.mux(tone.encode(audio))
        container.mux(cover.encode())
        container.mux(tone.encode())
    facts = inspect_media(tmp_path / "song.mp4")
    assert facts.has_audio
    assert not facts.has_video


def test_neither_video_nor_audio(tmp_path):
    path = tmp_path / "words.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n\n")
    with pytest.raises(MediaError, match="neither video nor audio"):
        inspect_media(path)


def test_a_name_that_is_no_text(write_media, numbered, tmp_path):
    """Linux allows any bytes; FFmpeg opens names in UTF-8 only."""
    path = write_media("film.mp4", numbered(5))
    odd = tmp_path / os.fsdecode(b"gl\xfccklich.mp4")
    path.rename(odd)
    assert len(list(read_frames(odd))) == 5


def test_a_text_file_is_no_film(tmp_path):
    """FFmpeg would draw it as one."""
    path = tmp_path / "notes.txt"
    path.write_text("Notes of the meeting: the film is in the other folder.\n" * 20)
    with pytest.raises(MediaError, match=r"notes.txt is a text file\. Give a video or audio file"):
        MediaFile(path)
