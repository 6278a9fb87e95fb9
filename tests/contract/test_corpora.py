"""Rules for every corpus reader."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import pytest

from aver.corpora import corpora, open_corpus
from aver.corpora.files import AUDIO_SUFFIXES, IMAGE_SUFFIXES, VIDEO_SUFFIXES
from aver.emotions import EMOTIONS
from aver.errors import AverError, CorpusError, SettingsError

# A small tree with two clips for each reader; a new reader adds its line here.
TREES: dict[str, dict[str, str]] = {
    "affectnet": {
        "Manually_Annotated_file_lists/training.csv": "subDirectory_filePath,face_x,face_y,"
        "face_width,face_height,facial_landmarks,expression,valence,arousal\n"
        f"689/{56 * 'a'}.JPG,134,134,899,899,1;2,1,0.78,-0.005\n"
        f"1/{56 * 'b'}.jpg,10,20,30,40,1;2,7,-0.5,0.5\n",
        f"Manually_Annotated_Images/689/{56 * 'a'}.JPG": "image",
        f"Manually_Annotated_Images/1/{56 * 'b'}.jpg": "image",
    },
    "ravdess": dict.fromkeys(
        (
            "Actor_02/03-01-05-01-01-01-02.wav",
            "Actor_01/01-01-03-02-02-01-01.mp4",
            "Actor_01/03-01-03-02-02-01-01.wav",
        ),
        "media",
    ),
    "ased": dict.fromkeys(("04Sad/S4-04-02-01-29.wav", "01Neutral/n1-01-01-01-01.wav"), "media"),
    "ckplus": {
        "Emotion/S005/001/S005_001_00000011_emotion.txt": "   3.0000000e+00\n",
        "Emotion/S010/004/S010_004_00000019_emotion.txt": "   1.0000000e+00\n",
        "cohn-kanade-images/S005/001/S005_001_00000001.png": "image",
        "cohn-kanade-images/S005/001/S005_001_00000011.png": "image",
        "cohn-kanade-images/S010/004/S010_004_00000019.png": "image",
    },
    "cremad": dict.fromkeys(
        ("AudioWAV/1002_IEO_HAP_LO.wav", "AudioWAV/1001_DFA_ANG_XX.wav"), "media" * 300
    ),
    "emodb": dict.fromkeys(("wav/16b10Lb.wav", "wav/03a01Fa.wav"), "media"),
    "emovo": dict.fromkeys(("m3/tri-m3-n5.wav", "f1/dis-f1-b1.wav"), "media"),
    "enterface": dict.fromkeys(
        ("subject 6/anger/s6_an_1.avi", "subject 1/fear/sentence 1/s1_fe_1.avi"), "media"
    ),
    "expw": {
        "label/label.lst": "a_boy_1.jpg 0 10 20 60 70 0.9 3\nb_man_2.jpg 0 5 80 40 99 0.8 6\n",
        "origin/a_boy_1.jpg": "image",
        "origin/b_man_2.jpg": "image",
    },
    "esd": {
        "0011/Sad/0011_001283.wav": "media",
        "0001/Angry/0001_000351.wav": "media",
        "0001/0001.txt": "0001_000351\t\u6253\u8fdc\u4e00\u70b9\t\u751f\u6c14\n",
    },
    "fer2013": dict.fromkeys(("train/sad/Training_2.jpg", "test/angry/PrivateTest_1.jpg"), "image"),
    "iemocap": {
        "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt": "% [START_TIME - END_TIME] TURN_NAME "
        "EMOTION [V, A, D]\n\n"
        "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]\n"
        "C-E2:\tNeutral;\t()\n\n"
        "[7.5712 - 10.4750]\tSes01F_impro01_M000\tfru\t[2.5000, 2.0000, 2.5000]\n",
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav": "media",
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav": "media",
        "Session1/dialog/wav/Ses01F_impro01.wav": "media",
    },
    "jaffe": dict.fromkeys(("KL.HA2.159.tiff", "KA.AN1.39.tiff"), "image"),
    "jl-corpus": dict.fromkeys(("male2_excited_15b_2.wav", "female1_angry_1a_1.wav"), "media"),
    "manifest": {
        "aver-corpus.yaml": "pattern: '{speaker}_{emotion}.mp4'",
        "zoe_sad.mp4": "media",
        "deep/anna_happy.mp4": "media",
    },
    "meld": {
        "train_sent_emo.csv": "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,"
        "Utterance_ID,Season,Episode,StartTime,EndTime\n"
        "1,also I was the point person,Chandler,neutral,neutral,0,0,8,21,a,b\n",
        "test_sent_emo.csv": "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,"
        "Utterance_ID,Season,Episode,StartTime,EndTime\n"
        '20,"Push, push!",Joey,joy,positive,0,0,1,23,"0:10:46,146","0:10:46,833"\n',
        "train_splits/dia0_utt0.mp4": "media",
        "output_repeated_splits_test/dia0_utt0.mp4": "media",
    },
    "nemo": {
        "data.tsv": "file_id\temotion\tspeaker_id\n",
        "samples/WR0_surprised_64.wav": "media",
        "samples/EB0_anger_1.wav": "media",
    },
    "rafdb": {
        "EmoLabel/list_patition_label.txt": "train_00001.jpg 5\ntest_0001.jpg 7\n",
        "Image/aligned/train_00001_aligned.jpg": "image",
        "Image/aligned/test_0001_aligned.jpg": "image",
    },
    "savee": dict.fromkeys(("AudioData/JE/sa15.wav", "AudioData/DC/a01.wav"), "media"),
    "sfew": dict.fromkeys(
        (
            "Val/Happy/Hangover_004401640_00000013.png",
            "Train/Angry/Airheads_000519240_00000005.png",
        ),
        "image",
    ),
    "speaker-folders": dict.fromkeys(("id10002/b/1.wav", "id10001/a/1.wav"), "media"),
    "synthetic": {
        "synthesis.json": "{}",
        "clips.csv": "clip_id,speaker,sex,emotion,intensity,sentence,take,file,units\n"
        "b,s2,male,sad,strong,1,1,b.mp4,\na,s1,female,happy,strong,1,1,a.mp4,\n",
        "a.mp4": "media",
        "b.mp4": "media",
    },
    "tess": dict.fromkeys(
        ("YAF_pleasant_surprised/YAF_back_ps.wav", "OAF_angry/OAF_back_angry.wav"), "media"
    ),
    "urdu": dict.fromkeys(("Happy/SF1_F10_H010.wav", "Angry/SM1_F10_A010.wav"), "media"),
}


@pytest.fixture(params=corpora.names())
def planted(request, tmp_path) -> tuple[str, Path]:
    """A reader's name and a folder that it can read."""
    assert request.param in TREES, "Add a small tree for the new reader to TREES."
    root = tmp_path / "first"
    for name, content in TREES[request.param].items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return request.param, root


