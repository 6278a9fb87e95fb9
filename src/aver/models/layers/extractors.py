"""Extractors of image features: convolutional blocks, HOG, and functionals of spectrogram bands."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from aver.errors import SettingsError


class ConvBlocks(nn.Module):
    """Convolution, batch norm, ReLU and max pooling, several times.

    Parameters
    ----------
    shape : tuple of int
        ``(channels, height, width)`` of an image.
    channels : sequence of int
        Output channels of each block; each block halves height and width.

    Raises
    ------
    SettingsError
        If the image is too small for the number of blocks.

    Notes
    -----
    Source: Birhala et al. 2020, section II and Figure 2: a sequence of convolutional blocks with
    batch normalization after each convolution.
    Differs from the paper: it prints no sizes; ours are 3 x 3 filters and pooling by 2.
    """

    def __init__(self, shape: tuple[int, int, int], channels: Sequence[int]) -> None:
        super().__init__()
        before, height, width = shape
        if min(height, width) < 2 ** len(channels):
            raise SettingsError(
                f"Images of {height} x {width} are too small for {len(channels)} blocks that each "
                "halve them. Use larger images or fewer channels."
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


_BINS = 8
_MIN_NORM = 1e-6


class HOG(nn.Module):
    """Histograms of oriented gradients on a grid of cells, for each image; nothing to train.

    Parameters
    ----------
    shape : tuple of int
        Of one image: ``(channels, height, width)``; channels are averaged.
    cells : int >= 1
        Cells along each side.

    Raises
    ------
    SettingsError
        If an image is too small for its cells.

    Notes
    -----
    Source: Dalal & Triggs 2005, sections 6.1 to 6.4. Each pixel's gradient is shared between the
    two nearest of 8 directions in [0, 180) degrees; the histograms of an image are scaled together
    to length 1.
    Differs from Chang & Skarbek 2021: they train a ResNet, for which the few hundred clips of a
    small corpus are too few.
    """

    cell: Tensor

    def __init__(self, shape: tuple[int, ...], cells: int = 6) -> None:
        super().__init__()
        if cells < 1 or len(shape) != 3 or min(shape[1:]) < 2 * cells:
            raise SettingsError(
                f"HOG needs images of at least 2 pixels per cell; {cells} cells do not fit frames "
                f"of shape {shape}."
            )
        rows, columns = (torch.arange(length) * cells // length for length in shape[1:])
        # Not part of a checkpoint: it follows from the shape.
        self.register_buffer("cell", (rows[:, None] * cells + columns).flatten(), persistent=False)
        self.size = _BINS * cells**2

    def forward(self, x: Tensor) -> Tensor:
        """``(frames, channels, height, width)`` to ``(frames, 8 * cells^2)``."""
        gray = functional.pad(x.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
        across = gray[:, 0, 1:-1, 2:] - gray[:, 0, 1:-1, :-2]
        down = gray[:, 0, 2:, 1:-1] - gray[:, 0, :-2, 1:-1]
        magnitude = (across.square() + down.square() + 1e-12).sqrt()
        position = torch.remainder(torch.atan2(down, across), math.pi) * (_BINS / math.pi)
        lower = position.floor()
        share = position - lower
        histograms = x.new_zeros((len(x), self.size))
        for bins, part in ((lower, 1 - share), (lower + 1, share)):
            wrapped = torch.where(bins < _BINS, bins, bins - _BINS)  # faster than a remainder
            slots = self.cell * _BINS + wrapped.long().flatten(1)
            histograms.scatter_add_(1, slots, (magnitude * part).flatten(1))
        return histograms / histograms.norm(dim=1, keepdim=True).clamp_min(_MIN_NORM)


_MIN_VARIANCE = 1e-6


class BandFunctionals(nn.Module):
    """Mean and standard deviation of every band over the window's columns; nothing to train.

    Parameters
    ----------
    shape : tuple of int
        ``(channels, bands, columns)`` of a window's spectrogram.
    rows : int >= 1
        If there are more bands, neighboring ones are averaged to this number of rows.

    Notes
    -----
    Differs from the paper: ours, for corpora of a few hundred clips. The features keep the band of
    a sound, not its time in the window.

    Examples
    --------
    >>> BandFunctionals((1, 6, 4), rows=2)(torch.zeros(3, 1, 6, 4)).shape
    torch.Size([3, 4])
    """

    def __init__(self, shape: tuple[int, ...], rows: int) -> None:
        super().__init__()
        self.rows = min(rows, shape[1])
        self.size = 2 * shape[0] * self.rows

    def forward(self, windows: Tensor) -> Tensor:
        """``(windows, channels, bands, columns)`` to ``(windows, 2 * channels * rows)``."""
        mean = windows.mean(dim=3)
        # Four times as fast as torch.var; windows are standardized, so little precision is lost.
        variance = (windows.square().mean(dim=3) - mean.square()).clamp_min(0)
        std = (variance + _MIN_VARIANCE).sqrt()
        both = torch.cat([mean, std], dim=1)  # (windows, 2 * channels, bands)
        return functional.adaptive_avg_pool1d(both, self.rows).flatten(1)


def with_coordinates(frames: Tensor) -> Tensor:
    """Append channels with the row and column coordinate of each pixel, from -1 to 1.

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
    both = torch.stack([row, column]).expand(count, 2, rows, columns)
    return torch.cat([frames, both.to(frames.dtype)], dim=1)
