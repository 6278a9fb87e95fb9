"""Pretrained extractors: loaded by name, frozen at first, then trained at their own rate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from planted_source import PlantedSource, planted_clips
from safetensors.torch import load_file

from aver.cli.main import main
from aver.errors import CheckpointError, SettingsError, TrainingInterrupted
from aver.models.base.presets import load_preset, start_from
from aver.models.mrpn.network import Branch
from aver.models.mrpn.recognizer import MRPN, MRPNSettings
from aver.models.mrpn.settings import BranchSettings
from aver.networks.pretrained import write_weights
from aver.networks.resnet import ResNet18
from aver.training.settings import TrainingSettings
from stopped_training import stopped_after_one_epoch
from tone_corpus import write_tone_corpus

CLIPS = planted_clips(speakers=4, takes=1)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """What `aver pretrain visual` leaves, so far as a recognizer reads it."""
    torch.manual_seed(1)
    write_weights(tmp_path / "weights.safetensors", ResNet18(1, 4, 1, "3x3").state_dict())
    card = {"network": {"width": 4, "blocks": 1, "stem": "3x3"}, "input": {"size_px": 16}}
    (tmp_path / "card.json").write_text(json.dumps(card))
    return tmp_path


def _recognizer(run: Path, epochs: int, frozen: int, rate: float = 1.0) -> MRPN:
    branch = BranchSettings(
        feature="face-crops", feature_settings={"size_px": 16},
        width=4, blocks=1, stem="3x3", gray=True,
        standardize="clip", aggregator="mean", pretrained=str(run), frozen_epochs=frozen,
        pretrained_rate=rate,
    )  # fmt: skip
    training = TrainingSettings(epochs=epochs, patience=9, learning_rate=1e-2, keep="last")
    settings = MRPNSettings(
        modalities=("video",), branches={"video": branch}, hidden=8, training=training
    )
    return MRPN(settings, PlantedSource())


def test_a_frozen_extractor_keeps_its_weights_until_it_is_unfrozen(run: Path) -> None:
    start = ResNet18(1, 4, 1, "3x3").state_dict()
    frozen = _recognizer(run, epochs=2, frozen=2).fit(CLIPS[:8], CLIPS[8:])
    assert frozen.network is not None
    kept = frozen.network.branches["video"].extractor.state_dict()
    start = load_file(run / "weights.safetensors")
    for name, value in start.items():
        torch.testing.assert_close(kept[name], value, rtol=0, atol=0)  # batch norms too
    thawed = _recognizer(run, epochs=2, frozen=1).fit(CLIPS[:8], CLIPS[8:])
    assert thawed.network is not None
    changed = thawed.network.branches["video"].extractor.state_dict()
    assert not torch.equal(changed["conv1.weight"], start["conv1.weight"])
    assert not torch.equal(changed["bn1.running_mean"], start["bn1.running_mean"])


def test_a_training_resumed_while_frozen_equals_an_uninterrupted_one(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def weights(folder: str) -> dict[str, torch.Tensor]:
        recognizer = _recognizer(run, epochs=4, frozen=2, rate=0.1)
        recognizer.fit(CLIPS[:8], CLIPS[8:], run_folder=tmp_path / folder)
        assert recognizer.network is not None
        return recognizer.network.state_dict()

    whole = weights("whole")
    with stopped_after_one_epoch(monkeypatch), pytest.raises(TrainingInterrupted):
        weights("broken")
    for name, value in weights("broken").items():
        torch.testing.assert_close(value, whole[name], rtol=0, atol=0)
    start = load_file(run / "weights.safetensors")["conv1.weight"]
    assert not torch.equal(whole["branches.video.extractor.conv1.weight"], start)


def test_the_pretrained_extractor_has_its_own_learning_rate(run: Path) -> None:
    recognizer = _recognizer(run, epochs=1, frozen=0, rate=0.1)
    groups = recognizer.task(CLIPS[:8], CLIPS[8:], seed=0).parameter_groups()
    task = recognizer.task(CLIPS[:8], CLIPS[8:], seed=0)
    extractor = task.network.branches["video"].extractor
    assert [group.rate_factor for group in groups] == [1.0, 0.1]
    slow = task.parameter_groups()[1].parameters
    assert {id(p) for p in slow} == {id(p) for p in extractor.parameters()}
    everything = sum(len(group.parameters) for group in task.parameter_groups())
    assert everything == len(list(task.network.parameters()))


def test_one_step_changes_the_pretrained_extractor_by_its_share_of_a_step(run: Path) -> None:
    start = load_file(run / "weights.safetensors")

    def moved(rate: float) -> dict[str, torch.Tensor]:
        recognizer = _recognizer(run, epochs=1, frozen=0, rate=rate)
        step = replace(recognizer.settings.training, optimizer="sgd", batch_size=8)
        recognizer = MRPN(replace(recognizer.settings, training=step), recognizer.store)
        network = recognizer.fit(CLIPS[:8], CLIPS[8:]).network
        assert network is not None
        branch = network.branches["video"]
        weights = branch.extractor.state_dict()
        found = {name: weights[name] - start[name] for name in ("conv1.weight", "bn1.weight")}
        return found | {"norm": branch.norm.state_dict()["weight"] - 1}

    whole, tenth = moved(1.0), moved(0.1)
    for name, value in whole.items():
        assert value.abs().max() > 1e-4
        share = 1.0 if name == "norm" else 0.1  # what is not pretrained goes the whole way
        torch.testing.assert_close(tenth[name], share * value, rtol=1e-2, atol=1e-6)


def test_settings_follow_the_card(run: Path) -> None:
    overrides = start_from("mrpn-compact", {"network": "N1"}, {"video": str(run)})
    _, settings = load_preset("mrpn-compact", overrides)
    branch = settings.branches["video"]
    assert (branch.extractor, branch.width, branch.stem) == ("resnet18", 4, "3x3")
    assert branch.feature_settings["size_px"] == 16
    assert (branch.frozen_epochs, branch.pretrained_rate) == (3, 0.1)
    assert settings.network == "N1"
    network = MRPN(
        replace(settings, modalities=("video",)), PlantedSource()
    ).task(CLIPS[:8], CLIPS[8:], seed=0).network  # fmt: skip
    assert network.branches["video"].extractor.conv1.weight.shape == (4, 1, 3, 3)


def test_weights_for_color_images_are_not_used_for_audio_with_coordinates(tmp_path: Path) -> None:
    """Spectrograms with two channels of places have three channels, as color pictures have."""
    file = tmp_path / "color.pth"
    torch.manual_seed(4)
    torch.save(ResNet18(3, 8, 1).state_dict(), file)
    _, before = load_preset("mrpn-compact")
    assert before.branches["audio"].coord_conv
    _, settings = load_preset("mrpn-compact", start_from("mrpn-compact", {}, {"audio": str(file)}))
    branch = Branch(settings.branches["audio"], (1, 64, 50), 0.0)
    branch.load_pretrained(str(file))
    wanted = torch.load(file)["conv1.weight"].sum(dim=1, keepdim=True)
    torch.testing.assert_close(branch.extractor.conv1.weight.detach(), wanted)


@pytest.mark.parametrize(
    ("preset", "sense", "part"),
    [
        ("mrpn-compact", "video", "branches.video"),
        ("temporal-aggregation-compact", "audio", "branches.audio"),
    ],
)
def test_weights_of_another_shape_name_the_settings_that_fit(
    preset: str, sense: str, part: str, tmp_path: Path
) -> None:
    file = tmp_path / "thin.pth"
    torch.save(ResNet18(3, 5, 1, "3x3").state_dict(), file)
    with pytest.raises(CheckpointError, match=f"do not fit {part}, which has .*width") as error:
        start_from(preset, {}, {sense: str(file)})
    told = str(error.value).partition("--set ")[2].partition(",")[0]
    changes = dict(word.split("=") for word in told.split())
    found = start_from(preset, {**changes, f"{part}.blocks": 1}, {sense: str(file)})
    assert found[f"{part}.pretrained"] == str(file)
    _, settings = load_preset(preset, found)
    section, name = part.split(".")
    read = getattr(settings, section)[name]
    assert (read.width, read.blocks, read.stem) == (5, 1, "3x3")
    torch.save({"fc.weight": torch.zeros(2, 2)}, file)
    with pytest.raises(CheckpointError, match="no ResNet with torchvision's names"):
        start_from(preset, {}, {sense: str(file)})


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("video", "at most once"),
        ("video=a,video=b", "at most once"),
        ("video=", "needs a name"),
        ("video=faces-voices", "whole recognizer"),
        ("video=007", "no pretrained weights at 007"),
    ],
)
def test_invalid_values_of_init_are_refused(typed: str, words: str, capsys, tmp_path: Path) -> None:
    write_tone_corpus(tmp_path / "tones", speakers=3, takes=1)
    line = ["train", "--corpus", str(tmp_path / "tones"), "--init", typed, "--reader", "manifest",
            "--corpus-settings", "pattern={speaker}_{emotion}_{take}.wav", "--split",
            "leave-one-speaker-out", "--out", str(tmp_path / "run")]  # fmt: skip
    assert main(line) == 2
    assert words in capsys.readouterr().err


def test_user_settings_win_and_embeddings_change_their_network(run: Path) -> None:
    key = "branches.video.frozen_epochs"
    assert start_from("mrpn-compact", {key: 7}, {"video": str(run)})[key] == 7
    found = start_from("mrpn-faces", {}, {"video": str(run)})
    assert found == {"branches.video.feature_settings.weights": str(run)}


@pytest.fixture
def heard(tmp_path: Path) -> Path:
    """What `aver pretrain voice` leaves, so far as a recognizer reads it."""
    folder = tmp_path / "voices"
    torch.manual_seed(2)
    write_weights(folder / "weights.safetensors", ResNet18(1, 4, 1, "3x3").state_dict())
    spectrogram = {"segment_s": 1.0, "column_count": 10, "band_count": 12}
    card = {
        "network": {"width": 4, "blocks": 1, "stem": "3x3"},
        "input": {"feature_settings": spectrogram, "standardized": "bands"},
    }
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def test_temporal_aggregation_starts_from_video_and_audio_weights(run: Path, heard: Path) -> None:
    preset = "temporal-aggregation-compact"
    overrides = start_from(
        preset, {"segments": 2, "window_s": 1.5}, {"video": str(run), "audio": str(heard)}
    )
    kind, settings = load_preset(preset, overrides)
    assert (settings.band_count, settings.column_count) == (12, 15)
    assert (settings.standardize_audio, settings.images["size_px"]) == ("bands", 16)
    recognizer = kind(settings, PlantedSource())
    task = recognizer.task(CLIPS[:8], CLIPS[8:], seed=0)
    for segment in task.network.networks:
        for name, folder in (("video", run), ("audio", heard)):
            wanted = load_file(folder / "weights.safetensors")
            found = segment.branches[name].extractor.state_dict()
            for key, value in wanted.items():
                torch.testing.assert_close(found[key], value, rtol=0, atol=0)
    assert {group.rate_factor for group in task.parameter_groups()} == {1.0, 0.1}
    task.begin_epoch(0)
    network = task.network.train()
    resnet = network.networks[0].branches["video"].extractor
    assert not resnet.training
    assert not any(p.requires_grad for p in resnet.parameters())
    task.begin_epoch(3)
    assert resnet.training
    assert all(p.requires_grad for p in resnet.parameters())


def test_embeddings_of_temporal_aggregation_change_their_network(run: Path) -> None:
    found = start_from("temporal-aggregation-faces", {}, {"video": str(run)})
    assert found == {"images.weights": str(run)}
    with pytest.raises(SettingsError, match="no branch"):
        start_from("temporal-aggregation-faces", {"modalities": ["audio"]}, {"video": str(run)})


@pytest.mark.parametrize(
    ("preset", "weights", "error", "words"),
    [
        ("mrpn-compact", {"smell": "x"}, SettingsError, "'smell' cannot start"),
        ("mrpn-statistics", {"video": "x"}, SettingsError, "no branch that could start"),
        ("temporal-aggregation-compact", {"video": "x"}, CheckpointError, "no pretrained weights"),
        ("statistics-logistic", {"video": "x"}, SettingsError, "no branch"),
        ("mrpn-compact", {"video": "nowhere"}, CheckpointError, "no pretrained weights at"),
    ],
)
def test_presets_that_cannot_start_from_weights_give_the_reason(
    preset: str, weights: dict[str, str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        start_from(preset, {}, weights)


def test_freezing_without_weights_is_an_error() -> None:
    with pytest.raises(SettingsError, match="--init"):
        BranchSettings(feature="face-crops", frozen_epochs=2)
