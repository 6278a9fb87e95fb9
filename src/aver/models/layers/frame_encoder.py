"""`FrameEncoder`: from the frames of one modality to one feature vector per frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn

from aver.models.data.batches import ClipSequences
from aver.models.layers.augmentation import (
    ImageAugmentation,
    ImageAugmentationSettings,
    SpectrogramAugmentation,
    SpectrogramAugmentationSettings,
)
from aver.models.layers.encoder import Encoder, EncoderSettings, make_extractor
from aver.models.layers.extractors import with_coordinates
from aver.models.layers.normalization import Standardize
from aver.settings import Field, settings


@settings
class FrameEncoderSettings(EncoderSettings):
    """How the frames of one modality are read; see `EncoderSettings` for the extractor.

    Parameters
    ----------
    feature : str
        Registered name: ``"face-crops"``, ``"spectrogram-segments"``, ``"action-units"`` ...
    feature_settings : mapping
        Settings of that feature.
    gray : bool
        Convert color images to gray.
    coord_conv : bool
        Give the extractor two more channels with the row and column coordinate of each pixel, from
        -1 to 1: a ResNet's pooling discards positions, but it matters which band is loud, or which
        part of a face moves.
    movement : bool
        Give the extractor, beside each frame, its difference from the mean frame of the clip (or
        slice), which shows movement and not the person.
    standardize : {"none", "clip", "bands", "train"}
        See `aver.models.layers.normalization.Standardize`.
    frames : int >= 0
        Maximum number of frames of a clip (or slice), evenly spread; 0 for all.
    image_augmentation, spectrogram_augmentation : settings or None
        For images and for spectrograms; None switches it off.
    """

    feature: str = field(kw_only=True)
    feature_settings: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    gray: bool = False
    coord_conv: bool = False
    movement: bool = False
    standardize: Literal["none", "clip", "bands", "train"] = "none"
    frames: Annotated[int, Field(ge=0)] = 0
    image_augmentation: ImageAugmentationSettings | None = None
    spectrogram_augmentation: SpectrogramAugmentationSettings | None = None


class FrameEncoder(Encoder):
    """Standardizes and augments frames, and extracts a feature vector of each.

    Networks subclass it and say what follows (`encode` gives the feature vectors).

    Parameters
    ----------
    settings : FrameEncoderSettings
    shape : tuple of int
        Of one frame: ``(channels, rows, columns)``, or ``(features,)``.

    Attributes
    ----------
    features : int
        Length of a feature vector.

    Raises
    ------
    SettingsError
        If the extractor reads images and the frames are vectors.
    """

    def __init__(self, settings: FrameEncoderSettings, shape: tuple[int, ...]) -> None:
        super().__init__(settings)
        self.coord_conv, self.movement = settings.coord_conv, settings.movement
        self.standardize = Standardize(
            settings.standardize, shape[-2] if len(shape) == 3 else shape[-1]
        )
        self.augment = nn.ModuleList()
        if settings.image_augmentation is not None:
            self.augment.append(ImageAugmentation(settings.image_augmentation))
        if settings.spectrogram_augmentation is not None:
            self.augment.append(SpectrogramAugmentation(settings.spectrogram_augmentation))
        self.extractor, self.features = make_extractor(settings, _with_channels(settings, shape))

    def encode(self, clips: ClipSequences) -> Tensor:
        """Frames of all clips to their feature vectors, ``(frames of all clips, features)``."""
        frames = clips.frames.float()  # (frames of all clips, channels, rows, columns)
        if clips.frames.dtype == torch.uint8:
            frames = frames / 127.5 - 1  # bytes of images to [-1, 1]
        frames = self.standardize(frames, clips)
        for augment in self.augment:
            frames = augment(frames, clips)
        if self.movement:
            frames = torch.cat([frames, frames - clips.means(frames)], dim=1)
        if self.coord_conv:
            frames = with_coordinates(frames)
        if frames.ndim == 4:
            frames = frames.contiguous(memory_format=torch.channels_last)
        return self.extractor(frames)


def _with_channels(settings: FrameEncoderSettings, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of a frame with the channels of movement and coordinates, which are for images."""
    if len(shape) != 3:
        return shape
    channels = shape[0] * (2 if settings.movement else 1) + (2 if settings.coord_conv else 0)
    return channels, shape[1], shape[2]
