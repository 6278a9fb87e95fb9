"""Corpora whose file names state all facts: counts of real copies, and each corpus's quirks."""

from __future__ import annotations

from collections import Counter

import pytest

from aver.corpora import open_corpus
from aver.corpora.check import check_corpus
from aver.errors import LabelError


def test_real_nemo(data_root):
    check = check_corpus(data_root / "nemo")

    assert check.corpus.name == "nemo"
    assert check.is_complete  # all rows of data.tsv, whose names end in .wav, have a file
    rows = (data_root / "nemo" / "data.tsv").read_text("utf-8").splitlines()[1:]
    facts = {line.split("\t")[0][:-4]: [cell.strip() for cell in line.split("\t")] for line in rows}
    assert set(facts) == set(check.corpus.by_id)
    for clip in check.corpus:
        assert clip.speaker == facts[clip.clip_id][4]
        assert clip.sex == facts[clip.clip_id][5]
    words = Counter(row[1] for row in facts.values())
    assert sorted(words.values()) == sorted(check.by_class.values())


def test_missing_rows_of_nemo(plant):
    root = plant(["samples/EB0_anger_1.wav"])
    (root / "data.tsv").write_text("file_id\temotion\nEB0_anger_1.wav\tanger\nEB0_fear_2.wav\tfear")

    assert check_corpus(root).missing == ("EB0_fear_2",)


def test_real_ased(data_root):
    check = check_corpus(data_root / "ased")

    # Retta et al. (2023): 2,474 recordings by 65 speakers
    assert (check.corpus.name, len(check.corpus), len(check.by_speaker)) == ("ased", 2474, 65)
    assert check.is_complete
    assert check.corpus.classes == ("neutral", "happy", "sad", "angry", "fearful")
    for clip in check.corpus:
        assert clip.audio.parent.name[2:].lower().startswith(clip.emotion)


def test_speakers_of_ased_have_one_sex_each(data_root):
    sexes = {(clip.speaker, clip.sex) for clip in open_corpus(data_root / "ased")}

    assert len(sexes) == 65
    assert ("25", "female") in sexes  # 65 of the 66 files say so


def test_unknown_codes_name_the_file(plant):
    with pytest.raises(LabelError, match=r"'z' in 01Neutral/z1-01-01-01-01\.wav.*n \(neutral\)"):
        open_corpus(plant(["01Neutral/z1-01-01-01-01.wav"]))


@pytest.mark.parametrize(
    ("reader", "path", "facts"),
    [
        # The example of the corpus's page: speaker 03, text a01, Freude, version a
        ("emodb", "wav/03a01Fa.wav", ("03", "happy", "male", "a01", "a", None)),
        ("emodb", "wav/16b10Lb.wav", ("16", "boredom", "female", "b10", "b", None)),
        ("emodb", "wav/13a02Wa.wav", ("13", "angry", "female", "a02", "a", None)),
        # Info.txt: 'd03.wav' is the 3rd disgust sentence
        ("savee", "AudioData/DC/d03.wav", ("DC", "disgust", "male", "d03", None, None)),
        ("savee", "ALL/KL_su15.wav", ("KL", "surprised", "male", "su15", None, None)),
        ("savee", "ALL/JE_n30.wav", ("JE", "neutral", "male", "n30", None, None)),
        ("tess", "YAF_fear/YAF_back_fear.wav", ("YAF", "fearful", "female", "back", None, None)),
        (
            "tess",
            "OAF_neutral/OA_bite_neutral.wav",
            ("OAF", "neutral", "female", "bite", None, None),
        ),
        ("tess", "oaf_ps/OAF_back_ps.wav", ("OAF", "surprised", "female", "back", None, None)),
        ("emovo", "f1/gio-f1-b1.wav", ("f1", "happy", "female", "b1", None, None)),
        ("emovo", "m3/pau-m3-n5.wav", ("m3", "fearful", "male", "n5", None, None)),
        ("urdu", "Angry/SM4_F48_A0100.wav", ("SM4", "angry", "male", None, None, None)),
        ("urdu", "Sad/SF10_F1_S01.wav", ("SF10", "sad", "female", None, None, None)),
        (
            "jl-corpus",
            "JL(wav+txt)/female1_angry_10a_1.wav",
            ("female1", "angry", "female", "10a", "1", None),
        ),
        (
            "jl-corpus",
            "male2_assertive_1b_2.wav",
            ("male2", "assertive", "male", "1b", "2", None),
        ),
        ("jaffe", "KA.AN1.39.tiff", ("KA", "angry", "female", None, "1", None)),
        (
            "sfew",
            "Train/Train_Aligned_Faces/Angry/Airheads_000519240_00000005.png",
            (None, "angry", None, None, None, "train"),
        ),
        (
            "sfew",
            "Val_Aligned_Faces_new/Surprise/Hangover_004401640_00000013.png",
            (None, "surprised", None, None, None, "validation"),
        ),
        (
            "esd",
            "0016/Neutral/evaluation/0016_000019.wav",
            ("0016", "neutral", "female", "english-019", None, "validation"),
        ),
        (
            "esd",
            "Emotion Speech Dataset/0001/Angry/0001_000351.wav",
            ("0001", "angry", "female", "mandarin-001", None, None),
        ),
        ("esd", "0020/0020_001401.wav", ("0020", "surprised", "male", "english-001", None, None)),
    ],
)
def test_facts_in_published_names(reader, path, facts, plant):
    (clip,) = open_corpus(plant([path]))

    assert open_corpus(plant([path])).name == reader
    assert (
        clip.speaker, clip.emotion, clip.sex, clip.sentence, clip.take, clip.subset
    ) == facts  # fmt: skip
    assert (clip.video is None) == (reader not in ("jaffe", "sfew"))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("wav/03a01Xa.wav", r"'X' in wav/03a01Xa\.wav\. emodb has w \(angry\), l \(boredom\)"),
        ("AudioData/DC/x01.wav", "'x' in AudioData/DC/x01.wav"),
        ("OAF_calm/OAF_back_calm.wav", "'calm' in OAF_calm/OAF_back_calm.wav"),
        ("f1/noi-f1-b1.wav", "'noi' in f1/noi-f1-b1.wav"),
        ("Angry/SM1_F10_B010.wav", "'B' in Angry/SM1_F10_B010.wav"),
        ("female1_bored_1a_1.wav", "'bored' in female1_bored_1a_1.wav"),
        ("KA.XX1.39.tiff", "'XX' in KA.XX1.39.tiff"),
        ("Train/Contempt/Airheads_000519240_00000005.png", "'Contempt' in Train/Contempt"),
        ("Train/Airheads_000519240_00000005.png", "'' in Train/Airheads"),
        ("0001/0001_001751.wav", "numbers 1 to 1750, not 1751"),
    ],
)
def test_an_unknown_code_names_the_file(path, message, plant):
    with pytest.raises(LabelError, match=message):
        open_corpus(plant([path]))


