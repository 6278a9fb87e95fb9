"""A user's own files, for prediction."""

from __future__ import annotations

import pytest

from aver.corpora.user_files import load_clips
from aver.errors import CorpusError


def test_files_and_folders(plant):
    root = plant(["in/a.mp4", "in/deep/b.wav", "in/notes.txt", "c.mov", ".hidden.mp4"])

    corpus = load_clips([root / "in", str(root / "c.mov"), root / "in/a.mp4"])

    assert [clip.clip_id for clip in corpus] == ["c.mov", "in/a.mp4", "in/deep/b.wav"]
    assert [clip.video is None for clip in corpus] == [False, False, True]
    assert all(clip.audio is not None for clip in corpus)
    assert {(clip.emotion, clip.speaker) for clip in corpus} == {(None, None)}


def test_images_of_a_folder_count_if_there_is_nothing_else(plant):
    root = plant(["pictures/a.jpg", "pictures/b.PNG", "videos/c.mp4", "videos/c.jpg"])

    assert [clip.clip_id for clip in load_clips([root / "pictures"])] == ["a.jpg", "b.PNG"]
    assert [clip.clip_id for clip in load_clips([root / "videos"])] == ["c.mp4"]


def test_a_single_file_is_named_without_its_folder(plant):
    (clip,) = load_clips([plant(["in/a.mp4"]) / "in/a.mp4"])

    assert clip.clip_id == "a.mp4"


def test_bad_files_are_listed(plant, lfs_pointer, tmp_path):
    plant(["pointer.mp4"], lfs_pointer)
    plant(["empty.mp4"], b"")
    plant(["bare/notes.txt", "good.mp4"])

    corpus = load_clips(
        tmp_path / name for name in ("none.mp4", "pointer.mp4", "empty.mp4", "bare", "good.mp4")
    )

    assert len(corpus) == 1
    assert len(corpus.problems) == 4
    assert [problem.path.rsplit("/", 1)[-1] for problem in corpus.problems] == [
        "none.mp4",
        "pointer.mp4",
        "empty.mp4",
        "bare",
    ]


def test_no_usable_file(tmp_path):
    with pytest.raises(CorpusError, match=r"none\.mp4"):
        load_clips([tmp_path / "none.mp4"])
