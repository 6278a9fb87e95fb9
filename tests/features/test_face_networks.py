"""Face crops through pretrained image encoders and ONNX networks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aver.corpora.clip import Clip
from aver.errors import CheckpointError, SettingsError
from aver.features.face_crops import FaceCrops, FaceFeature
from aver.features.feature import FeatureRecord, feature_from_settings
from aver.features.onnx_faces import OnnxFaces
from aver.features.store import FeatureStore
from aver.features.transformers_video import TransformersVideo
from aver.networks.encoder_source import EncoderSource
from aver.synthesis import SynthesisSettings, synthesize

pytest.importorskip("transformers", reason="transformers is not installed: make test-extras")
pytest.importorskip("onnx", reason="onnx is not installed: make test-extras")

from tiny_encoders import SIZE, save_color_network, save_image_encoder

pytestmark = pytest.mark.extras

CROPS = FaceCrops(size_px=24, rate_hz=10.0)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_image_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_color_network(tmp_path_factory.mktemp("network") / "colors.onnx", size_px=24)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of a face."""
    settings = SynthesisSettings(
        speakers=1, emotions=("happy",), sentences=1, duration_s=(0.5, 0.5), fps=10, size_px=96
    )
    (found,) = synthesize(tmp_path_factory.mktemp("face") / "corpus", settings).rglob("*.mp4")
    return found


def drawn(found: list[bool]) -> FeatureRecord:
    crops = np.random.default_rng(0).integers(0, 256, (len(found), 24, 24, 3), np.uint8)
    crops[~np.array(found)] = 0
    arrays = {"crops": crops, "times_s": np.arange(len(found)) / 10, "found": np.array(found)}
    return FeatureRecord(arrays, coverage=0.6, flags=("truncated video",))


def test_frames_with_a_face_are_encoded_as_transformers_does(encoder: Path) -> None:
    import torch
    import transformers
    from PIL import Image

    basis = drawn([False, True, True, False, True])
    feature = TransformersVideo(CROPS, EncoderSource(str(encoder)))
    record = feature.derive(basis)
    model = transformers.AutoModel.from_pretrained(encoder).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(encoder, backend="pil")
    faces = [Image.fromarray(crop) for crop in basis.arrays["crops"][[1, 2, 4]]]
    with torch.no_grad():
        output = model(**processor(faces, return_tensors="pt")).last_hidden_state[:, 0].numpy()
    found = record.arrays["embeddings"]
    assert (found.shape, found.dtype) == ((3, SIZE), np.float16)
    np.testing.assert_allclose(found, output, rtol=2e-3, atol=2e-3)
    assert (record.coverage, record.flags) == (0.6, ("truncated video",))
    pooled = replace(feature, pooling="mean").derive(basis).arrays["statistics"]
    np.testing.assert_allclose(pooled, output.mean(axis=0), atol=1e-5)


def test_frames_with_a_face_go_through_the_onnx_network(network: Path) -> None:
    """The network gives the mean of each normalized color."""
    basis = drawn([True, False, True])
    faces = basis.arrays["crops"][[0, 2]] / 255.0
    plain = OnnxFaces(str(network), CROPS)
    # ImageNet's mean and deviation, in the order red, green, blue.
    expected = ((faces - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).mean(axis=(1, 2))
    np.testing.assert_allclose(plain.derive(basis).arrays["embeddings"], expected, atol=2e-3)
    own = OnnxFaces(str(network), CROPS, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), pooling="mean")
    expected = (faces * 2 - 1).mean(axis=(0, 1, 2))
    np.testing.assert_allclose(own.derive(basis).arrays["statistics"], expected, atol=1e-5)


MAKE: dict[str, Callable[[Path, Path], FaceFeature]] = {
    "transformers-video": lambda encoder, _: TransformersVideo(CROPS, EncoderSource(str(encoder))),
    "onnx-faces": lambda _, network: OnnxFaces(str(network), CROPS),
}


@pytest.mark.parametrize("name", MAKE)
def test_from_a_video_with_crops_from_the_cache(
    name: str, encoder: Path, network: Path, video: Path, tmp_path: Path
) -> None:
    feature = MAKE[name](encoder, network)
    store, clip = FeatureStore(tmp_path), Clip("c", None, None, video=video)
    crops = store.get(clip, CROPS)
    record = store.get(clip, feature)
    assert len(record.arrays["embeddings"]) == crops.arrays["found"].sum() >= 4
    assert record.coverage == crops.coverage
    assert feature.frames_in_1_s == 10
    assert feature_from_settings(name, feature.settings()) == feature
    assert feature.from_basis(FeatureRecord.absent("no face")).missing == "no face"


@pytest.mark.parametrize("name", MAKE)
def test_the_cache_knows_the_network_by_content(
    name: str, encoder: Path, network: Path, video: Path, tmp_path: Path
) -> None:
    shutil.copytree(encoder, tmp_path / "encoder")
    shutil.copy(network, tmp_path / "colors.onnx")
    store, clip = FeatureStore(tmp_path / "cache"), Clip("c", None, None, video=video)
    first, moved = (
        MAKE[name](*places)
        for places in ((encoder, network), (tmp_path / "encoder", tmp_path / "colors.onnx"))
    )
    assert store.content_key(clip, first) == store.content_key(clip, moved)
    assert first.key == moved.key
    before = moved.derive(drawn([True])).arrays["embeddings"]
    save_image_encoder(tmp_path / "encoder", seed=1)
    save_color_network(tmp_path / "colors.onnx", size_px=24, scale=2.0)
    assert store.content_key(clip, first) != store.content_key(clip, moved)
    after = moved.derive(drawn([True])).arrays["embeddings"]
    assert np.abs(after - before).max() > 0.01  # loaded again in this process


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    clip = Clip("c", None, None, video=tmp_path / "c.mp4")
    with pytest.raises(SettingsError, match=r"'encoder\.name' must name an encoder"):
        TransformersVideo().paths(clip)
    with pytest.raises(SettingsError, match="'weights' of onnx-faces must name an ONNX file"):
        OnnxFaces().paths(clip)
    with pytest.raises(CheckpointError, match=r"no pretrained weights at .*none\.onnx"):
        OnnxFaces(str(tmp_path / "none.onnx")).paths(clip)
    with pytest.raises(SettingsError, match="std"):
        OnnxFaces(std=(0.1, 0.1, 0.0))
    with pytest.raises(SettingsError, match="mean"):
        OnnxFaces(mean=(0.5, 0.5))  # type: ignore[arg-type]