def test_speakers_of_emodb_are_five_women_and_five_men():
    from aver.corpora.emodb import EmoDB

    assert Counter(EmoDB.sexes.values()) == {"female": 5, "male": 5}


def test_audio_and_video_of_savee_are_one_clip(plant):
    root = plant(["AudioData/DC/a01.wav", "AudioVisualClip/DC/a01.avi"])

    (clip,) = open_corpus(root)

    assert clip.clip_id == "DC_a01"
    assert (clip.audio.suffix, clip.video.suffix) == (".wav", ".avi")


def test_video_of_savee_alone_serves_both(plant):
    (clip,) = open_corpus(plant(["AudioVisualClip/DC/a01.avi"]))

    assert clip.audio == clip.video


def test_the_doubled_folder_of_tess_is_listed(plant):
    inner = "TESS Toronto emotional speech set data"
    root = plant(["OAF_Sad/OAF_back_sad.wav", f"{inner}/OAF_Sad/OAF_back_sad.wav"])

    corpus = open_corpus(root)

    assert len(corpus) == 1
    assert "A second copy of OAF_Sad" in corpus.problems[0].reason


def test_images_of_sfew_without_a_published_label_are_left_out(plant):
    root = plant(["Train/Sad/Film_000519240_00000001.png", "Test/Film_000519240_00000002.png"])

    corpus = open_corpus(root)

    assert [clip.subset for clip in corpus] == ["train"]
    assert corpus.left_out == {"the labels of the test subset were not published": 1}


def test_images_of_one_moment_of_a_film_are_one_performance(plant):
    names = ["Train/Sad/Film_000519240_00000001.png", "Train/Sad/Film_000519240_00000002.png"]

    assert {clip.performance for clip in open_corpus(plant(names))} == {"Film_000519240"}


def test_missing_utterances_of_esd_are_read_in_any_encoding(plant):
    root = plant(["0001/Angry/0001_000351.wav"])
    line = "{}\t\u6253\u8fdc\u4e00\u70b9\t\u751f\u6c14\n"
    for speaker, encoding in (("0001", "utf-16"), ("0002", "gb18030"), ("0003", "utf-8-sig")):
        (root / speaker).mkdir(exist_ok=True)
        (root / speaker / f"{speaker}.txt").write_text(
            line.format(f"{speaker}_000351"), encoding=encoding
        )

    assert check_corpus(root).missing == ("0002_000351", "0003_000351")
