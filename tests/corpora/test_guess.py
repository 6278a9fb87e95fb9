"""Readers are guessed from names alone."""

from __future__ import annotations

import pytest

from aver.corpora.corpus import guess_reader
from aver.errors import CorpusError


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("Actor_01/03-01-05-01-01-01-01.flac", "ravdess"),
        ("AudioWAV/1001_DFA_ANG_XX.wav", "cremad"),
        ("subject 1/anger/sentence 1/s1_an_1.avi", "enterface"),
        ("train/angry/Training_1.jpg", "fer2013"),
        ("id10001/x/00001.wav", "speaker-folders"),
        ("synthesis.json", "synthetic"),
        ("aver-corpus.yaml", "manifest"),
        ("aver-corpus.csv", "manifest"),
    ],
)
def test_names(plant, name, reader):
    assert guess_reader(plant([name, "readme.txt"])) == reader


def test_real_folders(data_root):
    assert guess_reader(data_root / "ravdess") == "ravdess"
    assert guess_reader(data_root / "fer2013.tar") == "fer2013"


def test_what_nobody_knows(plant, tmp_path):
    with pytest.raises(CorpusError, match="empty"):
        guess_reader(tmp_path)
    with pytest.raises(CorpusError, match=r"holiday\.mp4.*--reader manifest"):
        guess_reader(plant(["holiday.mp4"]))
    with pytest.raises(CorpusError, match="neither a manifest nor a tar"):
        guess_reader(tmp_path / "holiday.mp4")
