"""Presets of the package, changes of their settings, and errors."""

from __future__ import annotations

import pytest

from aver.errors import SettingsError
from aver.models.base.presets import load_preset, preset_names
from aver.models.mrpn.recognizer import MRPN


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_makes_a_recognizer(name):
    model, settings = load_preset(name)
    assert isinstance(settings, model.settings_type)


def test_the_paper_preset_holds_the_papers_values():
    model, settings = load_preset("mrpn-paper")
    assert model is MRPN
    assert settings.network == "N2"
    for branch in (settings.branches["video"], settings.branches["audio"]):
        assert (branch.extractor, branch.width, branch.blocks) == ("resnet18", 64, 2)
        assert (branch.aggregator, branch.size) == ("lstm", 256)
    assert settings.training.learning_rate == 5e-5
    assert settings.training.schedule == "reduce-on-plateau"
    assert settings.training.lr_patience == 10
    assert settings.dropout == 0.3
    audio = model(settings, None).features["audio"]
    assert audio.shape == (256, 250)
    assert (audio.segment_s, audio.hop_s, audio.n_fft, audio.stft_hop) == (1.0, 0.2, 512, 64)


def test_changes_nested_dotted_and_as_text():
    changes = {"modalities": "audio,units", "training": {"epochs": 7}, "training.patience": "3"}
    settings = load_preset("mrpn-compact", changes)[1]
    assert settings.modalities == ("audio", "action_units")
    assert (settings.training.epochs, settings.training.patience) == (7, 3)
    unchanged = load_preset("mrpn-compact")[1]
    assert settings.branches == unchanged.branches


@pytest.mark.parametrize("size", ["compact", "paper"])
def test_presets_of_version_0_1_have_their_old_names(size):
    assert load_preset(f"snn-visual-{size}") == load_preset(f"snn-video-{size}")


def test_the_branch_that_was_renamed_has_its_old_name_too():
    old = {
        "modalities": "sound,voice",
        "branches.voice.size": 32,
        "branches": {"voice": {"rows": 8}},
    }
    new = {
        "modalities": "audio,audio_functionals",
        "branches.audio_functionals": {"size": 32, "rows": 8},
    }
    assert load_preset("mrpn-compact", old) == load_preset("mrpn-compact", new)
    with pytest.raises(SettingsError, match="voice"):
        load_preset("mrpn-statistics", {"modalities": "voice"})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trainin.epochs": 3}, "trainin"),
        ({"training.epoch": 3}, r"training\.epoch"),
        ({"training.epochs": "many"}, r"training\.epochs"),
        ({"modalities": "smell"}, "smell"),
        ({"branches.audio.extractor": "vgg"}, "vgg"),
    ],
)
def test_a_wrong_change_is_named(changes, words):
    with pytest.raises(SettingsError, match=words):
        load_preset("mrpn-compact", changes)


def test_unknown_and_invalid_presets_are_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"Known are: .*mrpn-compact"):
        load_preset("mrpn-tiny")
    path = tmp_path / "own.yaml"
    path.write_text("model: mrpn\n")
    with pytest.raises(SettingsError, match="keys"):
        load_preset(str(path))
    path.write_text("model: [mrpn\n")
    with pytest.raises(SettingsError, match="no valid YAML"):
        load_preset(str(path))
