"""FER2013, from folders and from the tar archive."""

from __future__ import annotations

import tarfile
from collections import Counter

import cv2
import numpy as np
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


VOTES = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
)


def plant_table(folder, rows=3):
    """The original table, with images of which each has one gray level."""
    lines = ["emotion,pixels,Usage"]
    usages = ["Training", "PublicTest", "PrivateTest"]
    for row in range(rows):
        pixels = " ".join([str(40 * row + 10)] * 48**2)
        lines.append(f'{row},"{pixels}",{usages[row % 3]}')
    (folder / "fer2013.csv").write_text("\n".join(lines) + "\n")
    return folder / "fer2013.csv"


def test_the_original_table_is_recognized_and_its_pixels_are_read(tmp_path):
    corpus = open_corpus(plant_table(tmp_path))

    assert corpus.name == "fer2013"
    assert [(c.emotion, c.subset) for c in corpus] == [
        ("fearful", "test"),
        ("disgust", "validation"),
        ("angry", "train"),
    ]
    for clip in corpus:
        image = cv2.imdecode(np.frombuffer(read_file(clip.video), np.uint8), cv2.IMREAD_GRAYSCALE)
        assert image.shape == (48, 48)
        assert (image == 40 * int(clip.take) + 10).all()


def test_a_row_without_a_square_image_is_an_error_that_names_it(tmp_path):
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n0,1 2 3,Training\n")
    corpus = open_corpus(tmp_path / "fer2013.csv")

    with pytest.raises(MediaError, match=r"Row 0 .* no square image"):
        read_file(corpus.clips[0].video)


def test_votes_replace_labels_and_single_votes_do_not_count(tmp_path):
    table = plant_table(tmp_path)
    votes = tmp_path / "fer2013new.csv"
    votes.write_text(
        VOTES
        + "Training,fer0000000.png,4,0,0,1,5,0,0,0,1,0\n"  # the single votes are noise
        + "PublicTest,,0,0,0,0,0,0,0,0,0,10\n"  # not a face; later names lag behind their rows
        + "PrivateTest,fer0000001.png,1,1,1,1,1,1,1,1,1,1\n"  # no two raters agree
    )
    corpus = open_corpus(table, votes=str(votes))

    (clip,) = corpus.clips
    assert clip.emotion == "angry"
    assert clip.votes == {"face": {"neutral": pytest.approx(4 / 9), "angry": pytest.approx(5 / 9)}}
    assert corpus.left_out == {"the raters' answer is 'not a face'": 1, "no two raters agree": 1}


def test_votes_for_files_without_numbers_need_names(archive, tmp_path):
    votes = tmp_path / "fer2013new.csv"
    votes.write_text(VOTES + "Training,fer0000000.png,0,0,0,0,9,0,0,0,0,0\n")
    with pytest.raises(CorpusError, match="do not have the numbers of FER"):
        open_corpus(archive, votes=str(votes))

    names = tmp_path / "names.csv"
    names.write_text("ferplus_png,file\nFER2013Train/fer0000000.png,train/angry/Training_1.jpg\n")
    corpus = open_corpus(archive, votes=str(votes), names=str(names))
    assert [(clip.clip_id, clip.emotion) for clip in corpus] == [
        ("train/angry/Training_1", "angry")
    ]


def test_votes_of_the_real_images_agree_with_two_thirds_of_the_labels(data_root):
    votes, names = (data_root / "ferplus" / n for n in ("fer2013new.csv", "fer2013tar_match.csv"))
    corpus = open_corpus(data_root / "fer2013.tar", votes=str(votes), names=str(names))
    own = open_corpus(data_root / "fer2013.tar").by_id

    agreeing = [clip.emotion == own[clip.clip_id].emotion for clip in corpus]
    assert 0.6 < np.mean(agreeing) < 0.7
    assert all(sum(c.votes["face"].values()) == pytest.approx(1) for c in corpus)


def test_a_doubled_folder_is_listed_and_not_used(plant):
    """As the archive of Kaggle unpacks: images/images beside images."""
    root = plant([f"{top}/{name}" for top in ("images", "images/images") for name in NAMES], b"x")

    corpus = open_corpus(root, "fer2013")

    assert len(corpus) == len(NAMES)
    assert [problem.reason.split(",")[-1] for problem in corpus.problems] == [" which is used."] * 3


def test_two_different_images_of_one_name_are_an_error(plant):
    root = plant([f"images/{NAMES[0]}"], b"x")
    plant([f"images/images/{NAMES[0]}"], b"y")
    with pytest.raises(CorpusError, match="have the id"):
        open_corpus(root, "fer2013")


@pytest.mark.parametrize("name", ["fer2013.csv", "icml_face_data.csv"])
def test_the_original_table_in_a_folder(name, tmp_path):
    plant_table(tmp_path).rename(tmp_path / name)

    corpus = open_corpus(tmp_path)

    assert corpus.name == "fer2013"
    assert [clip.subset for clip in corpus] == ["test", "validation", "train"]
    for clip in corpus:
        image = cv2.imdecode(np.frombuffer(read_file(clip.video), np.uint8), cv2.IMREAD_GRAYSCALE)
        assert np.unique(image).size == 1


def test_columns_with_spaces_as_in_one_distribution(tmp_path):
    table = plant_table(tmp_path)
    plain = [(clip.clip_id, clip.emotion, read_file(clip.video)) for clip in open_corpus(table)]
    table.write_text(table.read_text().replace("emotion,pixels,Usage", "emotion, pixels, Usage"))

    spaced = [(clip.clip_id, clip.emotion, read_file(clip.video)) for clip in open_corpus(table)]

    assert spaced == plain


def test_images_beside_the_table_are_read_as_images(plant):
    root = plant(NAMES, b"image")
    plant_table(root)

    assert len(open_corpus(root, "fer2013")) == len(NAMES)
