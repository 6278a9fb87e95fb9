"""`ResidualPerceptron`: a normalised feature vector plus a normalised correction."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aver.models.parts.feature_norm import FeatureNorm


class ResidualPerceptron(nn.Module):
    """``f' = f^ + FeatureNorm(Sigmoid(DenseUnit(f^)))``.

    Parameters
    ----------
    size : int
        Of the feature vector.

    Notes
    -----
    Source: Chang & Skarbek 2021, eq. 6.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.dense = nn.Linear(size, size)
        self.norm = FeatureNorm(size)

    def forward(self, normed: Tensor) -> Tensor:
        """``(clips, size)`` to ``(clips, size)``."""
        return normed + self.norm(torch.sigmoid(self.dense(normed)))
