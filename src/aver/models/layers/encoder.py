"""`Branch`: from the frames of one modality to one normalised feature vector per clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from aver.errors import SettingsError
from aver.models.data.clip_frames import ClipSequences
from aver.models.layers.augmentation import (
    ImageAugmentation,
    ImageAugmentationSettings,
    SpectrogramAugmentation,
    SpectrogramAugmentationSettings,
)
from aver.models.layers.hog import HOG
from aver.models.layers.normalization import FeatureNorm, Standardize
from aver.models.layers.pooling import make_aggregator
from aver.models.layers.pretrained import PretrainedPart, check_pretraining
from aver.networks.resnet import ResNet18

EXTRACTORS = ("resnet18", "hog", "identity")


@dataclass(frozen=True)
class BranchSettings:
    """How one modality is read.

    Parameters
    ----------
    feature : str
        Registered name: ``"face-crops"``, ``"spectrogram-segments"``, ``"action-units"`` ...
    feature_settings : mapping
        Of that feature.
    extractor : {"resnet18", "hog", "identity"}
        The paper's; oriented gradients, which need not be learnt, for small corpora; identity for
        tracks of features and vectors of statistics.
    width, blocks, stem : int, int, str
        Of the ResNet; 64, 2 and "7x7" are ResNet-18.
    gray : bool
        Use brightness only, of colour images.
    coord_conv : bool
        Give the ResNet two more channels: where a row and a column lie, from -1 to 1. Its pooling
        forgets places, and which band is loud, or which part of a face moves, matters.
    movement : bool
        Give the ResNet, beside each frame, its difference from the mean frame of the clip (or
        slice): a face at work, without whose face it is.
    standardize : {"none", "clip", "bands", "train"}
        See `aver.models.layers.normalization.Standardize`.
    aggregator : {"lstm", "bilstm", "transformer", "statistics", "mean"}
        See `aver.models.layers.pooling`.
    size : int
        Of the aggregator's answer.
    frames : int >= 0
        At most so many frames of a clip (or slice) are looked at, evenly spread; 0 for all.
    image_augmentation, spectrogram_augmentation : settings or None
        For images and for spectrograms; None switches it off.
    pretrained : str
        Weights for the extractor: a name of `aver list weights`, a file, or a run folder of
        `aver pretrain`; empty for a random start.
    frozen_epochs : int >= 0
        The pretrained extractor is not trained in so many first epochs.
    pretrained_rate : float > 0
        The pretrained extractor's learning rate, as a share of the usual one.
    """

    feature: str
    feature_settings: Mapping[str, Any] = field(default_factory=dict)
    extractor: str = "resnet18"
    width: int = 64
    blocks: int = 2
    stem: str = "7x7"
    gray: bool = False
    coord_conv: bool = False
    movement: bool = False
    standardize: str = "none"
    aggregator: str = "lstm"
    size: int = 256
    frames: int = 0
    image_augmentation: ImageAugmentationSettings | None = None
    spectrogram_augmentation: SpectrogramAugmentationSettings | None = None
    pretrained: str = ""
    frozen_epochs: int = 0
    pretrained_rate: float = 1.0

    def __post_init__(self) -> None:
        check_pretraining(self.pretrained, self.frozen_epochs, self.pretrained_rate)
        if self.extractor not in EXTRACTORS:
            raise SettingsError(
                f"There is no extractor {self.extractor!r}. Known are: {', '.join(EXTRACTORS)}."
            )
        if self.size < 1 or self.frames < 0:
            raise SettingsError(
                f"A branch needs a size of at least 1 and no negative number of frames, not size "
                f"{self.size} and {self.frames} frames."
            )


class Branch(PretrainedPart):
    """``f^_m = FeatureNorm(A_m(F_m(x_m)))``.

    Parameters
    ----------
    settings : BranchSettings
    shape : tuple of int
        Of one frame: ``(channels, rows, columns)``, or ``(features,)``.
    dropout : float in [0, 1)
        Behind the aggregator, and within a Transformer.

    Notes
    -----
    Source: Chang & Skarbek 2021, eqs. 1 and 3.

    Raises
    ------
    SettingsError
        If a ResNet is to read frames that are no images.
    """

    def __init__(self, settings: BranchSettings, shape: tuple[int, ...], dropout: float) -> None:
        super().__init__(settings.frozen_epochs, settings.pretrained_rate)
        rows = shape[-2] if len(shape) == 3 else shape[-1]
        self.coord_conv, self.movement = settings.coord_conv, settings.movement
        self.standardize = Standardize(settings.standardize, rows)
        self.augment: nn.ModuleList = nn.ModuleList()
        if settings.image_augmentation is not None:
            self.augment.append(ImageAugmentation(settings.image_augmentation))
        if settings.spectrogram_augmentation is not None:
            self.augment.append(SpectrogramAugmentation(settings.spectrogram_augmentation))
        if settings.extractor == "identity":
            self.extractor = nn.Flatten()
            features = 1
            for length in shape:
                features *= length
        elif settings.extractor == "hog":
            self.extractor = HOG(shape)
            features = self.extractor.size
        else:
            if len(shape) != 3:
                raise SettingsError(
                    f"The extractor resnet18 reads images or spectrograms; {settings.feature!r} "
                    f"yields frames of shape {shape}. Use extractor: identity."
                )
            channels = shape[0] * (2 if settings.movement else 1)
            channels += 2 if settings.coord_conv else 0
            self.extractor = ResNet18(channels, settings.width, settings.blocks, settings.stem)
            features = self.extractor.size
        self.aggregator = make_aggregator(settings.aggregator, features, settings.size, dropout)
        self.size: int = self.aggregator.size  # type: ignore[assignment]
        self.norm = FeatureNorm(self.size)

    def forward(self, clips: ClipSequences) -> Tensor:
        """``(clips that have the modality, size)``, the paper's ``f^_m``."""
        frames = clips.frames.float()
        if clips.frames.dtype == torch.uint8:
            frames = frames / 127.5 - 1  # bytes of pictures to [-1, 1]
        frames = self.standardize(frames, clips)
        for augment in self.augment:
            frames = augment(frames, clips)
        if self.movement:
            frames = torch.cat([frames, frames - clips.means(frames)], dim=1)
        if self.coord_conv:
            frames = with_coordinates(frames)
        if frames.ndim == 4:
            frames = frames.contiguous(memory_format=torch.channels_last)
        return self.norm(self.aggregator(self.extractor(frames), clips))


def with_coordinates(frames: Tensor) -> Tensor:
    """Append channels that say where a row and a column lie.

    Source: Liu et al. 2018 (CoordConv).

    Parameters
    ----------
    frames : Tensor [shape=(frames, channels, rows, columns)]

    Returns
    -------
    Tensor [shape=(frames, channels + 2, rows, columns)]
    """
    count, _, rows, columns = frames.shape
    row = torch.linspace(-1, 1, rows, device=frames.device)[:, None].expand(rows, columns)
    column = torch.linspace(-1, 1, columns, device=frames.device).expand(rows, columns)
    places = torch.stack([row, column]).expand(count, 2, rows, columns)
    return torch.cat([frames, places.to(frames.dtype)], dim=1)
