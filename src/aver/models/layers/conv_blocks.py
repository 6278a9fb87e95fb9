"""`ConvBlocks`: convolution, batch norm, ReLU and max-pooling, several times over."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

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


_MIN_VARIANCE = 1e-6


class BandStatistics(nn.Module):
    """Mean and standard deviation of every band over the window's columns; nothing to learn.

    Parameters
    ----------
    shape : tuple of int
        ``(channels, bands, columns)`` of a window's spectrogram.
    rows : int >= 1
        Statistics of neighbouring bands are averaged to so many rows, if there are more.

    Notes
    -----
    Differs from the paper: ours, for corpora of a few hundred clips. Where in the window something
    is heard is forgotten; which band it is in is not.

    Examples
    --------
    >>> BandStatistics((1, 6, 4), rows=2)(torch.zeros(3, 1, 6, 4)).shape
    torch.Size([3, 4])
    """

    def __init__(self, shape: tuple[int, ...], rows: int) -> None:
        super().__init__()
        self.rows = min(rows, shape[1])
        self.size = 2 * shape[0] * self.rows

    def forward(self, windows: Tensor) -> Tensor:
        """``(windows, channels, bands, columns)`` to ``(windows, 2 * channels * rows)``."""
        mean = windows.mean(dim=3)
        # Four times as fast as torch.var; windows are standardised, so that little is cancelled.
        variance = (windows.square().mean(dim=3) - mean.square()).clamp_min(0)
        std = (variance + _MIN_VARIANCE).sqrt()
        both = torch.cat([mean, std], dim=1)  # (windows, 2 * channels, bands)
        return functional.adaptive_avg_pool1d(both, self.rows).flatten(1)
