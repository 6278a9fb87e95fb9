"""`BandStatistics`: how loud each band of a window is, and how much that varies."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LEAST_VARIANCE = 1e-6


class BandStatistics(nn.Module):
    """Mean and standard deviation of every band over the window's columns; nothing to learn.

    Parameters
    ----------
    shape : tuple of int
        ``(channels, bands, columns)`` of a window's spectrogram.

    Notes
    -----
    Differs from the paper: ours, for corpora of a few hundred clips. Where in the window something
    is heard is forgotten; which band it is in is not.

    Examples
    --------
    >>> BandStatistics((1, 2, 4))(torch.zeros(3, 1, 2, 4)).shape
    torch.Size([3, 4])
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.size = 2 * shape[0] * shape[1]

    def forward(self, windows: Tensor) -> Tensor:
        """``(windows, channels, bands, columns)`` to ``(windows, 2 * channels * bands)``."""
        variance = windows.var(dim=3, correction=0)
        deviation = (variance + _LEAST_VARIANCE).sqrt()
        return torch.cat([windows.mean(dim=3), deviation], dim=1).flatten(1)
