"""Which of several streams is read: the one that players take."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from aver.media.audio import read_audio

HZ = 16000


def with_tracks(path: Path, *marks: int) -> Path:
    """One tone per track, 200 Hz the first, 400 Hz the second ...; marks are dispositions."""
    time_s = np.arange(HZ) / HZ
    with av.open(str(path), "w") as container:
        streams = []
        for mark in marks:
            stream = container.add_stream("pcm_s16le", rate=HZ, layout="mono")
            stream.disposition = mark
            streams.append(stream)
        for number, stream in enumerate(streams):
            tone = (16000 * np.sin(2 * np.pi * 200 * (number + 1) * time_s)).astype(np.int16)
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
    path = with_tracks(tmp_path / "tracks.mkv", *marks)
    samples = read_audio(path, HZ)
    spectrum = np.abs(np.fft.rfft(samples[:HZ]))
    assert spectrum.argmax() == pytest.approx(200 * (expected + 1), abs=2)
