"""Facts of files against what was written."""

import numpy as np
import pytest

from aver.errors import MediaError
from aver.media.media_file import inspect_media


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


def test_cover_image_is_no_video(write_media, tmp_path):
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


def test_neither_images_nor_audio(tmp_path):
    path = tmp_path / "words.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n\n")
    with pytest.raises(MediaError, match="neither video nor audio"):
        inspect_media(path)
