"""`ImageEncoder`: one vector per image by a pretrained image encoder."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from aver.errors import SettingsError
from aver.networks.pretrained_encoder import Layer, PretrainedEncoder

Token = Literal["class", "mean", "pooled"]
_BATCH_SIZE = 16


class ImageEncoder:
    """Runs vision transformers (ViT, CLIP, SigLIP, DINOv2) on images.

    Parameters
    ----------
    encoder : PretrainedEncoder

    Notes
    -----
    Source: Dosovitskiy et al. (2021), "An image is worth 16x16 words", section 3; Radford et al.
    (2021), CLIP; `transformers`.
    """

    def __init__(self, encoder: PretrainedEncoder) -> None:
        self._encoder = encoder

    def embed(self, images: np.ndarray, layer: Layer, token: Token) -> np.ndarray:
        """One vector per image.

        Parameters
        ----------
        images : np.ndarray [shape=(images, height, width, 3), dtype=uint8]
            RGB; resized and normalized as the encoder's preprocessing says.
        layer : int or "mean"
            See `PretrainedEncoder.hidden_states`.
        token : {"class", "mean", "pooled"}
            The class token, the mean over all tokens, or the model's own pooled output.

        Returns
        -------
        np.ndarray [shape=(images, size), dtype=float32]

        Raises
        ------
        SettingsError
            If the model has no such layer or token.
        """
        rows = []
        for start in range(0, len(images), _BATCH_SIZE):
            some = list(images[start : start + _BATCH_SIZE])
            inputs: Any = self._encoder.preprocess(
                some, return_tensors="pt", input_data_format="channels_last"
            )
            rows.append(self._vectors(inputs["pixel_values"], layer, token).float().cpu().numpy())
        return np.concatenate(rows)

    def _vectors(self, pixels: Any, layer: Layer, token: Token) -> Any:
        name = self._encoder.name
        if token == "pooled":
            if layer != -1:
                raise SettingsError(
                    f"The setting 'token' is pooled, which is computed from the last layer; set "
                    f"'layer' to -1, not {layer}."
                )
            output = getattr(self._encoder.run(pixels), "pooler_output", None)
            if output is None or not self._encoder.has_pooler:
                raise SettingsError(
                    f"The encoder {name} has no trained pooling. Set 'token' to class or mean."
                )
            return output.flatten(1)
        states = self._encoder.hidden_states(pixels, layer)
        if states.ndim != 3:
            raise SettingsError(
                f"The encoder {name} has no tokens, but maps of shape {tuple(states.shape[1:])}. "
                "Use a vision transformer, or set 'token' to pooled and 'layer' to -1."
            )
        if token == "mean":
            return states.mean(dim=1)
        if states.shape[1] == _patches(self._encoder.model.config, pixels):
            raise SettingsError(
                f"The encoder {name} has no class token. Set 'token' to mean or pooled."
            )
        return states[:, 0]


def _patches(config: Any, pixels: Any) -> int:
    """Number of patches of an image; 0 if the model does not say their size."""
    size = getattr(config, "patch_size", 0)
    return (
        (pixels.shape[2] // size) * (pixels.shape[3] // size)
        if isinstance(size, int) and size
        else 0
    )
