"""`HOG`: where in a picture edges run in which direction; nothing to learn."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from aver.errors import SettingsError

_BINS = 8
_MIN_NORM = 1e-6


class HOG(nn.Module):
    """Histograms of gradient directions on a grid of cells, for each picture.

    Parameters
    ----------
    shape : tuple of int
        Of one picture: ``(channels, height, width)``; channels are averaged.
    cells : int >= 1
        Along each side.

    Raises
    ------
    SettingsError
        If a picture is too small for its cells.

    Notes
    -----
    Source: Dalal & Triggs 2005, sections 6.1 to 6.4. Each pixel's gradient is shared between the
    two nearest of 8 directions in [0, 180) degrees; each picture's histograms are scaled together
    to length 1.
    Differs from the paper: Chang & Skarbek learn a ResNet. From the few hundred clips of a small
    corpus a network does not learn to see; this one need not.
    """

    cell: Tensor

    def __init__(self, shape: tuple[int, ...], cells: int = 6) -> None:
        super().__init__()
        if cells < 1 or len(shape) != 3 or min(shape[1:]) < 2 * cells:
            raise SettingsError(
                f"Oriented gradients need pictures of at least 2 pixels a cell; {cells} cells do "
                f"not fit frames of shape {shape}."
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
        C = (across.square() + down.square() + 1e-12).sqrt()
        place = torch.remainder(torch.atan2(down, across), math.pi) * (_BINS / math.pi)
        lower = place.floor()
        share = place - lower
        histograms = x.new_zeros((len(x), self.size))
        for bins, part in ((lower, 1 - share), (lower + 1, share)):
            wrapped = torch.where(bins < _BINS, bins, bins - _BINS)  # less work than a remainder
            slots = self.cell * _BINS + wrapped.long().flatten(1)
            histograms.scatter_add_(1, slots, (C * part).flatten(1))
        return histograms / histograms.norm(dim=1, keepdim=True).clamp_min(_MIN_NORM)
