"""A corpus that taught a recogniser does not test it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aver.errors import SettingsError
from aver.pretraining.answer_corpus import check_unseen
from tone_corpus import write_tone_corpus


def test_what_taught_it_is_refused_by_its_label(tmp_path: Path) -> None:
    corpus = write_tone_corpus(tmp_path / "tones", speakers=2, takes=1)
    check_unseen(corpus, ("fer2013", "another folder"))
    with pytest.raises(SettingsError, match="never seen"):
        check_unseen(corpus, ("fer2013", corpus.label))
