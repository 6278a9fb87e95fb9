"""Tiny networks: encoders that `transformers` makes and saves, and an ONNX graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

SIZE, LAYERS = 16, 3
AUDIO_KINDS = ("Wav2Vec2", "Hubert", "WavLM")
IMAGE_KINDS = ("CLIPVision", "ViT", "Dinov2")


def save_audio_encoder(
    folder: Path, kind: str = "Wav2Vec2", *, seed: int = 0, normalize: bool = True
) -> Path:
    """An encoder of the waveform with convolutions as the published ones: 400 samples, 20 ms."""
    import transformers

    config = getattr(transformers, f"{kind}Config")(
        hidden_size=SIZE,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        feat_extract_norm="layer",  # as the large models; "group" would normalize over time
        do_stable_layer_norm=True,
    )
    preprocess = transformers.Wav2Vec2FeatureExtractor(
        do_normalize=normalize, return_attention_mask=False
    )
    return _save(folder, getattr(transformers, f"{kind}Model"), config, preprocess, seed)


def save_image_encoder(folder: Path, kind: str = "ViT", *, seed: int = 0) -> Path:
    """An encoder of images of 32 px in patches of 8 px."""
    import transformers

    config = getattr(transformers, f"{kind}Config")(
        hidden_size=SIZE,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=32,
        patch_size=8,
    )
    side = {"height": 32, "width": 32}
    preprocess: Any = transformers.ViTImageProcessorPil(size=side)
    if kind == "CLIPVision":
        preprocess = transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=side)
    return _save(folder, getattr(transformers, f"{kind}Model"), config, preprocess, seed)


def _save(folder: Path, model: Any, config: Any, preprocess: Any, seed: int) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = model(config)
        for weight in made.parameters():  # larger than their start, so that layers differ
            weight.data += 0.2 * torch.randn_like(weight)
    made.save_pretrained(folder)
    preprocess.save_pretrained(folder)
    return folder


def noise(seconds: float, seed: int = 0) -> Any:
    """Float32 samples at 16 kHz."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, round(seconds * 16000)).astype(np.float32)


def save_color_network(path: Path, size_px: int, scale: float = 1.0) -> Path:
    """An ONNX network that gives the mean of each color of an image, times `scale`."""
    import numpy as np
    import onnx

    helper, array = onnx.helper, onnx.numpy_helper.from_array
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["faces", "axes"], ["means"], keepdims=0),
            helper.make_node("Mul", ["means", "scale"], ["colors"]),
        ],
        "colors",
        [helper.make_tensor_value_info("faces", 1, ("n", 3, size_px, size_px))],
        [helper.make_tensor_value_info("colors", 1, ("n", 3))],
        [array(np.array([2, 3], np.int64), "axes"), array(np.array(scale, np.float32), "scale")],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)
    return path
