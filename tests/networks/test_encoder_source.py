"""Where encoders are found, how they are identified, and what is said if they are not there."""

from __future__ import annotations

import json
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from aver.errors import CheckpointError, SettingsError
from aver.networks.encoder_source import EncoderSource, encoder_files, encoder_hash
from aver.networks.pretrained import find_weights

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed: make test-extras")
pytest.importorskip("transformers", reason="transformers is not installed: make test-extras")

from tiny_encoders import save_audio_encoder

pytestmark = pytest.mark.extras

NAME, COMMIT = "someone/speech", "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_audio_encoder(tmp_path_factory.mktemp("models") / "speech")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("AVER_MODELS", raising=False)


@pytest.fixture
def hub(tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache with one model, as `hf download` lays it, and no way to the network."""
    from huggingface_hub import constants

    root = tmp_path / "hub"
    model = root / "models--someone--speech"
    shutil.copytree(encoder, model / "snapshots" / COMMIT)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(root))

    def refuse(*_: object, **__: object) -> None:
        raise OSError("the network is not for tests")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    from aver.networks import encoder_source

    encoder_source._hub_folder.cache_clear()
    return root


def test_a_folder_is_found_by_path_and_in_the_folder_of_models(
    encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert EncoderSource(str(encoder)).folder() == encoder
    monkeypatch.chdir(encoder.parent)
    assert EncoderSource("speech").folder().resolve() == encoder
    monkeypatch.chdir("/")
    monkeypatch.setenv("AVER_MODELS", str(encoder.parent))
    assert EncoderSource("speech").folder() == encoder
    assert EncoderSource("speech").reference == str(encoder)


def test_the_hash_is_of_content_and_not_of_the_place(encoder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(encoder, copy)
    first = encoder_hash(encoder_files(encoder))
    assert encoder_hash(encoder_files(copy)) == first
    (copy / "README.md").write_text("not of the network")
    assert encoder_hash(encoder_files(copy)) == first
    for name in ("preprocessor_config.json", "config.json", "model.safetensors"):
        before = (copy / name).read_bytes()
        (copy / name).write_bytes(before + b" ")
        assert encoder_hash(encoder_files(copy)) != first
        (copy / name).write_bytes(before)


def test_a_downloaded_model_is_used_without_the_network(hub: Path) -> None:
    source = EncoderSource(NAME)
    snapshot = hub / "models--someone--speech" / "snapshots" / COMMIT
    assert source.folder() == snapshot
    assert source.reference == f"{NAME}@{COMMIT}"
    assert EncoderSource(NAME, revision=COMMIT).folder() == snapshot
    assert find_weights(source.reference) == snapshot / "model.safetensors"
    pinned = source.pinned()
    assert pinned == EncoderSource(NAME, COMMIT, encoder_hash(encoder_files(snapshot)))
    assert pinned.folder() == snapshot


def test_the_folder_that_hf_download_prints_is_a_folder_as_any_other(hub: Path) -> None:
    snapshot = hub / "models--someone--speech" / "snapshots" / COMMIT
    source = EncoderSource(str(snapshot))
    assert find_weights(source.reference) == snapshot / "model.safetensors"
    assert replace(source.pinned(), name=COMMIT).folder() == snapshot


def test_a_name_without_a_model_says_how_to_get_it(hub: Path) -> None:
    command = r"run `hf download someone/other --revision refs/pr/1`; or give the path of a folder"
    for local_files_only in (True, False):
        source = EncoderSource("someone/other", "refs/pr/1", local_files_only=local_files_only)
        with pytest.raises(CheckpointError, match=command):
            source.folder()
    with pytest.raises(CheckpointError, match=r"`hf download someone/speech --revision v2`"):
        EncoderSource(NAME, "v2").folder()


def test_offline_mode_of_the_hub_is_honored(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With it, no attempt is made to reach the network."""
    from huggingface_hub import constants

    attempts: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **_: attempts.append(given))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointError, match="is not on this machine"):
        EncoderSource("someone/other").folder()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(CheckpointError, match="is not on this machine"):
        EncoderSource("someone/other", local_files_only=True).folder()
    assert attempts == []


def test_names_that_mean_nothing_are_refused(hub: Path) -> None:
    with pytest.raises(SettingsError, match=r"'encoder\.name' must name an encoder"):
        EncoderSource().folder()
    for name in ("/nowhere/speech", "./speech", "a/b/c"):
        with pytest.raises(CheckpointError, match=f"There is no encoder at {name}"):
            EncoderSource(name).folder()
    with pytest.raises(SettingsError, match="no possible name on the Hugging Face hub"):
        EncoderSource("no such name").folder()


def test_a_folder_without_safetensors_is_refused(encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(encoder, folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(
        CheckpointError, match=r"no model\.safetensors\. Pickled weights .*not read"
    ):
        EncoderSource(str(folder)).files()
    (folder / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        EncoderSource(str(folder)).files()


def test_all_parts_of_divided_weights_count(encoder: Path, tmp_path: Path) -> None:
    import transformers

    model = transformers.AutoModel.from_pretrained(encoder)
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    files = encoder_files(tmp_path)
    assert {path.name for path in files} >= {path.name for path in tmp_path.glob("model-*")}
    assert len(files) > 3
    files[-1].unlink()
    with pytest.raises(CheckpointError, match=f"{files[-1].name} is missing"):
        encoder_files(tmp_path)


def test_another_encoder_under_the_same_name_is_refused(encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "speech"
    shutil.copytree(encoder, folder)
    pinned = EncoderSource(str(folder)).pinned()
    assert pinned.folder() == folder
    save_audio_encoder(folder, seed=1)
    with pytest.raises(CheckpointError, match="is not the one that the recognizer was trained on"):
        pinned.folder()


def test_a_folder_is_found_again_by_name_and_hash_on_the_same_machine(
    encoder: Path, tmp_path: Path
) -> None:
    """Checkpoints hold no folders of the machine, only the last name."""
    pinned = replace(EncoderSource(str(encoder)).pinned(), name="speech")
    assert pinned.folder() == encoder
    for place in (tmp_path / "cache" / "encoders").iterdir():
        place.write_text(json.dumps({"folder": str(tmp_path / "gone" / "speech")}))
    with pytest.raises(CheckpointError, match="'speech'"):
        replace(pinned, local_files_only=True).folder()
