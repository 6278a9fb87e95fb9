"""Shipped weights: small, complete, described on a card, and refused if they were changed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from aver.errors import CheckpointError, SettingsError
from aver.models.base.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from aver.networks import shipped
from aver.networks.face_network import face_network
from aver.networks.pretrained import find_weights, load_pretrained, write_weights
from aver.networks.resnet import ResNet18
from aver.networks.shipped import find_shipped, shipped_weights
from aver.pretraining.ship import ship_extractor, ship_recognizer


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of weights in place of that of the package."""
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "index.json").write_text("{}")
    monkeypatch.setattr(shipped, "weights_root", lambda: folder)
    return folder


def _run(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    write_weights(folder / "weights.safetensors", ResNet18(1, 8, 1).state_dict())
    (folder / "card.json").write_text(json.dumps({"metrics": {"test": 0.5}, "command": "mine"}))
    return folder


def test_shipped_weights_are_small_complete_and_described() -> None:
    found = shipped_weights()
    assert sum(one.size_bytes for one in found) <= 16e6
    assert {one.name for one in found} >= {"faces-fer2013", "faces-voices", "faces-voices-adapted"}
    for one in found:
        assert one.checked() == one.folder
        assert one.card["license"] == "research, non-commercial"
        assert one.card["trained_on"]
        assert set(one.card["trained_on"]) <= {"fer2013", "expw", "ravdess", "nemo"}
        assert one.card["version"]
        assert one.card["speakers"]
        assert one.card.get("split_hash") or one.card["split"]["hash"]
        assert "command" not in one.card


def _figures(metrics: dict) -> list[dict]:
    """Every mapping in the metrics that contains an accuracy."""
    found = [one for one in metrics.values() if isinstance(one, dict)]
    shares = [one for one in found if {"accuracy", "value"} & set(one)]
    return shares + [share for one in found for share in _figures(one)]


def test_figures_on_the_cards_have_intervals() -> None:
    for one in shipped_weights():
        shares = _figures(one.card["metrics"])
        assert shares, one.name
        for share in shares:
            value = share.get("accuracy", share.get("value"))
            assert 0 < share["low"] < value < share["high"] < 1
        if one.kind == "recognizer":
            fusion = one.card["fusion"]
            assert not {*one.card["metrics"], fusion["chosen_on"]} & {*one.card["trained_on"]}
            assert fusion["speakers"]
            assert ("uses unlabeled clips" in str(one.card["metrics"])) == ("adapt" in one.card)


def test_an_extractor_ships_in_half_precision_and_loads_by_name(root: Path, tmp_path: Path) -> None:
    run = _run(tmp_path)
    folder = ship_extractor(run, "mine", "Of a test", root)
    before, after = (load_file(place / "weights.safetensors") for place in (run, folder))
    for name, value in before.items():
        assert after[name].dtype == (torch.float16 if value.is_floating_point() else value.dtype)
        torch.testing.assert_close(after[name].to(value.dtype), value, rtol=1e-3, atol=1e-4)
    network = ResNet18(1, 8, 1)
    load_pretrained(network, find_weights("mine"))
    assert network.conv1.weight.dtype == torch.float32
    torch.testing.assert_close(
        network.conv1.weight.detach(), before["conv1.weight"], rtol=1e-3, atol=1e-4
    )
    assert find_shipped("mine", "extractor").summary == "Of a test"


def test_a_changed_file_is_refused(root: Path, tmp_path: Path) -> None:
    folder = ship_extractor(_run(tmp_path), "mine", "Of a test", root)
    content = bytearray((folder / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"weights\.safetensors is missing or was changed"):
        find_weights("mine")


def test_scalers_of_a_recognizer_keep_their_precision(root: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weights = {"mean": rng.normal(1e4, 1, 20), "large": rng.normal(0, 1, (64, 64))}
    write_checkpoint(tmp_path / "c", Checkpoint("majority", weights, {}, {"trained_on": ["x"]}))
    folder = ship_recognizer(tmp_path / "c", "predictions", "Of a test", root)
    after = read_checkpoint(folder).weights
    np.testing.assert_array_equal(after["mean"], weights["mean"])
    assert after["large"].dtype == np.float16
    assert set(find_shipped("predictions", "recognizer").hashes) == {
        "card.json", "recognizer.json", "weights.safetensors",
    }  # fmt: skip


def test_only_weights_are_replaced(tmp_path: Path) -> None:
    """A run next to the folder of weights, or one level up, must not be deleted."""
    run = _run(tmp_path / "faces")
    with pytest.raises(CheckpointError, match="not among the weights"):
        ship_extractor(run, "faces", "Of a test", tmp_path)
    with pytest.raises(SettingsError, match="cannot be named"):
        ship_extractor(run, "../faces", "Of a test", tmp_path / "weights")
    assert (run / "weights.safetensors").is_file()
    assert not (tmp_path / "index.json").exists()


def test_weights_are_replaced_atomically(root: Path, tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    folder = ship_extractor(run, "mine", "First", root)
    ship_extractor(run, "mine", "Second", root)
    (run / "weights.safetensors").write_bytes(b"torn")
    with pytest.raises(Exception, match="header"):
        ship_extractor(run, "mine", "Third", root)
    assert find_shipped("mine", "extractor").summary == "Second"
    assert find_shipped("mine", "extractor").checked() == folder
    assert sorted(path.name for path in root.iterdir()) == ["index.json", "mine"]


def test_the_index_is_read_once_until_it_changes(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship_extractor(_run(tmp_path), "mine", "Of a test", root)
    reads = []
    read_text = Path.read_text
    monkeypatch.setattr(
        Path, "read_text", lambda path, *a, **k: reads.append(path) or read_text(path, *a, **k)
    )
    for _ in range(3):
        find_shipped("mine", "extractor")
    assert reads.count(root / "index.json") == 1
    index = json.loads((root / "index.json").read_text())
    (root / "index.json").write_text(json.dumps(index | {"yours": index["mine"]}))
    assert find_shipped("yours", "extractor").name == "yours"


def test_an_unknown_name_lists_the_names(root: Path, tmp_path: Path) -> None:
    ship_extractor(_run(tmp_path), "mine", "Of a test", root)
    with pytest.raises(CheckpointError, match="Known are: mine"):
        find_shipped("yours", "extractor")


def test_a_retrained_face_network_is_read_again(tmp_path: Path) -> None:
    card = {"network": {"width": 4, "blocks": 1, "stem": "3x3"}, "input": {"size_px": 16}}
    (tmp_path / "card.json").write_text(json.dumps(card))
    place = tmp_path / "weights.safetensors"
    images = np.random.default_rng(0).integers(0, 255, (2, 16, 16)).astype(np.uint8)
    found = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        write_weights(place, ResNet18(1, 4, 1, "3x3").state_dict())
        found.append(face_network(place).embed(images))
    assert face_network(place) is face_network(place)
    assert not np.allclose(found[0], found[1])
