"""Features as tables: every number is in the row of its clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import aver
from aver.features.store import FeatureStore
from tone_corpus import write_tone_corpus


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extracted")
    write_tone_corpus(folder / "tones", speakers=2, takes=1)
    (folder / "tones" / "s0_sad_7.wav").write_bytes(b"RIFF, and nothing more")
    return folder


def test_vectors_are_one_row_per_clip(folder: Path) -> None:
    corpus = aver.open_corpus(
        folder / "tones", "manifest", pattern="{speaker}_{emotion}_{take}.wav"
    )
    store = FeatureStore(folder / "cache")
    found = aver.extract(corpus, "audio-functionals", store=store)
    table = found.to_frame()
    assert [failure.clip.clip_id for failure in found.failures] == ["s0_sad_7"]
    assert list(table["clip"]) == [clip.clip_id for clip in found.clips]
    assert list(table["emotion"]) == [clip.emotion for clip in found.clips]
    numbers = table.filter(like="statistics").to_numpy()
    assert np.array_equal(numbers, [record.arrays["statistics"] for record in found.records])
    assert "6 clips" in repr(found)


def test_frames_are_one_row_each(folder: Path) -> None:
    corpus = aver.open_corpus(
        folder / "tones", "manifest", pattern="{speaker}_{emotion}_{take}.wav"
    )
    found = aver.extract(list(corpus)[:2], "mfcc", store=FeatureStore(folder / "cache"))
    table = found.to_frame()
    first = next(iter(found.records[0].arrays.values()))
    rows = table[table["clip"] == found.clips[0].clip_id]
    assert list(rows["frame"]) == list(range(len(first)))
    assert np.array_equal(rows.iloc[:, 5:].to_numpy(), first.reshape(len(first), -1))


def test_a_corpus_is_a_table_of_its_clips(folder: Path) -> None:
    corpus = aver.open_corpus(
        folder / "tones", "manifest", pattern="{speaker}_{emotion}_{take}.wav"
    )
    table = corpus.to_frame()
    assert list(table["clip"]) == [clip.clip_id for clip in corpus]
    assert table.groupby("emotion").size().to_dict() == {"happy": 2, "sad": 3, "angry": 2}
    assert all(Path(path).is_file() for path in table["audio"])
    assert "array" not in repr(corpus)
    assert len(repr(corpus)) < 200
