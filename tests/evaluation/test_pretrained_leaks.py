"""Weights that met a test speaker before make a run LEAKS; others do not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aver.corpora.corpus import Corpus
from aver.evaluation.experiment import Experiment
from aver.models.presets import preset_names
from aver.splits import make_split
from tone_corpus import write_tone_corpus


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return write_tone_corpus(tmp_path / "tones", speakers=4, takes=1)


def _protocol(corpus: Corpus, folder: Path, card: dict[str, Any] | None) -> Experiment:
    folder.mkdir()
    (folder / "weights.safetensors").write_bytes(b"")
    if card is not None:
        (folder / "card.json").write_text(json.dumps(card))
    split = make_split(corpus, "leave-one-speaker-out")
    changes = {"modalities": ["sound"], "branches.sound.pretrained": str(folder)}
    return Experiment(corpus, split, "mrpn-compact", changes)


def test_met_speakers_leak_and_are_named(corpus: Corpus, tmp_path: Path) -> None:
    speaker = corpus.speakers[0]
    card = {"trained_on": [corpus.label], "speakers": {"train": [speaker], "test": ["other"]}}
    run = _protocol(corpus, tmp_path / "met", card)
    assert speaker in run.leaks[0]
    assert run.protocol.startswith("LEAKS")


@pytest.mark.parametrize("speakers", [None, "unknown"])
def test_weights_that_do_not_say_on_whom_may_leak(
    corpus: Corpus, tmp_path: Path, speakers: object
) -> None:
    run = _protocol(corpus, tmp_path / "mute", {"trained_on": [corpus.label], "speakers": speakers})
    assert "do not say on whom" in run.leaks[0]


@pytest.mark.parametrize(
    "card",
    [
        None,
        {"trained_on": ["another corpus"]},
        {"speakers": {"train": ["a stranger"], "test": []}},
    ],
)
def test_strangers_do_not_leak(corpus: Corpus, tmp_path: Path, card: dict[str, Any] | None) -> None:
    if card is not None:
        card = {"trained_on": [corpus.label], **card}
    assert _protocol(corpus, tmp_path / "strangers", card).leaks == ()


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_can_be_asked(corpus: Corpus, preset: str) -> None:
    split = make_split(corpus, "leave-one-speaker-out")
    assert Experiment(corpus, split, preset).leaks == ()


def test_weights_of_a_feature_are_seen(corpus: Corpus, tmp_path: Path) -> None:
    speaker = corpus.speakers[0]
    card = {"trained_on": [corpus.label], "speakers": {"train": [speaker]}}
    run = _protocol(corpus, tmp_path / "met", card)
    changes = {"branches.video.feature_settings.weights": str(tmp_path / "met")}
    assert speaker in replace(run, preset="mrpn-faces", overrides=changes).leaks[0]
