"""`MRPNNetwork`: N0, N1 and N2 of Chang & Skarbek 2021, for any number of modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aver.errors import SettingsError
from aver.models.data.clip_frames import ClipSequences
from aver.models.layers.encoder import Branch
from aver.models.layers.normalization import FeatureNorm


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


NETWORKS = ("N0", "N1", "N2")
SIDE_SCORINGS = ("dense", "long")


@dataclass(frozen=True)
class Scores:
    """What the network says about a batch, before any softmax.

    Parameters
    ----------
    fused : mapping of str to Tensor [shape=(clips with every modality, outputs)]
        By target.
    side : mapping of str to mapping of str to Tensor [shape=(clips with it, outputs)]
        By modality, then by target.
    complete : Tensor of bool [shape=(clips,)]
        Which clips have every modality.
    features : mapping of str to Tensor [shape=(clips with it, size)]
        ``f^_m`` by modality.
    fused_feature : Tensor [shape=(clips with every modality, hidden)]
        What the last dense unit sees.
    """

    fused: Mapping[str, Tensor]
    side: Mapping[str, Mapping[str, Tensor]]
    complete: Tensor
    features: Mapping[str, Tensor]
    fused_feature: Tensor


class MRPNNetwork(nn.Module):
    """Branches per modality, residual perceptrons, and a component that fuses them.

    Parameters
    ----------
    branches : mapping of str to Branch
        By modality. A single one makes the unimodal network: its branch, then eq. 3's Scoring.
    outputs : mapping of str to int
        Target to its number of scores.
    kind : {"N0", "N1", "N2"}
        N0 fuses only; N1 adds side scores; N2 adds residual perceptrons before the fusion.
    hidden : int
        Of the FusionComponent.
    dropout : float in [0, 1)
    side_scoring : {"dense", "long"}
        ``"dense"`` as eqs. 8 and 9 have it, ``"long"`` as eq. 3.

    Notes
    -----
    Source: Chang & Skarbek 2021, eqs. 7 to 9 and Figure 7; section 3.2 for more modalities and
    targets. N0 has side heads too, which are trained afterwards on detached features, so that it
    can answer when a modality is missing.
    Differs from the paper: those side heads.

    Raises
    ------
    SettingsError
        If there is no such network or scoring.
    """

    def __init__(
        self,
        branches: Mapping[str, Branch],
        outputs: Mapping[str, int],
        *,
        kind: str = "N2",
        hidden: int = 256,
        dropout: float = 0.3,
        side_scoring: str = "dense",
    ) -> None:
        super().__init__()
        if kind not in NETWORKS:
            raise SettingsError(f"There is no network {kind!r}. Known are: {', '.join(NETWORKS)}.")
        if side_scoring not in SIDE_SCORINGS:
            raise SettingsError(
                f"There is no side scoring {side_scoring!r}. Known are: {', '.join(SIDE_SCORINGS)}."
            )
        self.kind = kind
        self.branches = nn.ModuleDict(branches)
        sizes = {name: branch.size for name, branch in branches.items()}
        self.residual, self.side = nn.ModuleDict(), nn.ModuleDict()
        if len(branches) == 1:
            (size,) = sizes.values()
            self.scoring = Scoring(size, hidden, outputs, dropout)
            return
        for name, size in sizes.items():
            if kind == "N2":
                self.residual[name] = ResidualPerceptron(size)
            self.side[name] = (
                DenseScores(size, outputs, dropout)
                if side_scoring == "dense"
                else Scoring(size, hidden, outputs, dropout)
            )
        self.fusion = FusionComponent(list(sizes.values()), hidden, outputs, dropout)

    def forward(self, inputs: Mapping[str, ClipSequences]) -> Scores:
        """Score a batch; clips may lack modalities.

        Parameters
        ----------
        inputs : mapping of str to ClipSequences
            By modality, all for the same clips.
        """
        present = {name: inputs[name].present for name in self.branches}
        complete = torch.stack(list(present.values())).all(dim=0)
        normed = {
            name: branch(inputs[name])
            for name, branch in self.branches.items()
            if inputs[name].lengths
        }
        if not bool(complete.any()):
            return Scores({}, self._side(normed), complete, normed, torch.empty(0))
        # Fusion sees clips that have everything; side branches see each clip that has theirs.
        whole = {name: value[complete[present[name]]] for name, value in normed.items()}
        if len(self.branches) == 1:
            fused, feature = self.scoring(next(iter(whole.values())))
        else:
            if self.kind == "N2":
                whole = {name: self.residual[name](value) for name, value in whole.items()}
            fused, feature = self.fusion(list(whole.values()))
        return Scores(fused, self._side(normed), complete, normed, feature)

    def _side(self, normed: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
        return {name: self.side_scores(name, value) for name, value in normed.items() if self.side}

    def side_scores(self, modality: str, normed: Tensor) -> dict[str, Tensor]:
        """Scores of one side branch from its ``f^_m``, by target."""
        scores = self.side[modality](normed)
        return scores[0] if isinstance(scores, tuple) else scores
