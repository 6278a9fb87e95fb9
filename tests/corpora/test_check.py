"""`check_corpus`: contents, missing clips and duplicates."""

from __future__ import annotations

from aver.corpora.check import check_corpus


def test_ravdess(data_root):
    found = check_corpus(data_root / "ravdess")

    assert found.by_class["neutral"] == 80
    assert set(found.by_speaker.values()) == {60}
    assert found.by_sex == {"female": 600, "male": 600}
    assert (found.with_video, found.with_audio) == (8, 1200)
    assert found.missing == ()
    assert found.by_channel == {"speech": 1200}


def test_duplicates_contradictions_and_missing_clips(plant):
    plant(["03-01-03-01-01-01-01.wav", "03-01-04-01-01-01-01.wav"], b"same bytes")
    plant(["03-01-05-01-01-01-01.wav", "03-01-05-01-01-02-01.wav"], b"more bytes")
    root = plant(["03-01-06-01-01-02-01.wav", "odd.wav"], b"other byte")

    found = check_corpus(root)

    assert found.doubled == (
        ("01-03-01-01-01-01", "01-04-01-01-01-01"),
        ("01-05-01-01-01-01", "01-05-01-01-02-01"),
    )
    assert found.contradicting == found.doubled[:1]
    assert len(found.missing) == 55
    assert [problem.path for problem in found.problems] == ["odd.wav"]
    assert not found.is_complete


def test_one_file_for_video_and_audio_is_not_a_duplicate(plant):
    found = check_corpus(plant(["s1_an_1.avi"]))

    assert found.doubled == ()
    assert found.by_sex == {"unknown": 1}


def test_inside_an_archive(plant, tmp_path):
    import tarfile

    plant(["train/happy/Training_1.jpg", "test/sad/PublicTest_2.jpg"], b"same bytes")
    with tarfile.open(tmp_path / "fer.tar", "w") as packed:
        packed.add(tmp_path / "train", arcname="train")
        packed.add(tmp_path / "test", arcname="test")

    found = check_corpus(tmp_path / "fer.tar")

    assert found.contradicting == (("test/sad/PublicTest_2", "train/happy/Training_1"),)
    assert found.by_subset == {"train": 1, "validation": 1}
