"""Media files, Git LFS pointers and CSV tables."""

from __future__ import annotations

import errno
import os
import zipfile

import pytest

from aver.corpora import open_corpus
from aver.corpora.files import AUDIO_SUFFIXES, find_media, is_lfs_pointer, media_fault, read_table
from aver.corpora.user_files import load_clips
from aver.errors import CorpusError


def test_sorted_visible_files_of_the_suffixes(plant):
    root = plant(["b/2.WAV", "a/1.wav", "a/._1.wav", ".trash/3.wav", "a/notes.txt", "0.flac"])

    found = find_media(root, AUDIO_SUFFIXES)

    assert [path.relative_to(root).as_posix() for path in found.files] == [
        "0.flac",
        "a/1.wav",
        "b/2.WAV",
    ]
    assert found.problems == ()


def test_pointers(plant, lfs_pointer):
    root = plant(["pointer.wav"], lfs_pointer)
    plant(["long.wav"], lfs_pointer + b" " * 1024)

    assert len(lfs_pointer) < 135  # as in real clones: about 130 bytes
    assert is_lfs_pointer(root / "pointer.wav")
    assert not is_lfs_pointer(root / "long.wav")
    assert [problem.path for problem in find_media(root, {".wav"}).problems] == ["pointer.wav"]


def test_faulty_media_files(plant):
    root = plant(["good.wav"])

    assert media_fault(root / "good.wav") is None
    assert "No such file" in media_fault(root / "none.wav")
    assert "null character" in media_fault(root / "a\0b.wav")
    with pytest.raises(CorpusError, match="not a folder"):
        find_media(root / "good.wav", AUDIO_SUFFIXES)


def test_values_of_a_table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes('\ufeffa, b\n1 ,"x, ""y"""\n2\n'.encode())

    table = read_table(path, ["a"])

    assert table.columns == ("a", "b")
    assert table.rows == ((2, {"a": "1", "b": 'x, "y"'}), (3, {"a": "2", "b": ""}))


def test_faulty_tables(tmp_path):
    path = tmp_path / "t.csv"
    with pytest.raises(CorpusError, match="cannot be read"):
        read_table(path)
    path.write_bytes(b"a\n\xff\xfe\n")
    with pytest.raises(CorpusError, match="UTF-8"):
        read_table(path)
    path.write_text("")
    with pytest.raises(CorpusError, match=r"no column .a.\. It has: none"):
        read_table(path, ["a"])


def test_columns_of_version_0_1_unless_the_new_name_is_there_too(tmp_path):
    table = tmp_path / "clips.csv"
    table.write_text("video,subset,part,sound\nx.mp4,train,face,x.wav\n")
    found = read_table(table)
    assert found.columns == ("video", "subset", "part", "audio")
    assert found.rows[0][1] == {
        "video": "x.mp4",
        "subset": "train",
        "part": "face",
        "audio": "x.wav",
    }


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_separator_of_a_table(separator, encoding, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(separator.join(["file", "emotion"]) + "\n" + separator.join("ab"), encoding)

    assert read_table(path).rows == ((2, {"file": "a", "emotion": "b"}),)


def test_each_file_once_whatever_links_lead_to_it(plant):
    root = plant(["a/1.wav", "b/2.wav"])
    (root / "a" / "up").symlink_to(root)  # a loop
    (root / "a" / "sister").symlink_to(root / "b")
    (root / "0.wav").symlink_to(root / "b" / "2.wav")
    (root / "b" / "gone.wav").symlink_to(root / "nothing")

    found = find_media(root, AUDIO_SUFFIXES)

    names = [path.relative_to(root).as_posix() for path in found.files]
    assert names == ["a/1.wav", "b/2.wav"]
    assert [problem.path for problem in found.problems] == ["b/gone.wav"]


def test_many_links_that_cross_end_quickly(plant):
    """Folders that link to each other have 2 ** 20 paths."""
    root = plant([f"{k}/{k}.wav" for k in range(20)])
    for k in range(19):
        for name in ("x", "y"):
            (root / str(k) / name).symlink_to(root / str(k + 1))
    assert len(find_media(root, AUDIO_SUFFIXES).files) == 20


def test_a_folder_that_cannot_be_opened_is_named(plant, monkeypatch):
    root = plant(["open/1.wav", "closed/2.wav"])
    scandir = os.scandir

    def refuse(path):
        if path == root / "closed":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)  # as root, permissions are not checked
    found = find_media(root, AUDIO_SUFFIXES)
    assert len(found.files) == 1
    assert found.problems[0].path == "closed"
    assert "cannot be opened: Permission denied" in found.problems[0].reason


@pytest.mark.parametrize("reader", [None, "ravdess", "manifest", "fer2013"])
def test_a_zip_archive_of_clips_is_to_be_unpacked(reader, tmp_path):
    packed = tmp_path / "clips.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("03-01-05-01-01-01-01.wav", b"x")

    with pytest.raises(CorpusError, match=r"is a zip archive\. Unpack it"):
        open_corpus(packed, reader)
    with pytest.raises(CorpusError, match="is a zip archive; unpack it"):
        load_clips([packed])
