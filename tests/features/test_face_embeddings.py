"""Face embeddings: one for each frame with a face, cached by content."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from aver.corpora.clip import Clip
from aver.errors import CheckpointError, SettingsError
from aver.features.face_crops import FaceCrops
from aver.features.face_embeddings import FaceEmbeddings
from aver.features.feature import FeatureRecord, feature_from_settings
from aver.features.store import FeatureStore
from aver.networks.resnet import ResNet18
from aver.networks.shipped import find_shipped
from aver.synthesis import SynthesisSettings, synthesize


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of a face."""
    settings = SynthesisSettings(
        speakers=1, emotions=("happy",), sentences=1, duration_s=(0.5, 0.5), fps=10, size_px=96
    )
    corpus = synthesize(tmp_path_factory.mktemp("face") / "corpus", settings)
    (found,) = corpus.rglob("*.mp4")
    return found


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A small network as `aver pretrain video` leaves it."""
    folder = tmp_path / "network"
    folder.mkdir()
    torch.manual_seed(1)
    save_file(ResNet18(1, 4, 1, "3x3").state_dict(), folder / "weights.safetensors")
    card = {"network": {"width": 4, "blocks": 1, "stem": "3x3"}, "input": {"size_px": 24}}
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def drawn(found: list[bool], size_px: int = 32) -> FeatureRecord:
    """Crops of noise, black where there is no face, as `FaceCrops` gives them."""
    crops = np.random.default_rng(0).integers(0, 256, (len(found), size_px, size_px, 3), np.uint8)
    crops[~np.array(found)] = 0
    return FeatureRecord(
        {"crops": crops, "times_s": np.arange(len(found)) / 10, "found": np.array(found)},
        coverage=0.6,
        flags=("truncated video",),
    )


def by_hand(crops: np.ndarray, folder: Path, size_px: int) -> np.ndarray:
    """Gray, downscaled, standardized, through the network, one by one."""
    network = ResNet18(1, 4, 1, "3x3").eval()
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    rows = []
    for crop in crops:
        gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(gray, (size_px, size_px), interpolation=cv2.INTER_AREA).astype(
            np.float64
        )
        scaled = torch.from_numpy((small - small.mean()) / small.std()).float()
        with torch.no_grad():
            rows.append(network(scaled[None, None])[0].numpy())
    return np.stack(rows)


def test_each_frame_with_a_face_is_embedded_as_by_hand(weights: Path) -> None:
    basis = drawn([False, True, True, False, True])
    record = FaceEmbeddings(FaceCrops(size_px=32), str(weights)).derive(basis)
    embeddings = record.arrays["embeddings"]
    assert embeddings.shape == (3, 32)
    assert embeddings.dtype == np.float16
    expected = by_hand(basis.arrays["crops"][[1, 2, 4]], weights, 24)
    np.testing.assert_allclose(embeddings, expected, rtol=2e-3, atol=2e-3)
    assert np.abs(expected[0] - expected[1]).max() > 0.05  # so that swapped rows would be noticed
    assert (record.coverage, record.flags) == (0.6, ("truncated video",))


def test_embeddings_do_not_depend_on_light_contrast_and_batch_size(
    weights: Path,
) -> None:
    feature = FaceEmbeddings(FaceCrops(size_px=32), str(weights))
    dim = drawn([True] * 300)
    values = dim.arrays["crops"] // 4 * 2
    pale = FeatureRecord({**dim.arrays, "crops": values + 100})
    dark = FeatureRecord({**dim.arrays, "crops": values})
    first, second = (feature.derive(r).arrays["embeddings"].astype(float) for r in (pale, dark))
    np.testing.assert_allclose(first, second, atol=4e-3)
    alone = {name: array[290:291] for name, array in dark.arrays.items()}
    one = feature.derive(FeatureRecord(alone)).arrays["embeddings"].astype(float)
    np.testing.assert_allclose(one[0], second[290], atol=2e-3)


def test_from_a_video_to_embeddings_and_from_the_cache(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feature = FaceEmbeddings(FaceCrops(size_px=64, rate_hz=10.0))
    size = (
        8
        * json.loads((find_shipped("faces-fer2013", "extractor").folder / "card.json").read_text())[
            "network"
        ]["width"]
    )
    clip, store = Clip("c", None, None, video=video, audio=video), FeatureStore(tmp_path / "cache")
    record = store.get(clip, feature)
    crops = store.get(clip, feature.basis)
    assert record.arrays["embeddings"].shape == (int(crops.arrays["found"].sum()), size)
    assert len(record.arrays["embeddings"]) >= 4  # five frames with a face
    assert record.coverage == crops.coverage
    np.testing.assert_array_equal(
        feature.extract(clip).arrays["embeddings"], record.arrays["embeddings"]
    )
    monkeypatch.setattr(FaceEmbeddings, "derive", None)  # nothing is computed again
    moved = tmp_path / "moved.mp4"
    shutil.copy(video, moved)
    again = FeatureStore(tmp_path / "cache").get(replace(clip, video=moved), feature)
    np.testing.assert_array_equal(again.arrays["embeddings"], record.arrays["embeddings"])


def test_other_weights_or_crops_are_another_entry(
    weights: Path, video: Path, tmp_path: Path
) -> None:
    clip, store = Clip("c", None, None, video=video), FeatureStore(tmp_path / "cache")
    feature = FaceEmbeddings(FaceCrops(size_px=32), str(weights))
    first = store.content_key(clip, feature)
    copy = tmp_path / "copy"
    shutil.copytree(weights, copy)
    assert store.content_key(clip, replace(feature, weights=str(copy))) == first  # by content
    state = load_file(copy / "weights.safetensors")
    state["conv1.weight"] += 1
    save_file(state, copy / "weights.safetensors")
    assert store.content_key(clip, replace(feature, weights=str(copy))) != first
    card = json.loads((weights / "card.json").read_text())
    (weights / "card.json").write_text(json.dumps({**card, "input": {"size_px": 16}}))
    assert store.content_key(clip, feature) != first  # the network looks at another size
    other = FaceEmbeddings(FaceCrops(size_px=48), str(weights))
    assert other.key != feature.key
    assert replace(feature, weights="elsewhere").key == feature.key


def test_a_clip_without_video_or_face_is_absent(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    assert store.get(Clip("c", None, None), FaceEmbeddings()).missing == "no video"
    faceless = FeatureRecord.absent("no face")
    assert FaceEmbeddings().from_basis(faceless).missing == "no face"


def test_settings_come_back_from_a_checkpoint_and_wrong_ones_are_named(tmp_path: Path) -> None:
    feature = FaceEmbeddings(FaceCrops(size_px=48, rate_hz=5.0))
    assert feature_from_settings("face-embeddings", feature.settings()) == feature
    assert feature.frames_in_1_s == 5.0
    with pytest.raises(SettingsError, match=r"'face-embeddings\.crops\.size'"):
        feature_from_settings("face-embeddings", {"crops": {"size": 48}})
    with pytest.raises(CheckpointError, match="There are no pretrained weights at nowhere"):
        FaceEmbeddings(weights="nowhere").paths(Clip("c", None, None, video=tmp_path / "c.mp4"))
