"""Vectors of image encoders: as `transformers` gives them for the same images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aver.errors import CheckpointError, SettingsError

pytest.importorskip("transformers", reason="transformers is not installed: make test-extras")

from aver.networks.encoder_source import EncoderSource
from aver.networks.image_encoder import ImageEncoder
from aver.networks.pretrained_encoder import load_encoder
from tiny_encoders import IMAGE_KINDS, LAYERS, save_image_encoder

pytestmark = pytest.mark.extras


def images(count: int, size_px: int = 40) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, size_px, size_px, 3), np.uint8)


def encoder_of(folder: Path) -> ImageEncoder:
    return ImageEncoder(load_encoder(EncoderSource(str(folder)), "image"))


def by_transformers(folder: Path, some: np.ndarray) -> Any:
    """The model's output for Pillow images, without a line of ours."""
    import torch
    import transformers
    from PIL import Image

    model = transformers.AutoModel.from_pretrained(folder).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    inputs = processor([Image.fromarray(image) for image in some], return_tensors="pt")
    with torch.no_grad():
        return model(**inputs, output_hidden_states=True)


@pytest.mark.parametrize("kind", IMAGE_KINDS)
def test_tokens_and_layers_are_as_transformers_gives_them(kind: str, tmp_path: Path) -> None:
    folder, some = save_image_encoder(tmp_path, kind), images(5)
    output, encoder = by_transformers(folder, some), encoder_of(folder)
    last = output.last_hidden_state.numpy()
    for layer, states in ((-1, last), (LAYERS, last), (1, output.hidden_states[1].numpy())):
        np.testing.assert_allclose(encoder.embed(some, layer, "class"), states[:, 0], atol=1e-5)
        np.testing.assert_allclose(encoder.embed(some, layer, "mean"), states.mean(1), atol=1e-5)
    expected = output.pooler_output.numpy()
    np.testing.assert_allclose(encoder.embed(some, -1, "pooled"), expected, atol=1e-5)
    assert np.abs(last[0] - last[1]).max() > 0.01  # images differ, so that rows cannot be swapped


def test_rows_do_not_depend_on_the_batch(tmp_path: Path) -> None:
    encoder, many = encoder_of(save_image_encoder(tmp_path)), images(37)
    whole = encoder.embed(many, -1, "class")
    assert whole.shape == (37, 16)
    np.testing.assert_allclose(encoder.embed(many[30:], -1, "class"), whole[30:], atol=1e-5)


def test_images_are_brought_to_the_size_of_the_encoder(tmp_path: Path) -> None:
    """Uniform images have no details that resizing could change."""
    encoder = encoder_of(save_image_encoder(tmp_path))
    one, other = (np.full((1, side, side, 3), 90, np.uint8) for side in (24, 150))
    np.testing.assert_allclose(
        encoder.embed(one, -1, "class"), encoder.embed(other, -1, "class"), atol=1e-5
    )


def test_the_image_half_of_clip_is_taken(tmp_path: Path) -> None:
    import transformers

    config = transformers.CLIPConfig(
        text_config={"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2},
        vision_config={
            **{"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2},
            **{"image_size": 32, "patch_size": 8, "intermediate_size": 32},
        },
    )
    model = transformers.CLIPModel(config).eval()
    model.save_pretrained(tmp_path)
    side = {"height": 32, "width": 32}
    size = {"shortest_edge": 32}
    processor = transformers.CLIPImageProcessorPil(size=size, crop_size=side)
    processor.save_pretrained(tmp_path)
    some = images(3)
    pixels = processor(list(some), return_tensors="pt", input_data_format="channels_last")
    expected = model.vision_model(pixels["pixel_values"]).last_hidden_state[:, 0]
    found = encoder_of(tmp_path).embed(some, -1, "class")
    np.testing.assert_allclose(found, expected.detach().numpy(), atol=1e-5)


def test_what_a_model_does_not_have_is_said(tmp_path: Path) -> None:
    import transformers

    encoder = encoder_of(save_image_encoder(tmp_path / "vit"))
    with pytest.raises(SettingsError, match="'layer' must be from -4 to 3, or mean"):
        encoder.embed(images(1), 4, "class")
    with pytest.raises(SettingsError, match=r"'layer' to -1, not 2"):
        encoder.embed(images(1), 2, "pooled")
    classifier = transformers.ViTForImageClassification(
        transformers.ViTConfig.from_pretrained(tmp_path / "vit")
    )
    folder = save_image_encoder(tmp_path / "classifier")
    classifier.save_pretrained(folder)  # without weights of the pooling
    trained = encoder_of(folder)
    assert trained.embed(images(2), -1, "class").shape == (2, 16)
    with pytest.raises(SettingsError, match="no trained pooling"):
        trained.embed(images(1), -1, "pooled")
    siglip = save_image_encoder(tmp_path / "siglip", "SiglipVision")
    with pytest.raises(SettingsError, match="no class token"):
        encoder_of(siglip).embed(images(1), -1, "class")


def test_an_encoder_of_other_input_is_refused(tmp_path: Path) -> None:
    import transformers

    folder = save_image_encoder(tmp_path)
    config = transformers.BertConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    transformers.BertModel(config).save_pretrained(folder)
    with pytest.raises(CheckpointError, match="reads input_ids, not images"):
        encoder_of(folder)
