"""A checkpoint contains the files that its features need, and no path of its machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from aver.errors import AverError, CheckpointError
from aver.models.base.checkpoint import (
    Checkpoint,
    find_checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from aver.models.base.recognizer import load_recognizer
from aver.networks.shipped import find_shipped


def facts_with(weights: str, model: str = "") -> dict[str, object]:
    crops = {"detector": "dlib", "face_model": model}
    feature = {"feature": "face-embeddings", "feature_settings": {"weights": weights}}
    return {
        "settings": {"branches": {"video": {**feature, "pretrained": "/srv/ann/start.pt"}}},
        "crops": [crops],
        "weights": "independent",
    }


def write(folder: Path, facts: dict[str, object]) -> dict[str, object]:
    array = {"w": np.ones(3, np.float32)}
    card = {"features": facts, "remarks": ["Read from /srv/ann/clips."]}
    write_checkpoint(folder, Checkpoint("mrpn", array, facts, card))
    return json.loads((folder / "recognizer.json").read_text())["facts"]


def test_files_are_copied_and_found_after_a_move(tmp_path: Path) -> None:
    own = tmp_path / "ann" / "faces"
    shutil.copytree(find_shipped("faces-fer2013", "extractor").folder, own)
    model = tmp_path / "ann" / "mmod.dat"
    model.write_bytes(b"detector")
    written = write(tmp_path / "run", facts_with(str(own), str(model)))
    moved = shutil.move(tmp_path / "run", tmp_path / "given away")
    content = (own / "weights.safetensors").read_bytes()
    shutil.rmtree(tmp_path / "ann")

    assert str(tmp_path) not in json.dumps(written)
    assert "/srv/ann" not in (Path(moved) / "recognizer.json").read_text()
    assert "/ann" not in (Path(moved) / "card.json").read_text()
    found = read_checkpoint(Path(moved)).facts
    weights = Path(found["settings"]["branches"]["video"]["feature_settings"]["weights"])
    assert weights.read_bytes() == content
    assert json.loads(weights.with_name("card.json").read_text())["network"]
    assert Path(found["crops"][0]["face_model"]).read_bytes() == b"detector"
    assert found["weights"] == "independent"


def test_a_checkpoint_read_and_written_again_keeps_its_files(tmp_path: Path) -> None:
    own = tmp_path / "own" / "faces.safetensors"
    own.parent.mkdir()
    own.write_bytes(b"weights")
    write(tmp_path / "one", facts_with(str(own)))
    again = read_checkpoint(tmp_path / "one")
    write_checkpoint(tmp_path / "two", again)
    shutil.rmtree(tmp_path / "one")
    found = read_checkpoint(tmp_path / "two").facts
    settings = found["settings"]["branches"]["video"]["feature_settings"]
    assert Path(settings["weights"]).read_bytes() == b"weights"


def test_a_run_folder_named_by_one_word_is_copied_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(find_shipped("faces-fer2013", "extractor").folder, "mine")
    shutil.copytree("mine", "independent")  # so is a setting of temporal aggregation named
    written = write(tmp_path / "run", facts_with("mine"))
    settings = written["settings"]["branches"]["video"]["feature_settings"]  # type: ignore[index]
    assert settings["weights"] == "files/mine/weights.safetensors"
    assert (tmp_path / "run" / settings["weights"]).is_file()


def test_shipped_weights_keep_their_name(tmp_path: Path) -> None:
    facts = facts_with("faces-fer2013")
    facts["settings"]["branches"]["video"]["pretrained"] = ""  # type: ignore[index]
    written = write(tmp_path / "run", facts)
    assert written == facts
    assert not (tmp_path / "run" / "files").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("classes", ["happy", {"sad": 1}]),
        ("classes", ["happy", "happy"]),
        ("prior", [0.5]),
        ("prior", [0.5, None]),
        ("settings", []),
    ],
)
def test_facts_of_the_wrong_kind_are_refused(name: str, value: object, tmp_path: Path) -> None:
    facts = {"settings": {}, "classes": ["happy", "sad"], "prior": [0.5, 0.5]}
    card = {"format": "of no interest here"}
    write_checkpoint(tmp_path, Checkpoint("majority", {}, facts, card))
    assert load_recognizer(tmp_path).classes == ("happy", "sad")

    write_checkpoint(tmp_path, Checkpoint("majority", {}, facts | {name: value}, card))
    with pytest.raises(CheckpointError, match="do not fit their own settings"):
        load_recognizer(tmp_path)


@pytest.mark.parametrize(("file", "key"), [("recognizer.json", "model"), ("card.json", "")])
def test_a_checkpoint_without_model_or_card(file: str, key: str, tmp_path: Path) -> None:
    write(tmp_path, {})
    path = tmp_path / file
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: 3} if key else []))

    with pytest.raises(CheckpointError, match="names no model or has no card"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("settings", "hidden"), 2_000_000_000),
        (("settings", "hidden"), 30_000),  # 4 GB of weights, if they were made
        (("settings", "branches", "audio", "size"), 2_000_000_000),
        (("settings", "training", "epochs"), -1),
        (("settings", "branches", "audio", "feature_settings", "rate_hz"), 1e9),
        (("shapes",), {"audio": [2_000_000]}),
    ],
)
def test_absurd_settings_of_somebody_elses_checkpoint_are_one_sentence(
    where: tuple[str, ...], value: object, tmp_path: Path
) -> None:
    source = Path(__file__).parents[2] / "fixtures" / "version_0_1" / "train" / "mrpn-N2"
    load_recognizer(find_checkpoint(source)).save(tmp_path)
    path = tmp_path / "recognizer.json"
    content = json.loads(path.read_text())
    place = content["facts"]
    for name in where[:-1]:
        place = place.setdefault(name, {})
    place[where[-1]] = value
    path.write_text(json.dumps(content))
    with pytest.raises(AverError) as caught:
        load_recognizer(tmp_path)
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)
