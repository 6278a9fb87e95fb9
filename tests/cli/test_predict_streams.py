"""`aver predict --audio-stream`: another stream gives another prediction, and is named in it."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest

from aver import api
from aver.cli.main import main
from aver.features.store import FeatureStore
from aver.media.audio import read_audio

HZ = 16000


@pytest.fixture(scope="module")
def two_voices(
    data_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Path]]:
    """A file with two real voices as its streams 0 and 1, and the files of the voices."""
    actor = data_root / "ravdess" / "Actor_01"
    voices = [actor / f"03-01-{code}-01-01-01-01.flac" for code in ("03", "04")]
    path = tmp_path_factory.mktemp("streams") / "two.mka"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("flac", rate=HZ, layout="mono") for _ in voices]
        for stream, voice in zip(streams, voices, strict=True):
            samples = np.round(read_audio(voice, HZ) * 32767).astype(np.int16)
            for first in range(0, samples.size, 4096):
                frame = av.AudioFrame.from_ndarray(
                    samples[np.newaxis, first : first + 4096], "s16", "mono"
                )
                frame.rate, frame.pts = HZ, first
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return path, voices


def test_each_stream_is_predicted_as_its_own_file(two_voices, tmp_path: Path) -> None:
    path, voices = two_voices
    store = FeatureStore(tmp_path / "cache")
    alone = api.predict(voices, store=store).prediction
    assert alone is not None
    for turn in range(2):  # computed, then from the cache
        found = [api.predict([path], audio_stream=n, store=store).prediction for n in (0, 1)]
        for n, prediction in enumerate(found):
            assert prediction is not None
            np.testing.assert_allclose(
                prediction.probabilities[0], alone.probabilities[n], atol=0.01
            )
            assert f"audio from stream {n}" in prediction.flags[0]
        assert np.abs(found[0].probabilities - found[1].probabilities).max() > 0.05, turn


def test_the_command_names_the_stream_and_lists_those_there_are(
    two_voices, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["predict", str(two_voices[0]), "--format", "jsonl", "--cache", str(tmp_path)]
    assert main([*words, "--workers", "1", "--audio-stream", "1"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert "audio from stream 1" in row["flags"]
    assert main([*words, "--workers", "1", "--audio-stream", "7"]) == 2
    error = capsys.readouterr().err
    assert "Stream 7 of" in error
    assert "does not exist. Choose among its streams: 0 audio (flac), 1 audio (flac)." in error


def test_check_shows_the_stream_that_is_named(
    two_voices, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["check", str(two_voices[0]), "--cache", str(tmp_path), "--format", "json"]
    assert main([*words, "--audio-stream", "1"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert [track["is_chosen"] for track in shown["tracks"]] == [False, True]
    assert "audio from stream 1" in shown["flags"]
