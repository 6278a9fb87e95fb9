"""FER2013, from folders and from the tar archive."""

from __future__ import annotations

import tarfile
from collections import Counter

import pytest

from aver.corpora import open_corpus
from aver.corpora.files import read_file
from aver.errors import CorpusError, LabelError, MediaError

NAMES = [
    "train/angry/Training_1.jpg",
    "test/surprise/PublicTest_2.jpg",
    "test/fear/PrivateTest_3.jpg",
]


@pytest.fixture
def archive(plant, tmp_path_factory):
    root = plant(NAMES, b"image")
    path = tmp_path_factory.mktemp("packed") / "fer2013.tar"
    with tarfile.open(path, "w") as packed:
        for child in sorted(root.iterdir()):
            packed.add(child, arcname=f"./{child.name}")
    return path


def test_counts_of_the_real_archive(data_root):
    corpus = open_corpus(data_root / "fer2013.tar", "fer2013")

    assert Counter(clip.subset for clip in corpus) == {
        "train": 28709,
        "validation": 3589,
        "test": 3589,
    }
    assert Counter(clip.emotion for clip in corpus if clip.subset == "train") == {
        "angry": 3995,
        "disgust": 436,
        "fearful": 4097,
        "happy": 7215,
        "neutral": 4965,
        "sad": 4830,
        "surprised": 3171,
    }
    assert read_file(corpus.clips[0].video)[:2] == b"\xff\xd8"  # JPEG's start of image


def test_images_are_read_from_the_archive(data_root):
    from hashlib import sha256

    path = data_root / "fer2013.tar"
    corpus = open_corpus(path, "fer2013")
    with tarfile.open(path) as packed:
        for clip in corpus.clips[:: len(corpus) // 5]:
            member = packed.extractfile(clip.video.relative_to(path).as_posix())
            assert sha256(read_file(clip.video)).digest() == sha256(member.read()).digest()


def test_archive_and_folders_give_the_same_clips(archive, tmp_path):
    packed, unpacked = open_corpus(archive), open_corpus(tmp_path)

    assert packed.name == unpacked.name == "fer2013"
    facts = [
        [(clip.clip_id, clip.emotion, clip.subset, clip.speaker) for clip in corpus]
        for corpus in (packed, unpacked)
    ]
    assert facts[0] == facts[1]
    assert facts[0][0] == ("test/fear/PrivateTest_3", "fearful", "test", None)
    for clip in (*packed, *unpacked):
        assert read_file(clip.video) == b"image"


def test_unknown_emotion_names_the_file(plant):
    with pytest.raises(LabelError, match=r"train/bored/Training_1\.jpg"):
        open_corpus(plant(["train/bored/Training_1.jpg"]))


def test_faulty_archives(tmp_path, archive):
    text = tmp_path / "words.tar"
    text.write_text("no archive")
    with pytest.raises(CorpusError, match="not an uncompressed tar"):
        open_corpus(text, "fer2013")
    packed = tmp_path / "fer2013.tar.gz"
    with tarfile.open(packed, "w:gz") as compressed:
        compressed.add(archive, arcname="x")
    with pytest.raises(CorpusError, match="Unpack it"):
        open_corpus(packed, "fer2013")


def test_unreadable_files(archive, tmp_path):
    with pytest.raises(MediaError, match=r"no file .train/none\.jpg. in the archive"):
        read_file(archive / "train/none.jpg")
    with pytest.raises(MediaError, match="cannot be read"):
        read_file(tmp_path / "none.jpg")


def test_archive_cut_short_under_a_reader(archive):
    clip = open_corpus(archive).clips[-1]
    with archive.open("r+b") as handle:
        handle.truncate(600)

    with pytest.raises(MediaError):
        read_file(clip.video)