@pytest.mark.parametrize("name", corpora.names())
def test_states_license_citation_source_and_tree(name):
    reader = corpora.get(name)

    assert reader.name == name
    for entry in dataclasses.fields(reader.info):
        # Own clips have no address; most corpora have no further labels.
        if entry.name not in ("url", "general", "further_emotions"):
            assert getattr(reader.info, entry.name), f"{name} does not state its {entry.name}."
    assert reader.__doc__


def test_reads_its_tree(planted):
    name, root = planted

    corpus = open_corpus(root, name)

    assert corpus.name == name
    assert corpus.info is not None
    assert len(corpus) == 2
    for clip in corpus:
        assert clip.emotion in (None, *EMOTIONS, *corpus.info.further_emotions)
        assert clip.sex in (None, "female", "male")
        assert clip.video is not None or clip.audio is not None
        assert clip.performance


def test_clips_are_sorted_and_ids_are_unique(planted):
    name, root = planted

    ids = [clip.clip_id for clip in open_corpus(root, name)]

    assert ids == sorted(set(ids))


def test_ids_do_not_depend_on_the_folder(planted, tmp_path):
    name, root = planted
    shutil.copytree(root, tmp_path / "elsewhere" / "second")

    here = open_corpus(root, name)
    there = open_corpus(tmp_path / "elsewhere" / "second", name)

    def facts(corpus):
        return [
            dataclasses.replace(clip, video=None, audio=None, action_units=None) for clip in corpus
        ]

    assert facts(here) == facts(there)
    assert not any(
        str(tmp_path) in text for clip in here for text in (*clip.names, clip.performance)
    )


def test_is_guessed(planted):
    name, root = planted

    assert open_corpus(root).name == name


@pytest.mark.parametrize("name", [n for n in corpora.names() if corpora.get(n).path_pattern])
def test_names_of_other_corpora_do_not_fit(name):
    pattern = corpora.get(name).path_pattern

    others = [path for other in TREES if other != name for path in TREES[other]]

    assert [path for path in others if re.search(pattern, path)] == []


def test_empty_files_are_listed_and_the_rest_is_read(planted):
    name, root = planted
    suffixes = VIDEO_SUFFIXES | AUDIO_SUFFIXES | IMAGE_SUFFIXES
    last = max(path for path in root.rglob("*") if path.suffix.lower() in suffixes)
    last.write_bytes(b"")

    corpus = open_corpus(root, name)

    assert any(problem.path.endswith(last.name) for problem in corpus.problems)
    assert len(corpus) >= 1


@pytest.mark.parametrize("name", corpora.names())
def test_empty_and_missing_folders(name, tmp_path):
    with pytest.raises(CorpusError, match="does not exist"):
        open_corpus(tmp_path / "none", name)
    with pytest.raises(AverError) as caught:
        open_corpus(tmp_path, name)
    assert isinstance(caught.value, CorpusError | SettingsError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", corpora.names())
def test_unknown_setting(name, tmp_path):
    with pytest.raises(SettingsError, match=r"There is no setting '.*color'"):
        open_corpus(tmp_path, name, color="red")
