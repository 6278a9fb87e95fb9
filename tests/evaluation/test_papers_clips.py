"""Each paper is reproduced on the clips that it uses, unless the user chooses others."""

from __future__ import annotations

from pathlib import Path

import pytest

from aver.cli.main import main
from aver.corpora import Clip, Corpus
from aver.corpora.ravdess import Ravdess
from aver.emotions import EMOTIONS
from aver.evaluation.reproduction import reproductions

SIX = ("happy", "sad", "angry", "fearful", "disgust", "surprised")


def ravdess() -> Corpus:
    """Speech and songs of two actors in all eight classes."""
    clips = tuple(
        Clip(f"{actor}-{channel}-{emotion}", actor, emotion, channel=channel)
        for actor in ("01", "02")
        for channel in ("speech", "song")
        for emotion in EMOTIONS
    )
    return Corpus("ravdess", Path("nowhere"), clips, info=Ravdess.info)


@pytest.mark.parametrize("name", ["snn-cross-modal", "synch-graph"])
def test_papers_1_and_2_take_six_classes_of_speech(name: str) -> None:
    chosen = reproductions.get(name).papers_clips(ravdess())
    assert chosen.classes == SIX
    assert {clip.channel for clip in chosen} == {"speech"}
    assert len(chosen) == 12


def test_mrpn_takes_eight_classes_of_speech() -> None:
    chosen = reproductions.get("mrpn").papers_clips(ravdess())
    assert chosen.classes == EMOTIONS
    assert {clip.channel for clip in chosen} == {"speech"}


def test_what_the_user_chooses_is_kept() -> None:
    kind = reproductions.get("synch-graph")
    assert kind.papers_clips(ravdess(), emotions=False).classes == EMOTIONS
    assert len(kind.papers_clips(ravdess(), emotions=False, channel=False)) == len(ravdess())


def test_a_corpus_that_no_paper_uses_is_used_whole() -> None:
    clips = (Clip("a", "s1", "neutral"), Clip("b", "s2", "happy"))
    corpus = Corpus("javanese-av", Path("nowhere"), clips)
    for name in reproductions.names():
        assert reproductions.get(name).papers_clips(corpus).clips == clips


def test_an_unknown_paper_is_told_before_its_preset(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "nonsense", "--corpus", "x", "--table", "1"]) == 2
    assert "nonsense-compact" not in capsys.readouterr().err
