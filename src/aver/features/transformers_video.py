"""`TransformersVideo`: face crops through a pretrained image encoder of `transformers`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Literal

import numpy as np

from aver.corpora.clip import Clip
from aver.features.encoded_frames import Pooling, frame_arrays
from aver.features.face_crops import FaceCrops, FaceFeature
from aver.networks.encoder_source import EncoderSource
from aver.settings import settings


@settings
class TransformersVideo(FaceFeature):
    """One vector per frame with a face, by a pretrained encoder (ViT, CLIP) of `transformers`.

    Arrays: with ``pooling="frames"`` ``embeddings`` float16 (frames with a face, size); with
    ``pooling="mean"`` their mean, ``statistics`` float32 (size,).

    Parameters
    ----------
    crops : FaceCrops or mapping
        The images that are encoded. The encoder's own preprocessing resizes them.
    encoder : EncoderSource or mapping
        ``{"name": ...}``, see `EncoderSource`.
    layer : int or "mean"
        0 is the input of the first layer, 1 the output of the first layer, -1 the encoder's output;
        ``"mean"`` is the mean over the outputs of all layers.
    token : {"class", "mean", "pooled"}
        The class token, the mean over all tokens, or the model's own pooled output (layer -1).
    pooling : {"frames", "mean"}

    Raises
    ------
    SettingsError
        If the encoder has no such layer or token, or ``aver[foundation]`` is not installed.
    CheckpointError
        If the encoder cannot be found or loaded.

    Notes
    -----
    Source: Dosovitskiy et al. (2021), ViT; Radford et al. (2021), CLIP; Oquab et al. (2023),
    DINOv2.
    """

    crops: FaceCrops = field(default_factory=lambda: FaceCrops(size_px=160, rate_hz=6.0))
    encoder: EncoderSource = field(default_factory=EncoderSource)
    layer: int | Literal["mean"] = -1
    token: Literal["class", "mean", "pooled"] = "class"
    pooling: Pooling = "frames"

    name = "transformers-video"
    source = "Dosovitskiy et al. (2021), ViT; needs aver[foundation]"
    effort = 200.0
    file_settings = (*FaceCrops.file_settings, "encoder")

    @property
    def pretrained_weights(self) -> tuple[str, ...]:
        """The encoder."""
        return (self.encoder.reference,)

    @property
    def frames_in_1_s(self) -> int:
        """That of the crops."""
        return self.crops.frames_in_1_s

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The clip's video and the encoder's files: their content counts, not their names."""
        basis = super().paths(clip)
        return (*basis, *self.encoder.files()) if basis else ()

    def from_faces(self, images: np.ndarray) -> Mapping[str, np.ndarray]:
        """Encode every frame with a face."""
        from aver.networks.image_encoder import ImageEncoder
        from aver.networks.pretrained_encoder import load_encoder

        encoder = ImageEncoder(load_encoder(self.encoder, "image"))
        frames = encoder.embed(images, self.layer, self.token)
        return frame_arrays(frames, self.pooling, f"The encoder {self.encoder.name}")
