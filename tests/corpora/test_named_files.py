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
