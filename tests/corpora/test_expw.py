"""ExpW, in its official layout and as a folder of crops."""

from __future__ import annotations

import numpy as np
import pytest

from aver.corpora import open_corpus
from aver.errors import CorpusError

LABELS = "amazed_boy_1.jpg 0 10 20 60 70 48.5 5\namazed_boy_1.jpg 1 5 80 40 99 12.1 6\n"


def test_faces_of_one_photograph_are_one_performance(tmp_path):
    (tmp_path / "label").mkdir()
    (tmp_path / "label" / "label.lst").write_text(LABELS)
    (tmp_path / "origin").mkdir()
    (tmp_path / "origin" / "amazed_boy_1.jpg").write_text("image")

    corpus = open_corpus(tmp_path)

    assert corpus.name == "expw"
    assert [(c.clip_id, c.emotion, c.face_box) for c in corpus] == [
        ("amazed_boy_1_0", "surprised", (20.0, 10.0, 60.0, 70.0)),  # columns: top before left
        ("amazed_boy_1_1", "neutral", (80.0, 5.0, 40.0, 99.0)),
    ]
    assert {c.performance for c in corpus} == {"amazed_boy_1"}


def test_a_line_of_other_columns_is_named(tmp_path):
    (tmp_path / "label.lst").write_text(LABELS + "amazed_girl_2.jpg 0 1 2 3\n")
    with pytest.raises(CorpusError, match="Line 3"):
        open_corpus(tmp_path)


def test_real_crops(data_root):
    corpus = open_corpus(data_root / "expw-train", "expw")

    assert len(corpus) == 3482
    assert len(corpus.classes) == 7
    sizes = np.array([(c.face_box[2] - c.face_box[0]) for c in corpus])
    assert (sizes > 0).all()
