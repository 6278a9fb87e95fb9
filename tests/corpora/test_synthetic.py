"""The synthetic corpus."""

from __future__ import annotations

import pytest

from aver.corpora import open_corpus
from aver.errors import CorpusError, LabelError

HEADER = "clip_id,speaker,sex,emotion,intensity,sentence,take,file,action_units\n"


@pytest.mark.parametrize("column", ["action_units", "units"])
def test_clips_of_today_and_of_version_0_1(plant, column):
    plant(["media/a.mp4", "units/a.csv"])
    plant(["synthesis.json"], b"{}")
    rows = (
        "s1-sad-1,s1,female,sad,strong,q,1,media/a.mp4,units/a.csv\n"
        "s1-sad-2,s1,female,sad,,,,b.mp4,\n"
    )
    root = plant(["clips.csv"], (HEADER.replace("action_units", column) + rows).encode())

    corpus = open_corpus(root)

    (clip,) = corpus
    assert corpus.name == "synthetic"
    assert (clip.clip_id, clip.speaker, clip.sex, clip.emotion) == (
        "s1-sad-1",
        "s1",
        "female",
        "sad",
    )
    assert (clip.intensity, clip.sentence, clip.take) == ("strong", "q", "1")
    assert clip.video == clip.audio == root / "media/a.mp4"
    assert clip.action_units == root / "units/a.csv"
    assert [problem.path for problem in corpus.problems] == ["b.mp4"]


def test_what_the_synthesis_writes_is_read(tmp_path):
    synthesize = pytest.importorskip("aver.synthesis.corpus")
    settings = pytest.importorskip("aver.synthesis.settings")
    folder = synthesize.synthesize(
        tmp_path / "made",
        settings.SynthesisSettings(speakers=2, emotions=("happy", "sad"), sentences=1, takes=1),
    )

    corpus = open_corpus(folder)

    assert corpus.name == "synthetic"
    assert corpus.classes == ("happy", "sad")
    assert len(corpus) == 4
    assert not corpus.problems
    assert all(clip.action_units is not None and clip.action_units.is_file() for clip in corpus)


def test_unknown_label_and_missing_table(plant, tmp_path):
    plant(["a.mp4"])
    plant(["synthesis.json"], b"{}")
    with pytest.raises(CorpusError, match="synthesize"):
        open_corpus(tmp_path)
    plant(["clips.csv"], (HEADER + "c,s,female,bored,,,,a.mp4,\n").encode())
    with pytest.raises(LabelError, match="line 2"):
        open_corpus(tmp_path)
    plant(["clips.csv"], b"clip_id,speaker\n")
    with pytest.raises(CorpusError, match="no column 'sex'"):
        open_corpus(tmp_path)
