"""Face networks in ONNX files: what they see, what they give, and which are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from aver.errors import CheckpointError, SettingsError
from aver.networks.onnx_faces import OnnxFaceNetwork

onnx = pytest.importorskip("onnx", reason="onnx is not installed: make test-extras")

pytestmark = pytest.mark.extras

MEAN, STD = (
    np.array(values, np.float32) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
)
DENSE, BIAS = (
    np.random.default_rng(0).normal(size=shape).astype(np.float32) for shape in ((8, 3), (8,))
)


def write(
    path: Path,
    shape: tuple[Any, ...] = ("n", 3, 12, 12),
    kind: int = 1,  # float32
    axes: tuple[int, int] = (2, 3),
) -> Path:
    """Mean of each color over the image, then a dense layer with eight scores."""
    helper = onnx.helper
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["faces", "axes"], ["colors"], keepdims=0),
            helper.make_node("Gemm", ["colors", "dense", "bias"], ["scores"], transB=1),
        ],
        "faces",
        [helper.make_tensor_value_info("faces", kind, shape)],
        [helper.make_tensor_value_info("scores", kind, (shape[0], 8))],
        [
            onnx.numpy_helper.from_array(np.array(axes, np.int64), "axes"),
            onnx.numpy_helper.from_array(
                DENSE.astype(helper.tensor_dtype_to_np_dtype(kind)), "dense"
            ),
            onnx.numpy_helper.from_array(
                BIAS.astype(helper.tensor_dtype_to_np_dtype(kind)), "bias"
            ),
        ],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path
    )
    return path


def images(count: int, size_px: int = 12) -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (count, size_px, size_px, 3), np.uint8)


def colors(some: np.ndarray, size_px: int = 12) -> np.ndarray:
    """Mean normalized color of each image, by hand in double precision."""
    resized = np.stack(
        [
            image
            if len(image) == size_px
            else cv2.resize(
                image,
                (size_px, size_px),
                interpolation=cv2.INTER_AREA if len(image) > size_px else cv2.INTER_LINEAR,
            )
            for image in some
        ]
    )
    return ((resized / 255.0 - MEAN) / STD).mean(axis=(1, 2))


def scores(some: np.ndarray, size_px: int = 12) -> np.ndarray:
    return colors(some, size_px) @ DENSE.T + BIAS


@pytest.mark.parametrize("shape", [("n", 3, 12, 12), (1, 3, 12, 12), (4, 3, 12, 12)])
def test_scores_are_those_of_normalized_images_for_any_batch(
    shape: tuple[Any, ...], tmp_path: Path
) -> None:
    network = OnnxFaceNetwork(write(tmp_path / "net.onnx", shape), "first", 0)
    assert network.size_px == 12
    some = images(6)
    np.testing.assert_allclose(network.embed(some, MEAN, STD), scores(some), atol=1e-4)


@pytest.mark.parametrize("size_px", [8, 40])
def test_images_of_another_size_are_resized(size_px: int, tmp_path: Path) -> None:
    network = OnnxFaceNetwork(write(tmp_path / "net.onnx"), "first", 0)
    some = images(2, size_px)
    np.testing.assert_allclose(network.embed(some, MEAN, STD), scores(some), atol=1e-3)


def test_colors_may_come_last_and_half_precision_is_served(tmp_path: Path) -> None:
    some = images(3)
    last = write(tmp_path / "last.onnx", ("n", 12, 12, 3), axes=(1, 2))
    np.testing.assert_allclose(
        OnnxFaceNetwork(last, "first", 0).embed(some, MEAN, STD), scores(some), atol=1e-4
    )
    half = OnnxFaceNetwork(write(tmp_path / "half.onnx", kind=10), "first", 0).embed(
        some, MEAN, STD
    )
    assert half.dtype == np.float32
    np.testing.assert_allclose(half, scores(some), atol=0.05)


def test_outputs_are_chosen_by_name_and_the_last_but_one_layer_too(tmp_path: Path) -> None:
    path, some = write(tmp_path / "net.onnx"), images(3)
    np.testing.assert_allclose(
        OnnxFaceNetwork(path, "scores", 0).embed(some, MEAN, STD), scores(some), atol=1e-4
    )
    for name in ("penultimate", "colors"):
        found = OnnxFaceNetwork(path, name, 0).embed(some, MEAN, STD)
        np.testing.assert_allclose(found, colors(some), atol=1e-5)
    with pytest.raises(SettingsError, match=r"no output 'emotions'\. Its outputs are scores"):
        OnnxFaceNetwork(path, "emotions", 0)


def test_a_network_for_any_size_needs_one(tmp_path: Path) -> None:
    path = write(tmp_path / "net.onnx", ("n", 3, "height", "width"))
    with pytest.raises(SettingsError, match="Set 'size_px' to the size"):
        OnnxFaceNetwork(path, "first", 0)
    some = images(2, 40)
    found = OnnxFaceNetwork(path, "first", 20).embed(some, MEAN, STD)
    np.testing.assert_allclose(found, scores(some, 20), atol=1e-3)
    with pytest.raises(SettingsError, match=r"'size_px' is 20, but .* 12 px"):
        OnnxFaceNetwork(write(tmp_path / "fixed.onnx"), "first", 20)


@pytest.mark.parametrize(
    ("shape", "kind", "shown"),
    [
        (("n", 1, 12, 12), 1, r"faces \('n', 1, 12, 12\) tensor\(float\)"),  # gray
        (("n", 3, 12), 1, r"faces \('n', 3, 12\) tensor\(float\)"),
        (("n", 3, 12, 12), 11, r"faces \('n', 3, 12, 12\) tensor\(double\)"),
    ],
)
def test_another_input_is_refused_with_what_it_has_and_what_is_needed(
    shape: tuple[Any, ...], kind: int, shown: str, tmp_path: Path
) -> None:
    helper, path = onnx.helper, tmp_path / "net.onnx"
    graph = helper.make_graph(
        [helper.make_node("Identity", ["faces"], ["same"])],
        "faces",
        [helper.make_tensor_value_info("faces", kind, shape)],
        [helper.make_tensor_value_info("same", kind, shape)],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)
    needed = r"\. It must have one input of type tensor\(float\) or tensor\(float16\) and of shape"
    with pytest.raises(CheckpointError, match=f"reads {shown}{needed}"):
        OnnxFaceNetwork(path, "first", 0)


def test_images_must_be_square(tmp_path: Path) -> None:
    path = write(tmp_path / "net.onnx", ("n", 3, 12, 16))
    with pytest.raises(CheckpointError, match="12 x 16; they must be square"):
        OnnxFaceNetwork(path, "first", 0)


def test_two_inputs_are_refused(tmp_path: Path) -> None:
    model = onnx.load(write(tmp_path / "net.onnx"))
    model.graph.input.append(onnx.helper.make_tensor_value_info("ages", 1, ("n", 1)))
    onnx.save(model, tmp_path / "two.onnx")
    with pytest.raises(CheckpointError, match=r"reads faces .*, ages .*one input"):
        OnnxFaceNetwork(tmp_path / "two.onnx", "first", 0)


def test_files_that_are_no_networks_are_refused(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(CheckpointError, match=r"is no ONNX network that onnxruntime .* can run"):
        OnnxFaceNetwork(tmp_path / "net.onnx", "first", 0)


def test_weights_in_a_second_file_are_refused(tmp_path: Path) -> None:
    """They would be missing in the cache key and in a checkpoint."""
    model = onnx.load(write(tmp_path / "net.onnx"))
    onnx.save(
        model,
        tmp_path / "two.onnx",
        save_as_external_data=True,
        size_threshold=0,
        location="two.data",
    )
    with pytest.raises(CheckpointError, match=r"is no ONNX network that onnxruntime .* can run"):
        OnnxFaceNetwork(tmp_path / "two.onnx", "first", 0)
