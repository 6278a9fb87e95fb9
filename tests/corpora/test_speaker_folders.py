"""Folders by speaker, with or without sessions."""

from __future__ import annotations

import pytest

from aver.corpora import open_corpus
from aver.errors import CorpusError


def test_both_depths(plant):
    root = plant(["id10001/abc/00001.wav", "id10001/abc/00002.m4a", "id10002/00001.wav", "x.wav"])

    corpus = open_corpus(root, "speaker-folders")

    assert [(clip.clip_id, clip.speaker) for clip in corpus] == [
        ("id10001/abc/00001", "id10001"),
        ("id10001/abc/00002", "id10001"),
        ("id10002/00001", "id10002"),
    ]
    assert corpus.classes == ()
    assert [problem.path for problem in corpus.problems] == ["x.wav"]
    assert corpus.label == root.name


def test_video_and_audio_beside_each_other(plant):
    root = plant(["anna/1.mp4", "anna/1.wav", "anna/1.flac", "ben/1.mp4"])

    corpus = open_corpus(root, "speaker-folders")

    anna, ben = corpus
    assert (anna.video.suffix, anna.audio.suffix) == (".mp4", ".flac")
    assert ben.video == ben.audio
    assert [problem.path for problem in corpus.problems] == ["anna/1.wav"]


def test_voxceleb_is_guessed(plant):
    assert open_corpus(plant(["id10001/abc/00001.wav"])).name == "speaker-folders"


def test_empty(tmp_path):
    with pytest.raises(CorpusError, match="id10001"):
        open_corpus(tmp_path, "speaker-folders")
