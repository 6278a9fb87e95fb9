"""`MRPNNetwork`: N0, N1 and N2 of Chang & Skarbek 2021, for any number of modalities.

The equations of section 3.1 in the paper's order, for modalities m in {v (video), a (audio)}::

    f_m  = A_m(F_m(x_m))                                        (1)  Branch
    Scoring = DenseUnit -> ReLU -> FeatureNorm -> DenseUnit     (2)  Scoring
    f^_m = FeatureNorm(f_m),  s_m = Scoring(f^_m)               (3)  Branch, Scoring
    s_va = FusionComponent(g_v, g_a)
         = Scoring(FeatureNorm(Concatenate(g_v, g_a)))          (3), (4)  FusionComponent
    L    = L_v + L_a + L_va                                     (5)  task.MRPNTask
    f'_m = f^_m + FeatureNorm(Sigmoid(DenseUnit(f^_m)))         (6)  ResidualPerceptron

    N0:  s_va = FusionComponent(f^_v, f^_a)                     (7)  MRPNNetwork
    N1:  as N0, and s_m = DenseUnit(f^_m)                       (8)
    N2:  as N1, but s_va = FusionComponent(f'_v, f'_a)          (9)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from aver.models.base.fusion_recognizer import DenseScores, Scores
from aver.models.data.batches import ClipSequences
from aver.models.layers.frame_encoder import FrameEncoder
from aver.models.layers.normalization import FeatureNorm
from aver.models.layers.pooling import make_aggregator
from aver.models.mrpn.settings import BranchSettings, MRPNSettings


class Branch(FrameEncoder):
    """``f^_m = FeatureNorm(A_m(F_m(x_m)))``: from frames to one normalized vector per clip.

    Parameters
    ----------
    settings : BranchSettings
    shape : tuple of int
        Of one frame: ``(channels, rows, columns)``, or ``(features,)``.
    dropout : float in [0, 1)
        Within a Transformer.

    Notes
    -----
    Source: Chang & Skarbek 2021, eqs. 1 and 3. F_m is the encoder of frames.

    Raises
    ------
    SettingsError
        If the extractor reads images and the frames are vectors.
    """

    def __init__(self, settings: BranchSettings, shape: tuple[int, ...], dropout: float) -> None:
        super().__init__(settings, shape)
        self.aggregator = make_aggregator(
            settings.aggregator, self.features, settings.size, dropout
        )
        self.size: int = self.aggregator.size  # type: ignore[assignment]
        self.norm = FeatureNorm(self.size)

    def forward(self, clips: ClipSequences) -> Tensor:
        """``(clips that have the modality, size)``, the paper's ``f^_m``."""
        return self.norm(self.aggregator(self.encode(clips), clips))


class Scoring(nn.Module):
    """``DenseUnit -> ReLU -> FeatureNorm -> DenseUnit``, with one last dense unit per target.

    Parameters
    ----------
    features : int
        Of the input.
    hidden : int
        Of the hidden layer.
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
        """Scores by target, and the hidden layer ``(clips, hidden)``, a deep feature."""
        hidden = self.hidden(features)
        return self.scores(hidden), hidden


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
        """Feature vectors ``g_m`` ``(clips, size)`` to scores by target and the fused feature."""
        return self.scoring(self.norm(torch.cat(list(features), dim=1)))


class ResidualPerceptron(nn.Module):
    """``f'_m = f^_m + FeatureNorm(Sigmoid(DenseUnit(f^_m)))``.

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


class MRPNNetwork(nn.Module):
    """Branches per modality, side scores, residual perceptrons, and the fusion component.

    Parameters
    ----------
    settings : MRPNSettings
        A single modality makes the unimodal network: its branch, then eq. 3's Scoring.
    shapes : mapping of str to tuple of int
        Of one frame, by modality.
    outputs : mapping of str to int
        Target to its number of scores.

    Notes
    -----
    Source: Chang & Skarbek 2021, eqs. 7 to 9 and Figure 7; section 3.2 for more modalities and
    targets. N0 has side heads too, which are trained afterwards on detached features, so that it
    can predict clips that lack a modality.
    Differs from the paper: those side heads.
    """

    def __init__(
        self,
        settings: MRPNSettings,
        shapes: Mapping[str, tuple[int, ...]],
        outputs: Mapping[str, int],
    ) -> None:
        super().__init__()
        self.kind, hidden, dropout = settings.network, settings.hidden, settings.dropout
        self.branches: Mapping[str, Branch] = nn.ModuleDict(  # type: ignore[assignment]
            {m: Branch(settings.branches[m], shape, dropout) for m, shape in shapes.items()}
        )
        sizes = {modality: branch.size for modality, branch in self.branches.items()}
        self.residual, self.side = nn.ModuleDict(), nn.ModuleDict()
        if len(sizes) == 1:
            (size,) = sizes.values()
            self.scoring = Scoring(size, hidden, outputs, dropout)
            return
        for modality, size in sizes.items():
            if self.kind == "N2":
                self.residual[modality] = ResidualPerceptron(size)
            self.side[modality] = (
                DenseScores(size, outputs, dropout)
                if settings.side_scoring == "dense"
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
        present = {modality: inputs[modality].present for modality in self.branches}
        complete = torch.stack(list(present.values())).all(dim=0)
        normed = {  # f^_m, of each clip that has the modality
            modality: branch(inputs[modality])
            for modality, branch in self.branches.items()
            if inputs[modality].lengths
        }
        fused: dict[str, Tensor] = {}
        feature = torch.empty(0)
        if bool(complete.any()):
            # g_m, of the clips that have every modality
            whole = {name: value[complete[present[name]]] for name, value in normed.items()}
            if self.residual:
                whole = {name: self.residual[name](value) for name, value in whole.items()}
            if len(self.branches) == 1:
                fused, feature = self.scoring(*whole.values())
            else:
                fused, feature = self.fusion(list(whole.values()))
        side = {m: self.side_scores(m, normed[m]) for m in normed if m in self.side}
        return Scores(fused, side, complete, normed, feature)

    def side_scores(self, modality: str, normed: Tensor) -> dict[str, Tensor]:
        """Scores ``s_m`` of one side branch from its ``f^_m``, by target."""
        scores = self.side[modality](normed)
        return scores[0] if isinstance(scores, tuple) else scores
