"""Weights that were pretrained on a test speaker make a run LEAKS; others do not."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from aver.audit.audit_run import audit_run
from aver.corpora.corpus import Corpus
from aver.errors import CheckpointError
from aver.evaluation.experiment import Experiment, run_experiment
from aver.evaluation.pretrained_leaks import describe_weights
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset, preset_names, start_from
from aver.networks.resnet import ResNet18
from aver.networks.shipped import weights_root
from aver.reports.run_summary import verdict_in_words
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
    changes = {"modalities": ["audio"], "branches.audio.pretrained": str(folder)}
    return Experiment(corpus, split, "mrpn-compact", changes)


def test_test_speakers_in_the_pretraining_data_are_named(corpus: Corpus, tmp_path: Path) -> None:
    speaker = corpus.speakers[0]
    card = {"trained_on": [corpus.label], "speakers": {"train": [speaker], "test": ["other"]}}
    run = _protocol(corpus, tmp_path / "met", card)
    assert speaker in run.leaks[0]
    assert run.protocol.startswith("LEAKS")


@pytest.mark.parametrize("speakers", [None, "unknown"])
def test_weights_whose_card_names_no_speakers_may_leak(
    corpus: Corpus, tmp_path: Path, speakers: object
) -> None:
    run = _protocol(corpus, tmp_path / "mute", {"trained_on": [corpus.label], "speakers": speakers})
    assert "does not name the speakers" in run.leaks[0]


@pytest.mark.parametrize(
    "card",
    [
        None,
        {"trained_on": ["another corpus"]},
        {"speakers": {"train": ["a stranger"], "test": []}},
    ],
)
def test_other_speakers_do_not_leak(
    corpus: Corpus, tmp_path: Path, card: dict[str, Any] | None
) -> None:
    if card is not None:
        card = {"trained_on": [corpus.label], **card}
    assert _protocol(corpus, tmp_path / "strangers", card).leaks == ()


# Encoders of the hub must be on this machine to be checked: see tests/models/test_foundation.py.
PRESETS = [name for name in preset_names() if not name.endswith("-foundation")]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_be_checked(corpus: Corpus, preset: str) -> None:
    split = make_split(corpus, "leave-one-speaker-out")
    assert Experiment(corpus, split, preset).leaks == ()


def test_weights_of_a_feature_are_checked(corpus: Corpus, tmp_path: Path) -> None:
    speaker = corpus.speakers[0]
    card = {"trained_on": [corpus.label], "speakers": {"train": [speaker]}}
    run = _protocol(corpus, tmp_path / "met", card)
    changes = {"branches.video.feature_settings.weights": str(tmp_path / "met")}
    assert speaker in replace(run, preset="mrpn-faces", overrides=changes).leaks[0]


def test_weights_of_the_members_of_a_late_fusion_are_checked(
    corpus: Corpus, tmp_path: Path
) -> None:
    speaker = corpus.speakers[0]
    card = {"trained_on": [corpus.label], "speakers": {"train": [speaker]}}
    run = _protocol(corpus, tmp_path / "met", card)
    changes = {
        "preset": "mrpn-compact",
        "overrides": {"branches.audio.pretrained": str(tmp_path / "met")},
    }
    assert speaker in replace(run, preset="late-fusion", overrides=changes).leaks[0]
    alone = {**changes, "modalities": ["video"]}  # the voice network has no member to serve
    assert replace(run, preset="late-fusion", overrides=alone).leaks == ()


@pytest.mark.parametrize("preset", ["mrpn-faces", "temporal-aggregation-faces"])
def test_weights_of_a_modality_that_is_not_used_are_not_listed(tmp_path: Path, preset: str) -> None:
    kind, both = load_preset(preset)
    store = FeatureStore(tmp_path)
    (found,) = describe_weights(kind(both, store).pretrained_weights)
    content = (weights_root() / "faces-fer2013" / "weights.safetensors").read_bytes()
    assert (found["weights"], found["trained_on"]) == ("faces-fer2013", ["fer2013"])
    assert found["sha256"] == hashlib.sha256(content).hexdigest()[:16]
    _, audio = load_preset(preset, {"modalities": ["audio"]})
    assert kind(audio, store).pretrained_weights == ()


def test_an_unreadable_card_is_an_error(corpus: Corpus, tmp_path: Path) -> None:
    run = _protocol(corpus, tmp_path / "torn", None)
    (tmp_path / "torn" / "card.json").write_text("{")
    with pytest.raises(CheckpointError, match="were pretrained on are unknown"):
        _ = run.leaks


def test_record_card_and_report_name_the_weights(corpus: Corpus, tmp_path: Path) -> None:
    torch.manual_seed(0)
    own = tmp_path / "resnet-of-mine.pth"
    torch.save(ResNet18(1, 2, 1).state_dict(), own)
    changes = start_from(
        "mrpn-compact",
        {"modalities": ["audio"], "branches.audio.width": 2, "hidden": 4, "training.epochs": 1,
         "branches.audio.aggregator": "mean", "branches.audio.frames": 1},
        {"audio": str(own)},
    )  # fmt: skip
    fold = make_split(corpus, "leave-one-speaker-out").folds[:1]
    split = replace(make_split(corpus, "leave-one-speaker-out"), folds=fold)
    experiment = Experiment(corpus, split, "mrpn-compact", changes)
    result = run_experiment(experiment, tmp_path / "run", store=FeatureStore(tmp_path / "cache"))
    (named,) = result.evaluation.facts["pretrained"]
    assert (named["weights"], named["trained_on"]) == (str(own), None)
    card = tmp_path / "run/folds/seed-0/fold-00/checkpoint/card.json"
    (told,) = json.loads(card.read_text())["pretrained"]
    assert (told["weights"], told["sha256"]) == (own.name, named["sha256"])
    (sentence,) = [s for s in verdict_in_words(result.evaluation) if "pretrained" in s]
    assert "resnet-of-mine.pth, whose training data are not stated" in sentence
    assert str(tmp_path) not in sentence


def test_the_audit_of_a_run_reports_leaks_through_weights(corpus: Corpus, tmp_path: Path) -> None:
    card = {"trained_on": [corpus.label], "speakers": {"train": list(corpus.speakers)}}
    run = _protocol(corpus, tmp_path / "met", card)
    torch.manual_seed(0)
    torch.save(ResNet18(1, 2, 1).state_dict(), tmp_path / "met" / "weights.pt")
    changes = {
        "modalities": ["audio"], "branches.audio.width": 2, "hidden": 4, "training.epochs": 1,
        "branches.audio.aggregator": "mean", "branches.audio.frames": 1,
        "branches.audio.coord_conv": False,
        "branches.audio.pretrained": str(tmp_path / "met" / "weights.pt"),
    }  # fmt: skip
    split = replace(run.split, folds=run.split.folds[:1])
    run = replace(run, overrides=changes, split=split)
    store = FeatureStore(tmp_path / "cache")
    result = run_experiment(run, tmp_path / "run", store=store)
    assert result.evaluation.protocol.startswith("LEAKS")
    (found,) = [f for f in audit_run(tmp_path / "run").findings if f.kind == "leaking-protocol"]
    assert "were pretrained on 1 of the test speakers" in found.subjects[0]
