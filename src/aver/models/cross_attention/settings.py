"""`CrossAttentionSettings`: all settings of cross-attention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated

from aver.errors import SettingsError
from aver.models.base.fusion_recognizer import FusionSettings
from aver.models.layers.frame_encoder import FrameEncoderSettings
from aver.settings import Field, settings


def _default_branches() -> dict[str, FrameEncoderSettings]:
    return {
        "video": FrameEncoderSettings(
            feature="face-embeddings", extractor="identity", standardize="train"
        ),
        "audio": FrameEncoderSettings(
            feature="spectrogram-segments", extractor="band-functionals", standardize="train"
        ),
    }


@settings
class CrossAttentionSettings(FusionSettings):
    """Settings of cross-attention beside those of `FusionSettings`.

    Parameters
    ----------
    branches : mapping of str to FrameEncoderSettings
        How each modality is read.
    size : int >= 1
        Of a frame's vector, in all modalities; the heads share it equally.
    heads : int >= 1
        Of the attention.
    layers : int >= 1
        Of each pair of modalities.
    positions : bool
        Add sines of the frame's number, so that the order of the frames matters.
    hidden : int >= 1
        Size of the hidden layer of the fused classifier.
    dropout : float in [0, 1)

    Raises
    ------
    SettingsError
        If the heads do not divide the size, or the size is odd and positions are added.
    """

    branches: Mapping[str, FrameEncoderSettings] = field(default_factory=_default_branches)
    size: Annotated[int, Field(ge=1)] = 64
    heads: Annotated[int, Field(ge=1)] = 4
    layers: Annotated[int, Field(ge=1)] = 1
    positions: bool = True
    hidden: Annotated[int, Field(ge=1)] = 64
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size % self.heads or (self.positions and self.size % 2):
            raise SettingsError(
                f"The size {self.size} must be a multiple of the heads ({self.heads}), and even "
                "if positions are added."
            )
