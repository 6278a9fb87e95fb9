"""`FeatureMean`: the training mean of a modality's features stands in for the modality."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_SHARE_OF_NEW = 0.1  # as batch norm's running mean


class FeatureMean(nn.Module):
    """Keeps a running mean of features in training, and fills it in where there are none.

    Parameters
    ----------
    size : int
        Of a feature vector.
    """

    mean: Tensor
    steps: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, features: Tensor | None, has: Tensor, kept: Tensor) -> Tensor:
        """Lay features out by row, the mean where there are none or they are not kept.

        Parameters
        ----------
        features : Tensor [shape=(rows with features, size)] or None
        has, kept : Tensor of bool [shape=(rows,)]
            Rows with features; rows that shall show them.

        Returns
        -------
        Tensor [shape=(rows, size)]
        """
        if features is None:
            return self.mean.expand(len(has), -1)
        if self.training:
            self._learn(features.detach().float().mean(dim=0))
        mean = self.mean.to(features.dtype)
        rows = features
        if len(features) < len(has):
            rows = mean.repeat(len(has), 1)
            rows[has] = features
        return torch.where(kept[:, None], rows, mean)

    def _learn(self, mean: Tensor) -> None:
        self.mean = torch.lerp(self.mean, mean, _SHARE_OF_NEW) if self.steps > 0 else mean
        self.steps = self.steps + 1
