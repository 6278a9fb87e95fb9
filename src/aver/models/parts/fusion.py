"""`Scoring` and `FusionComponent`: from feature vectors to the scores of every target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from aver.models.parts.feature_norm import FeatureNorm


class Scoring(nn.Module):
    """``DenseUnit -> ReLU -> FeatureNorm -> DenseUnit``, with one last dense unit per target.

    Parameters
    ----------
    features : int
        Of the input.
    hidden : int
        Of the layer between.
    outputs : mapping of str to int
        Target to its number of scores.
    dropout : float in [0, 1)
        Before each dense unit.

    Notes
    -----
    Source: Chang & Skarbek 2021, eq. 2; several targets as in section 3.2, Figure 8.
    """

    def __init__(
        self, features: int, hidden: int, outputs: Mapping[str, int], dropout: float
    ) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(features, hidden), nn.ReLU(), FeatureNorm(hidden)
        )
        self.scores = DenseScores(hidden, outputs, dropout)

    def forward(self, features: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Scores by target, and the hidden layer, which is the deep feature of what was fused."""
        hidden = self.hidden(features)
        return self.scores(hidden), hidden


class DenseScores(nn.Module):
    """One dense unit per target.

    Source: Chang & Skarbek 2021, eqs. 8 and 9, for the side branches.
    """

    def __init__(self, features: int, outputs: Mapping[str, int], dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.ModuleDict(
            {target: nn.Linear(features, count) for target, count in outputs.items()}
        )

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """``(clips, features)`` to scores ``(clips, outputs)`` by target."""
        features = self.dropout(features)
        return {target: dense(features) for target, dense in self.dense.items()}


class FusionComponent(nn.Module):
    """``Concatenate -> FeatureNorm -> Scoring``.

    Parameters
    ----------
    sizes : sequence of int
        Of the feature vectors of the modalities.
    hidden, outputs, dropout
        As `Scoring`.

    Notes
    -----
    Source: Chang & Skarbek 2021, eqs. 3 and 4.
    """

    def __init__(
        self, sizes: Sequence[int], hidden: int, outputs: Mapping[str, int], dropout: float
    ) -> None:
        super().__init__()
        self.norm = FeatureNorm(sum(sizes))
        self.scoring = Scoring(sum(sizes), hidden, outputs, dropout)

    def forward(self, features: Sequence[Tensor]) -> tuple[dict[str, Tensor], Tensor]:
        """Feature vectors ``(clips, size)`` to scores by target and the fused deep feature."""
        return self.scoring(self.norm(torch.cat(list(features), dim=1)))
