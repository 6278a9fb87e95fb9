"""Aggregators: one vector for a clip from the features of its frames."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from aver.errors import SettingsError
from aver.models.data.batches import ClipSequences

AGGREGATORS = ("lstm", "bilstm", "transformer", "statistics", "mean")


class RecurrentAggregator(nn.Module):
    """LSTM or BiLSTM; the output is the state after the last real frame (of each direction).

    Source: Chang & Skarbek 2021, eq. 1 and section 4.6.
    """

    def __init__(self, features: int, size: int, bidirectional: bool) -> None:
        super().__init__()
        if bidirectional and size % 2:
            raise SettingsError(
                f"A BiLSTM needs an even size, not {size}: half for each direction."
            )
        self.size = size
        self.lstm = nn.LSTM(
            features,
            size // 2 if bidirectional else size,
            batch_first=True,
            bidirectional=bidirectional,
        )

    def forward(self, features: Tensor, clips: ClipSequences) -> Tensor:
        """``(frames of all clips, features)`` to ``(clips, size)``."""
        parts = list(features.split(list(clips.lengths)))
        packed = nn.utils.rnn.pack_sequence(parts, enforce_sorted=False)
        _, (state, _) = self.lstm(packed)
        return state.transpose(0, 1).flatten(1)  # (clips, directions * size per direction)


class TransformerAggregator(nn.Module):
    """Transformer encoder with sine positions; the output is the mean over the real frames.

    Source: Chang & Skarbek 2021, section 4.6 ("the average feature is taken").
    Differs from the paper: layers (2), heads (4) and feed-forward size (2 x) are ours; the paper
    prints none.
    """

    def __init__(self, features: int, size: int, dropout: float) -> None:
        super().__init__()
        if size % 4:
            raise SettingsError(f"A Transformer needs a size divisible by 4 (heads), not {size}.")
        self.size = size
        self.project = nn.Linear(features, size)
        layer = nn.TransformerEncoderLayer(
            size, nhead=4, dim_feedforward=2 * size, dropout=dropout, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False)

    def forward(self, features: Tensor, clips: ClipSequences) -> Tensor:
        """``(frames of all clips, features)`` to ``(clips, size)``."""
        rows, valid = clips.padded(self.project(features))  # (clips, longest, size)
        rows = rows + sine_positions(rows.shape[1], self.size, rows.device).to(rows.dtype)
        rows = self.encoder(rows, src_key_padding_mask=~valid)
        rows = rows * valid[:, :, None]
        return rows.sum(dim=1) / valid.sum(dim=1, keepdim=True)


class StatisticsAggregator(nn.Module):
    """Mean and standard deviation over a clip's frames, without order; nothing to train.

    Differs from the paper: ours, for tracks of features and small corpora. For a clip of one frame
    the standard deviations are zero.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.size = 2 * features

    def forward(self, features: Tensor, clips: ClipSequences) -> Tensor:
        """``(frames of all clips, features)`` to ``(clips, 2 * features)``."""
        rows, valid = clips.padded(features)
        count = valid.sum(dim=1, keepdim=True)
        mean = rows.sum(dim=1) / count
        stds = (rows - mean[:, None]) * valid[:, :, None]
        variance = stds.square().sum(dim=1) / count
        return torch.cat([mean, (variance + 1e-6).sqrt() - 1e-3], dim=1)


class MeanAggregator(nn.Module):
    """Mean over a clip's frames, so that clips of one frame have features like longer ones.

    Differs from the paper: ours, for training on single images.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.size = features

    def forward(self, features: Tensor, clips: ClipSequences) -> Tensor:
        """``(frames of all clips, features)`` to ``(clips, features)``."""
        rows, valid = clips.padded(features)
        return rows.sum(dim=1) / valid.sum(dim=1, keepdim=True)


def sine_positions(steps: int, size: int, device: torch.device) -> Tensor:
    """Positional encoding of Vaswani et al. 2017, section 3.5.

    Returns
    -------
    Tensor [shape=(steps, size)]
    """
    rates = torch.exp(
        torch.arange(0, size, 2, device=device) * (-math.log(10_000.0) / size)
    )  # (size / 2,)
    angles = torch.arange(steps, device=device)[:, None] * rates[None]
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)


def make_aggregator(kind: str, features: int, size: int, dropout: float) -> nn.Module:
    """Build an aggregator.

    Parameters
    ----------
    kind : {"lstm", "bilstm", "transformer", "statistics", "mean"}
    features : int
        Per frame.
    size : int
        Of the output; ``"statistics"`` has twice `features`, ``"mean"`` has `features`, whatever
        the size.
    dropout : float in [0, 1)

    Raises
    ------
    SettingsError
        If there is no such aggregator.
    """
    if kind in ("lstm", "bilstm"):
        return RecurrentAggregator(features, size, bidirectional=kind == "bilstm")
    if kind == "transformer":
        return TransformerAggregator(features, size, dropout)
    if kind == "statistics":
        return StatisticsAggregator(features)
    if kind == "mean":
        return MeanAggregator(features)
    raise SettingsError(f"There is no aggregator {kind!r}. Known are: {', '.join(AGGREGATORS)}.")
