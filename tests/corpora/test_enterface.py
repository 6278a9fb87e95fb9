"""eNTERFACE'05: irregular folders."""

from __future__ import annotations

import pytest

from aver.corpora import open_corpus
from aver.corpora.enterface import Enterface
from aver.errors import CorpusError, LabelError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("subject 1/anger/sentence 1/s1_an_1.avi", ("01", "angry", "1")),
        ("subject 6/disgust/s6_di_4.avi", ("06", "disgust", "4")),
        ("subject 3/fear/sentence 2/s_3_fe_2.avi", ("03", "fearful", "2")),
        ("subject 16/fear/sentence 3/s16_fe_3avi.avi", ("16", "fearful", "3")),
        ("enterface database/subject 44/sadness/sentence 5/s44_sa_5.avi", ("44", "sad", "5")),
        ("subject-12/surprise/sentence-1/video.avi", ("12", "surprised", "1")),
        ("s7_ha_5.avi", ("07", "happy", "5")),
    ],
)
def test_folders_and_names(plant, name, expected):
    (clip,) = open_corpus(plant([name]), "enterface")

    assert (clip.speaker, clip.emotion, clip.sentence) == expected
    assert clip.clip_id == "s{}-{}-{}".format(*expected)
    assert clip.video == clip.audio


def test_the_whole_tree_less_two(plant):
    words = {"anger": "an", "disgust": "di", "fear": "fe", "happiness": "ha", "sadness": "sa"}
    words["surprise"] = "su"
    names = [
        f"subject {subject}/{word}/"
        + ("" if subject == 6 else f"sentence {sentence}/")
        + f"s{subject}_{code}_{sentence}.avi"
        for subject in range(1, 45)
        for word, code in words.items()
        for sentence in range(1, 6)
    ]
    root = plant(names[:100] + names[102:])

    corpus = open_corpus(root)

    assert corpus.name == "enterface"
    assert len(corpus) == 44 * 30 - 2
    assert len(corpus.speakers) == 44
    assert not corpus.problems
    assert Enterface().missing(corpus) == ("s04-fearful-1", "s04-fearful-2")


def test_contradiction_and_second_file_are_problems(plant):
    root = plant(
        [
            "subject 1/anger/sentence 1/s1_an_1.avi",
            "subject 1/anger/sentence 2/s1_fe_2.avi",
            "subject 1/anger/sentence 1/s1_an_1 copy.avi",
            "intro.avi",
        ]
    )

    corpus = open_corpus(root)

    assert len(corpus) == 1
    assert {problem.path for problem in corpus.problems} == {
        "subject 1/anger/sentence 2/s1_fe_2.avi",
        # sorted before the original: a space comes before a dot
        "subject 1/anger/sentence 1/s1_an_1.avi",
        "intro.avi",
    }


def test_unknown_emotion_names_the_file(plant):
    with pytest.raises(LabelError, match=r"subject 1/boredom/sentence 1/s1\.avi"):
        open_corpus(plant(["subject 1/boredom/sentence 1/s1.avi"]), "enterface")


def test_empty(tmp_path):
    with pytest.raises(CorpusError, match="subject 1/anger"):
        open_corpus(tmp_path, "enterface")
