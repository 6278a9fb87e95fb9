"""`SegmentExtractor`: what reads the picture, or the window of sound, of a segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from aver.errors import SettingsError
from aver.models.layers.conv_blocks import BandStatistics, ConvBlocks
from aver.models.layers.hog import HOG
from aver.models.layers.normalization import FeatureNorm
from aver.models.layers.pretrained import PretrainedPart, check_pretraining
from aver.networks.resnet import ResNet18
from aver.settings import check_words


@dataclass(frozen=True)
class SegmentExtractorSettings:
    """How one modality of a segment is read.

    Parameters
    ----------
    kind : {"conv-blocks", "hog", "band-statistics", "resnet18"}
        The paper's blocks; for small corpora oriented gradients of the picture, or mean and
        deviation of each band of the window, which need not be learnt; a ResNet, which may be
        pretrained. Pictures that come as embeddings are taken as they are.
    width, blocks, stem : int, int, str
        Of the ResNet; 64, 2 and "7x7" are ResNet-18.
    rows : int >= 1
        Of band statistics: neighbouring bands are averaged to so many.
    relative : bool
        Subtract from a segment's features their mean over the segments of its clip: whose face or
        voice it is goes, what changes within the clip stays. A single segment stays as it is.
    pretrained : str
        Weights for the ResNet: a name of `aver list weights`, a file, or a run folder of
        `aver pretrain`; empty for a random start.
    frozen_epochs : int >= 0
        The pretrained ResNet is not trained in so many first epochs.
    pretrained_rate : float > 0
        The pretrained ResNet's learning rate, as a share of the usual one.

    Raises
    ------
    SettingsError
        If a value is unknown or out of range, or weights are named for something else than a
        ResNet.
    """

    kind: Literal["conv-blocks", "hog", "band-statistics", "resnet18"] = "conv-blocks"
    width: int = 64
    blocks: int = 2
    stem: str = "7x7"
    rows: int = 32
    relative: bool = False
    pretrained: str = ""
    frozen_epochs: int = 0
    pretrained_rate: float = 1.0

    def __post_init__(self) -> None:
        check_words(self)
        check_pretraining(self.pretrained, self.frozen_epochs, self.pretrained_rate)
        if self.rows < 1:
            raise SettingsError(f"rows must be at least 1, not {self.rows}.")
        if self.pretrained and self.kind != "resnet18":
            raise SettingsError(
                f"Pretrained weights are for the extractor resnet18, not for {self.kind}."
            )


class SegmentExtractor(PretrainedPart):
    """Images, or vectors, of segments to feature vectors.

    Parameters
    ----------
    settings : SegmentExtractorSettings
    shape : tuple of int
        ``(channels, height, width)`` of an image, or ``(features,)`` of a vector.
    channels : sequence of int
        Of the convolutional blocks.

    Notes
    -----
    Source: Birhala et al. 2020, section II and Figure 2, for the convolutional blocks; the other
    kinds are ours, and batch-normalised, for their scales are not those of learnt features. A
    batch in which a single clip has the modality carries no variance: batch norms then take their
    running statistics, which stay as they are.
    """

    def __init__(
        self, settings: SegmentExtractorSettings, shape: tuple[int, ...], channels: Sequence[int]
    ) -> None:
        super().__init__(settings.frozen_epochs, settings.pretrained_rate)
        self.norm: nn.Module = nn.Identity()
        if len(shape) == 1:
            self.extractor, self.size = nn.Identity(), shape[0]
            return
        if settings.kind == "conv-blocks":
            blocks = ConvBlocks((shape[0], shape[1], shape[2]), channels)
            self.extractor, self.size = blocks, blocks.size
            return
        extractor = _make(settings, shape)
        self.extractor, self.size = extractor, extractor.size
        self.norm = FeatureNorm(self.size)

    @property
    def learns(self) -> bool:
        """Whether there is anything to learn in reading, before the batch norm."""
        return any(True for _ in self.extractor.parameters())

    def forward(self, images: Tensor) -> Tensor:
        """``(images, ...)`` to ``(images, size)``."""
        return self.norm(self.read(images))

    def read(self, images: Tensor) -> Tensor:
        """Features before the batch norm, ``(images, size)``."""
        if len(images) > 1 or not self.extractor.training:
            return self.extractor(images)
        features = self.extractor.eval()(images)
        self.extractor.train()
        return features


def _make(
    settings: SegmentExtractorSettings, shape: tuple[int, ...]
) -> HOG | BandStatistics | ResNet18:
    if settings.kind == "hog":
        return HOG(shape)
    if settings.kind == "band-statistics":
        return BandStatistics(shape, settings.rows)
    return ResNet18(shape[0], settings.width, settings.blocks, settings.stem)
