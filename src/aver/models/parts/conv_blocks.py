"""`ConvBlocks`: convolution, batch norm, ReLU and max-pooling, several times over."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from aver.errors import SettingsError


class ConvBlocks(nn.Module):
    """Turns images into feature vectors.

    Parameters
    ----------
    shape : tuple of int
        ``(channels, height, width)`` of an image.
    channels : sequence of int
        Output channels of each block; each block halves height and width.

    Raises
    ------
    SettingsError
        If the image is too small for so many blocks.

    Notes
    -----
    Source: Birhala et al. 2020, section II and Figure 2: a sequence of convolutional blocks with
    batch normalisation after each convolution.
    Differs from the paper: it prints no sizes; ours are 3 x 3 filters and pooling by 2.
    """

    def __init__(self, shape: tuple[int, int, int], channels: Sequence[int]) -> None:
        super().__init__()
        before, height, width = shape
        if min(height, width) < 2 ** len(channels):
            raise SettingsError(
                f"Images of {height} x {width} are too small for {len(channels)} blocks that each "
                "halve them. Choose larger images or fewer channels."
            )
        layers: list[nn.Module] = []
        for after in channels:
            layers += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(2),
            ]
            before, height, width = after, height // 2, width // 2
        self.layers = nn.Sequential(*layers)
        self.size = before * height * width

    def forward(self, images: Tensor) -> Tensor:
        """``(images, channels, height, width)`` to ``(images, size)``."""
        return torch.flatten(self.layers(images), 1)
