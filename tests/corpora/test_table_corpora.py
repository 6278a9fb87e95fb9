"""Corpora that need tables or annotation files: joins, gaps and what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from aver.corpora import open_corpus
from aver.corpora.check import check_corpus
from aver.errors import CorpusError, LabelError, SettingsError


@pytest.fixture
def write(plant):
    """Plants media and writes tables."""

    def make(media, tables):
        root = plant(media)
        for name, text in tables.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        return root

    return make


def _dialog(session, dialog, *labels):
    """A table in the published format, and the names of the utterances."""
    utterances = [f"{dialog}_{turn}" for turn, _ in labels]
    rows = [
        f"[{turn}.0 - {turn}.5]\t{utterance}\t{code}\t[2.5000, 2.5000, 2.5000]\nC-E2:\tAnger;\t()\n"
        for turn, (utterance, (_, code)) in enumerate(zip(utterances, labels, strict=True))
    ]
    table = {
        f"Session{session}/dialog/EmoEvaluation/{dialog}.txt": "% header\n\n" + "\n".join(rows)
    }
    return [f"Session{session}/sentences/wav/{dialog}/{name}.wav" for name in utterances], table


def test_iemocap_joins_speakers_and_labels_and_counts_what_is_left_out(write):
    media, tables = _dialog(
        1, "Ses01F_impro01", ("F000", "neu"), ("M000", "exc"), ("F001", "xxx"), ("M001", "xxx"),
        ("F002", "oth"), ("M002", "fru"),
    )  # fmt: skip
    more, other = _dialog(5, "Ses05M_script01_1b", ("F000", "hap"), ("M000", "ang"))
    tables |= {"Session1/dialog/EmoEvaluation/Categorical/Ses01F_impro01_e2_cat.txt": "Ses01F :x"}
    root = write([*media, *more, "Session1/dialog/wav/Ses01F_impro01.wav"], tables | other)

    check = check_corpus(root)

    clips = check.corpus.by_id
    assert check.corpus.classes == ("neutral", "happy", "angry", "excited", "frustrated")
    assert clips["Ses01F_impro01_M000"].speaker == "Ses01M"  # who speaks, not who wears markers
    assert clips["Ses05M_script01_1b_F000"].speaker == "Ses05F"
    assert clips["Ses05M_script01_1b_F000"].sex == "female"
    assert sorted(check.left_out.values()) == [1, 2]
    assert check.problems == check.missing == ()  # what is left out is no fault of the copy
    merged = open_corpus(root, merge_excited=True)
    assert merged.by_id["Ses01F_impro01_M000"].emotion == "happy"


def test_iemocap_gaps(write):
    media, tables = _dialog(1, "Ses01F_impro01", ("F000", "neu"), ("M000", "sad"), ("F001", "xxx"))
    stray = media[0].replace("F000", "F009")
    check = check_corpus(write([media[0], stray], tables))

    assert check.missing == ("Ses01F_impro01_M000",)
    assert [problem.path for problem in check.problems] == [stray]


def test_iemocap_unknown_label_and_missing_labels(write, tmp_path):
    media, tables = _dialog(1, "Ses01F_impro01", ("F000", "bor"))

    with pytest.raises(LabelError, match="'bor' of Ses01F_impro01_F000"):
        open_corpus(write(media, tables))
    for table in (tmp_path / "Session1/dialog/EmoEvaluation").iterdir():
        table.unlink()
    with pytest.raises(CorpusError, match="EmoEvaluation: Not found"):
        open_corpus(tmp_path, "iemocap")


_HEADER = (
    "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,"
    "EndTime\n"
)


def _meld(*rows):
    return _HEADER + "".join(
        f'{n},"Oh, {speaker}\u2019s",{speaker},{emotion},x,{dialog},{utterance},1,1,"a,1","b,1"\n'
        for n, (speaker, emotion, dialog, utterance) in enumerate(rows)
    )


def test_meld_keeps_equal_numbers_of_different_subsets_apart(write):
    root = write(
        ["MELD.Raw/train/train_splits/dia0_utt0.mp4", "MELD.Raw/dev_splits_complete/dia0_utt0.mp4"],
        {
            "train_sent_emo.csv": _meld(("Joey", "joy", 0, 0)),
            "dev_sent_emo.csv": _meld(("Fireman #1", "fear", 0, 0), ("Joey", "neutral", 110, 7)),
        },
    )

    check = check_corpus(root)

    facts = [(c.clip_id, c.speaker, c.emotion, c.subset) for c in check.corpus]
    assert facts == [
        ("dev/dia0_utt0", "Fireman #1", "fearful", "validation"),
        ("train/dia0_utt0", "Joey", "happy", "train"),
    ]
    assert check.missing == ("dev/dia110_utt7",)


def test_meld_second_cuts_and_broken_videos(write):
    root = write(
        [
            "output_repeated_splits_test/dia93_utt5.mp4",
            "output_repeated_splits_test/final_videos_testdia93_utt5.mp4",
            "output_repeated_splits_test/final_videos_testdia93_utt6.mp4",
            "output_repeated_splits_test/._dia93_utt5.mp4",
            "output_repeated_splits_test/dia999_utt0.mp4",
            "train_splits/dia125_utt3.mp4",
            "dia1_utt1.mp4",
        ],
        {"test_sent_emo.csv": _meld(("Joey", "joy", 93, 5), ("Ross", "anger", 93, 6))},
    )

    corpus = open_corpus(root)

    assert [clip.video.name for clip in corpus] == [
        "dia93_utt5.mp4", "final_videos_testdia93_utt6.mp4"
    ]  # fmt: skip
    reasons = {problem.path.split("/")[-1]: problem.reason for problem in corpus.problems}
    assert set(reasons) == {"dia999_utt0.mp4", "dia125_utt3.mp4", "dia1_utt1.mp4"}
    assert "no row" in reasons["dia999_utt0.mp4"]
    assert "Broken as published" in reasons["dia125_utt3.mp4"]
    assert "train, dev or test" in reasons["dia1_utt1.mp4"]


def test_meld_unknown_label_names_the_line(write):
    root = write(
        ["train_splits/dia0_utt0.mp4"], {"train_sent_emo.csv": _meld(("Joey", "bliss", 0, 0))}
    )

    with pytest.raises(LabelError, match=r"'bliss' in .*train_sent_emo\.csv, line 2"):
        open_corpus(root)


def test_affectnet_lists_give_boxes_and_subsets(write):
    names = [f"{n}/{letter * 56}" for n, letter in enumerate("abcdef")]
    rows = [
        f"{name}.jpg,10,20,30,40,1;2,{code},0,0"
        for name, code in zip(names, (1, 7, 8, 9), strict=False)
    ]
    header = (
        "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression"
    )
    lists = {
        "lists/training.csv": "\n".join([f"{header},valence,arousal", *rows, rows[0]]),
        # Some editions have no header, and images without a face no box.
        "lists/validation.csv": f"{names[4]}.png,NULL,NULL,NULL,NULL,NULL,10,-2,-2\n"
        f"{names[5]}.jpg,-1,-1,-1,-1,x,0,0,0",
    }
    media = [
        f"Manually_Annotated_Images/{name}.jpg" for name in (*names[:4], names[5], "9/" + 56 * "0")
    ]
    root = write([*media, "Automatically_Annotated_Images/1/" + 56 * "1" + ".jpg"], lists)

    check = check_corpus(root)

    facts = [(clip.clip_id, clip.emotion, clip.subset, clip.face_box) for clip in check.corpus]
    assert facts == [
        (names[0], "happy", "train", (10.0, 20.0, 40.0, 60.0)),
        (names[1], "contempt", "train", (10.0, 20.0, 40.0, 60.0)),
        (names[5], "neutral", "validation", None),
    ]
    assert [problem.reason for problem in check.problems] == ["It has no annotation."]
    assert list(check.left_out.values()) == [1, 1, 1]
    assert check.missing == ()


def test_affectnet_arrays_hold_numbers_or_text(plant):
    root = plant([f"{subset}/images/{n}.jpg" for subset, n in (("train_set", 0), ("val_set", 7))])
    for subset, name, value in (("train_set", "0", "6"), ("val_set", "7", 3), ("val_set", "8", 1)):
        (root / subset / "annotations").mkdir(exist_ok=True)
        np.save(root / subset / "annotations" / f"{name}_exp.npy", np.array(value))
        np.save(root / subset / "annotations" / f"{name}_val.npy", np.array(0.5))

    check = check_corpus(root)

    assert {clip.clip_id: (clip.emotion, clip.subset) for clip in check.corpus} == {
        "train_set/0": ("angry", "train"), "val_set/7": ("surprised", "validation")
    }  # fmt: skip
    assert check.missing == ("val_set/8",)
    (root / "train_set/annotations/0_exp.npy").write_bytes(b"none")
    with pytest.raises(CorpusError, match=r"0_exp\.npy cannot be read"):
        open_corpus(root)


def test_affectnet_without_its_lists(plant):
    with pytest.raises(CorpusError, match=r"training\.csv: Not found: there are no annotations"):
        open_corpus(plant([f"Manually_Annotated_Images/1/{56 * 'a'}.jpg"]))


def test_affectnet_unknown_codes(write):
    image = f"1/{56 * 'a'}"
    for row, error, message in (
        (f"{image}.jpg,1,2,3,4,x,11,0,0", LabelError, "code 11 of 1/a"),
        (f"{image}.jpg,1,2,3,4,x,happy,0,0", CorpusError, r"Line 1 of .*training\.csv"),
    ):
        root = write([f"Manually_Annotated_Images/{image}.jpg"], {"training.csv": row})
        with pytest.raises(error, match=message):
            open_corpus(root)


def test_rafdb_lists_and_folders(write, plant):
    names = ["Image/aligned/train_00001_aligned.jpg", "Image/aligned/test_0002_aligned.jpg"]
    listed = write(
        [*names, "Image/original/train_00001.jpg", "compound/Image/aligned/train_0001_aligned.jpg"],
        {
            "EmoLabel/list_patition_label.txt": "train_00001.jpg 5\ntest_0001.jpg 7\n",
            "compound/EmoLabel/list_patition_label.txt": "train_0001.jpg 11\n",
        },
    )

    check = check_corpus(listed)

    assert [(c.clip_id, c.emotion, c.subset) for c in check.corpus] == [
        ("train_00001", "sad", "train")
    ]
    assert [problem.path for problem in check.problems] == [names[1]]
    assert check.missing == ("test_0001",)


def test_rafdb_without_its_list(plant):
    root = plant(
        ["DATASET/train/1/train_00001_aligned.jpg", "DATASET/test/7/test_0001_aligned.jpg"]
    )

    assert open_corpus(root).classes == ("neutral", "surprised")
    plant(["DATASET/test/0/test_0002_aligned.jpg"])
    with pytest.raises(LabelError, match="'0' of test_0002"):
        open_corpus(root)


@pytest.fixture
def ckplus(write):
    images = [
        f"cohn-kanade-images/S005/{sequence}/S005_{sequence}_{n:08d}.png"
        for sequence, count in (("001", 6), ("002", 3))
        for n in range(1, count + 1)
    ]
    return write(images, {"Emotion/S005/001/S005_001_00000006_emotion.txt": "   2.0000000e+00\n"})


def test_ckplus_reads_the_peak_of_labeled_sequences(ckplus):
    check = check_corpus(ckplus)

    (clip,) = check.corpus
    assert (clip.clip_id, clip.emotion, clip.speaker) == ("S005_001_00000006", "contempt", "S005")
    assert check.left_out == {"the sequence has no emotion": 1}


def test_ckplus_more_images_and_neutral(ckplus):
    corpus = open_corpus(ckplus, images=3, neutral=True)

    assert [(clip.clip_id[-1], clip.emotion) for clip in corpus] == [
        ("1", "neutral"), ("4", "contempt"), ("5", "contempt"), ("6", "contempt")
    ]  # fmt: skip
    assert {clip.performance for clip in corpus} == {"S005_001"}
    with pytest.raises(SettingsError, match="images"):
        open_corpus(ckplus, images=0)


def test_ckplus_with_a_folder_per_emotion(plant):
    root = plant(["CK+48/anger/S010_004_00000017.png", "CK+48/fear/S010_003_00000018.png"])

    corpus = open_corpus(root)

    assert corpus.classes == ("angry", "fearful")
    assert corpus.speakers == ("S010",)


def test_ckplus_faults(ckplus):
    (ckplus / "Emotion/S005/001/S005_001_00000006_emotion.txt").write_text("9.0")
    with pytest.raises(LabelError, match=r"'9\.0' in .*S005_001_00000006_emotion\.txt"):
        open_corpus(ckplus)
    (ckplus / "Emotion/S005/001/S005_001_00000006_emotion.txt").unlink()
    with pytest.raises(CorpusError, match="Emotion: Not found"):
        open_corpus(ckplus)
