"""`CrossAttentionNetwork`: each modality attends to every other one, frame by frame.

For modalities a (target) and b (source), with LN for layer normalization::

    x_a   = Project(E_a(frames of a)) + positions                        FrameBranch
    CM(x_a, x_b) = softmax(Q K^T / sqrt(d)) V,  Q = x_a W_Q, K = x_b W_K, V = x_b W_V
    z     = LN(x_a) + CM(LN(x_a), LN(x_b))                               CrossAttentionLayer
    z_ba  = LN(z) + FeedForward(LN(z))
    s     = Dense(ReLU(Dense(FeatureNorm(mean_t z_ba, mean_t z_ab))))    CrossAttentionNetwork
    s_a   = Dense(FeatureNorm(mean_t x_a))                               side scores

Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.2, for the attention; Tsai et
al. 2019, "Multimodal Transformer for Unaligned Multimodal Language Sequences", section 3, for
attention across modalities.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

import torch
from torch import Tensor, nn

from aver.models.base.fusion_recognizer import DenseScores, Scores
from aver.models.cross_attention.settings import CrossAttentionSettings
from aver.models.data.batches import ClipSequences
from aver.models.layers.frame_encoder import FrameEncoder
from aver.models.layers.normalization import FeatureNorm
from aver.models.layers.pooling import sine_positions


class FrameBranch(FrameEncoder):
    """Frames of one modality to vectors ``x`` of the size that all modalities share.

    Parameters
    ----------
    settings : CrossAttentionSettings
    modality : str
        Key of its branches.
    shape : tuple of int
        Of one frame.
    """

    def __init__(
        self, settings: CrossAttentionSettings, modality: str, shape: tuple[int, ...]
    ) -> None:
        super().__init__(settings.branches[modality], shape)
        self.positions = settings.positions
        self.project = nn.Sequential(
            nn.Dropout(settings.dropout), nn.Linear(self.features, settings.size)
        )

    def forward(self, clips: ClipSequences) -> tuple[Tensor, Tensor]:
        """Vectors and whether there is a frame: ``(clips with it, longest, size)``, without size.

        The vectors beyond a clip's last frame are without meaning.
        """
        rows, valid = clips.padded(self.project(self.encode(clips)))
        if self.positions:
            rows = rows + sine_positions(rows.shape[1], rows.shape[2], rows.device)
        return rows, valid


class CrossAttentionLayer(nn.Module):
    """``z = LN(x_a) + CM(LN(x_a), LN(x_b))``, then ``LN(z) + FeedForward(LN(z))``.

    Parameters
    ----------
    size, heads : int
    dropout : float in [0, 1)

    Notes
    -----
    Source: Tsai et al. 2019, section 3.2, crossmodal transformers.
    """

    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_target, self.norm_source = nn.LayerNorm(size), nn.LayerNorm(size)
        self.attention = nn.MultiheadAttention(size, heads, dropout, batch_first=True)
        self.norm = nn.LayerNorm(size)
        self.feed_forward = nn.Sequential(
            nn.Linear(size, 2 * size), nn.ReLU(), nn.Dropout(dropout), nn.Linear(2 * size, size)
        )

    def forward(self, target: Tensor, source: Tensor, source_valid: Tensor) -> Tensor:
        """``(clips, frames of a, size)`` and ``(clips, frames of b, size)`` to the former shape."""
        query, keys = self.norm_target(target), self.norm_source(source)
        attended, _ = self.attention(
            query, keys, keys, key_padding_mask=~source_valid, need_weights=False
        )
        z = self.norm(query + attended)
        return z + self.feed_forward(z)


class CrossAttentionNetwork(nn.Module):
    """Branches, attention for each ordered pair of modalities, fused classifier, side scores.

    Parameters
    ----------
    settings : CrossAttentionSettings
        A single modality has its side scores only.
    shapes : mapping of str to tuple of int
        Of one frame, by modality.
    outputs : mapping of str to int
        Target to its number of scores.

    Notes
    -----
    Differs from the paper: frames are projected by a linear layer, not by convolutions over time;
    there is no self-attention after the attention across modalities; the mean over time is
    classified, not the last frame; the side scores, for clips that lack a modality, are ours.
    """

    def __init__(
        self,
        settings: CrossAttentionSettings,
        shapes: Mapping[str, tuple[int, ...]],
        outputs: Mapping[str, int],
    ) -> None:
        super().__init__()
        size, hidden, dropout = settings.size, settings.hidden, settings.dropout
        self.branches = nn.ModuleDict({m: FrameBranch(settings, m, s) for m, s in shapes.items()})
        self.norms = nn.ModuleDict({m: FeatureNorm(size) for m in shapes})
        self.side = nn.ModuleDict({m: DenseScores(size, outputs, dropout) for m in shapes})
        self.pairs = list(permutations(shapes, 2))  # (target, source)
        self.attention: Mapping[str, nn.ModuleList] = nn.ModuleDict(  # type: ignore[assignment]
            {
                f"{source} to {target}": nn.ModuleList(
                    CrossAttentionLayer(size, settings.heads, dropout)
                    for _ in range(settings.layers)
                )
                for target, source in self.pairs
            }
        )
        if self.pairs:
            vectors = len(self.pairs) * size
            self.fusion = nn.Sequential(
                FeatureNorm(vectors), nn.Dropout(dropout), nn.Linear(vectors, hidden), nn.ReLU()
            )
            self.fused_scores = DenseScores(hidden, outputs, dropout)

    def forward(self, inputs: Mapping[str, ClipSequences]) -> Scores:
        """Score a batch; clips may lack modalities."""
        present = {m: inputs[m].present for m in self.branches}
        complete = torch.stack(list(present.values())).all(dim=0)
        frames = {m: self.branches[m](inputs[m]) for m in self.branches if inputs[m].lengths}
        features = {m: self.norms[m](_mean(*x)) for m, x in frames.items()}
        side = {m: self.side[m](feature) for m, feature in features.items()}
        if not bool(complete.any()):
            return Scores({}, side, complete, features, torch.empty(0))
        if not self.pairs:
            ((m, scores),) = side.items()
            return Scores(scores, {}, complete, features, features[m])
        whole = {
            m: (x[complete[present[m]]], valid[complete[present[m]]])
            for m, (x, valid) in frames.items()
        }
        fused = self.fusion(torch.cat([self._attend(whole, *pair) for pair in self.pairs], dim=1))
        return Scores(self.fused_scores(fused), side, complete, features, fused)

    def _attend(
        self, frames: Mapping[str, tuple[Tensor, Tensor]], target: str, source: str
    ) -> Tensor:
        """Mean over time of the target's frames after all layers of the pair, ``(clips, size)``."""
        x, valid = frames[target]
        for layer in self.attention[f"{source} to {target}"]:
            x = layer(x, *frames[source])
        return _mean(x, valid)


def _mean(rows: Tensor, valid: Tensor) -> Tensor:
    """Mean over the real frames: ``(clips, frames, size)`` to ``(clips, size)``."""
    return (rows * valid[:, :, None]).sum(dim=1) / valid.sum(dim=1, keepdim=True)
