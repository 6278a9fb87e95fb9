"""A user's own files, for prediction."""

from __future__ import annotations

from pathlib import Path

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


def test_files_that_are_no_media_are_counted_by_suffix(tmp_path: Path) -> None:
    for name in ("a.wav", "sub/B.TXT", "c.txt", "d.docx", "README", "e.jfif", ".hidden.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = load_clips([tmp_path])
    assert [clip.clip_id for clip in found] == ["a.wav"]
    assert len(found.notes) == 1
    assert found.notes[0].startswith("4 files passed over")
    assert found.notes[0].endswith(": .txt 2, (none) 1, .docx 1.")
    assert "1 image (such as e.jfif)" in found.problems[0].reason


def test_a_folder_of_other_files_only_names_their_suffixes(tmp_path: Path) -> None:
    (tmp_path / "clip.doc").write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"no video, audio or image, but other files: \.doc 1\."):
        load_clips([tmp_path])


def test_a_file_with_two_names_is_one_clip(tmp_path: Path) -> None:
    """Hard links, and symbolic links to it."""
    (tmp_path / "a.wav").write_bytes(b"x")
    (tmp_path / "b.wav").hardlink_to(tmp_path / "a.wav")
    (tmp_path / "c.wav").symlink_to(tmp_path / "a.wav")
    assert [clip.clip_id for clip in load_clips([tmp_path])] == ["a.wav"]
