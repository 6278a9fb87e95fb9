"""Copies of recordings are found, and different takes are not paired."""

import numpy as np
import pytest

from aver.audit.audio_fingerprint import (
    SAMPLE_RATE_HZ,
    audio_file_fingerprint,
    audio_fingerprint,
    find_audio_copies,
)
from planted_copies import AUDIO_KINDS, write_audio_copy


@pytest.fixture(scope="module")
def actors(data_root):
    """All speech of four actors: same statements, two takes, two intensities."""
    files = sorted(data_root.glob("ravdess/Actor_0[1-4]/03-*.flac"))
    return files, [audio_file_fingerprint(path) for path in files]


def test_takes_of_one_sentence_by_one_speaker_are_different_recordings(actors):
    _, prints = actors
    assert len(prints) == 240
    assert find_audio_copies(prints) == []


@pytest.mark.parametrize("kind", AUDIO_KINDS)
def test_changed_copies_are_found_among_240_clips(actors, kind, tmp_path):
    files, prints = actors
    chosen = range(0, len(files), 30)
    copies = [
        audio_file_fingerprint(write_audio_copy(files[n], tmp_path / str(n), kind)) for n in chosen
    ]
    found = {(one, two) for one, two, _ in find_audio_copies([*prints, *copies])}
    assert found == {(n, len(prints) + place) for place, n in enumerate(chosen)}


def test_the_published_duplicate_in_ravdess_is_found(data_root):
    files = sorted((data_root / "ravdess" / "Actor_07").glob("03-*.flac"))
    found = find_audio_copies([audio_file_fingerprint(path) for path in files])
    pairs = [(files[one].stem, files[two].stem) for one, two, _ in found]
    assert pairs == [("03-01-03-01-02-01-07", "03-01-03-01-02-02-07")]


def test_the_audio_of_a_video_matches_its_audio_file(data_root):
    videos = sorted((data_root / "ravdess" / "Actor_01").glob("01-*.mp4"))
    audio_tracks = [path.with_name("03" + path.stem[2:] + ".flac") for path in videos]
    prints = [audio_file_fingerprint(path) for path in [*videos, *audio_tracks]]
    found = {(one, two) for one, two, _ in find_audio_copies(prints)}
    assert found == {(n, n + len(videos)) for n in range(len(videos))}


def test_silence_and_hum_match_nothing():
    time_s = np.arange(3 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    random = np.random.default_rng(0)
    silent = [np.zeros(3 * SAMPLE_RATE_HZ, np.float32)] * 5
    noise = [random.standard_normal(3 * SAMPLE_RATE_HZ).astype(np.float32) * 0.1 for _ in range(20)]
    hums = [
        (np.sin(2 * np.pi * 50 * time_s) * 0.5 + random.standard_normal(time_s.size) * 0.01).astype(
            np.float32
        )
        for _ in range(20)
    ]
    assert find_audio_copies([audio_fingerprint(y) for y in [*silent, *noise, *hums]]) == []
    assert find_audio_copies([audio_fingerprint(np.zeros(0, np.float32))] * 3) == []
    assert find_audio_copies([]) == []
