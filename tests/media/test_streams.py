"""Which of several streams is read: the one that players take, or the one that is named."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from aver.errors import MediaError
from aver.media.audio import read_audio, read_audio_blocks
from aver.media.frames import read_frames

HZ = 16000


def with_tracks(path: Path, *marks: int, silent: tuple[int, ...] = (), seconds: int = 1) -> Path:
    """One tone per track, 200 Hz the first, 400 Hz the second ...; marks are dispositions.

    Tracks in `silent` have digital silence instead.
    """
    time_s = np.arange(seconds * HZ) / HZ
    with av.open(str(path), "w") as container:
        streams = []
        for mark in marks:
            stream = container.add_stream("pcm_s16le", rate=HZ, layout="mono")
            stream.disposition = mark
            streams.append(stream)
        for number, stream in enumerate(streams):
            tone = (16000 * np.sin(2 * np.pi * 200 * (number + 1) * time_s)).astype(np.int16)
            tone *= number not in silent
            frame = av.AudioFrame.from_ndarray(tone[np.newaxis], "s16", "mono")
            frame.rate = HZ
            container.mux(stream.encode(frame))
    return path


NONE, DEFAULT = Disposition(0), Disposition.default


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ((DEFAULT, NONE), 0),
        ((NONE, DEFAULT), 1),
        ((NONE, NONE), 0),
        ((Disposition.comment, NONE), 1),
        ((Disposition.comment | DEFAULT, NONE), 1),
        ((Disposition.visual_impaired, Disposition.hearing_impaired, NONE), 2),
        ((Disposition.comment,), 0),
    ],
)
def test_the_track_that_players_take(marks, expected, tmp_path) -> None:
    assert track_of(read_audio(with_tracks(tmp_path / "tracks.mkv", *marks), HZ)) == expected


def track_of(samples: np.ndarray) -> int:
    """Number of the track by its tone; -1 for silence."""
    spectrum = np.abs(np.fft.rfft(samples[:HZ]))
    return round(spectrum.argmax() / 200) - 1


SILENCE = [
    ((NONE, NONE), (0,), 1),
    ((DEFAULT, NONE), (0,), 1),  # FFmpeg marks the first track by itself
    ((NONE, NONE, NONE), (0, 1), 2),
    ((NONE, NONE), (1,), 0),
    ((NONE, NONE), (0, 1), -1),
]
COMMENTARY = [  # never wins; FFmpeg does not write this mark to MOV
    ((NONE, Disposition.comment, NONE), (0,), 2),
    ((NONE, Disposition.comment), (0,), -1),
]


@pytest.mark.parametrize(
    ("suffix", "marks", "silent", "expected"),
    [
        *((".mkv", *case) for case in (*SILENCE, *COMMENTARY)),
        *((".mov", *case) for case in SILENCE),
    ],
)
def test_silence_does_not_win_against_sound(suffix, marks, silent, expected, tmp_path) -> None:
    reader = read_audio_blocks(with_tracks(tmp_path / f"a{suffix}", *marks, silent=silent), HZ)
    assert track_of(np.concatenate(list(reader))) == expected
    switched = (f"audio from stream {expected}: stream 0 is silent",) if expected > 0 else ()
    assert reader.flags == switched


def test_only_the_first_minute_is_searched_for_sound(tmp_path) -> None:
    """The tone of the second track starts too late."""
    path = with_tracks(tmp_path / "late.mkv", NONE, NONE, silent=(0, 1), seconds=70)
    assert read_audio_blocks(path, HZ).flags == ()


def test_a_named_stream_is_read_and_flagged(tmp_path) -> None:
    path = with_tracks(tmp_path / "three.mkv", DEFAULT, NONE, Disposition.comment)
    for index in range(3):
        reader = read_audio_blocks(path, HZ, stream=index)
        assert track_of(np.concatenate(list(reader))) == index
        assert reader.flags == (f"audio from stream {index}",)


def test_a_named_picture_stream_is_read(write_media, numbered, tmp_path) -> None:
    """Streams are counted over all kinds: two films with a sound between them."""
    sources = [
        write_media("dark.mkv", numbered(5)[:1] * 5, video_codec="mpeg4"),
        write_media("tone.mkv", audio=np.zeros((1, HZ)), audio_codec="pcm_s16le"),
        write_media("bright.mkv", numbered(20)[-1:] * 5, video_codec="mpeg4"),
    ]
    path = joined_tracks(tmp_path / "both.mkv", sources)
    dark, bright = (next(iter(read_frames(path, stream=index)))[1].mean() for index in (0, 2))
    assert dark == pytest.approx(40, abs=4)
    assert bright == pytest.approx(40 + 8 * 19, abs=4)
    frames = read_frames(path, stream=2)
    list(frames)
    assert frames.flags == ("video from stream 2",)
    with pytest.raises(MediaError, match=r"Stream 1 of .* is no video"):
        read_frames(path, stream=1)


def joined_tracks(target: Path, sources: list[Path]) -> Path:
    """One file with the tracks of several files side by side."""
    with av.open(str(target), "w") as written:
        packets = []
        for source in sources:
            with av.open(str(source)) as read:
                stream = written.add_stream_from_template(read.streams[0])
                for packet in read.demux():
                    if packet.dts is not None:
                        packet.stream = stream
                        packets.append(packet)
        for packet in sorted(packets, key=lambda one: one.dts * one.time_base):
            written.mux(packet)
    return target


@pytest.mark.parametrize("index", [-1, 2, 99])
def test_a_stream_that_does_not_exist(index, tmp_path) -> None:
    path = with_tracks(tmp_path / "two.mkv", NONE, NONE)
    expected = f"Stream {index} of {path} does not exist. Choose among its streams: 0 audio "
    with pytest.raises(MediaError) as caught:
        read_audio(path, HZ, stream=index)
    assert str(caught.value).startswith(expected)
    assert "1 audio (pcm_s16le)" in str(caught.value)
