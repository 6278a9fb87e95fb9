"""Normalization: of feature vectors, of inputs, and the mean that replaces a missing modality."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from aver.errors import SettingsError
from aver.models.data.batches import ClipSequences


class FeatureNorm(nn.BatchNorm1d):
    """Batch normalization of feature vectors.

    A batch in which a single clip has the modality has no variance; it is normalized with the
    running statistics, which are not updated.

    Source: Chang & Skarbek 2021, section 3.1, item 3 and observation 1.
    """

    def forward(self, input: Tensor) -> Tensor:
        """``(clips, n)`` to ``(clips, n)``."""
        if self.training and len(input) == 1:
            return functional.batch_norm(
                input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(input)


STANDARDS = ("none", "clip", "bands", "train")
_MIN_STD = 1e-4


class Standardize(nn.Module):
    """Subtract a mean and divide by a standard deviation.

    Parameters
    ----------
    kind : {"none", "clip", "bands", "train"}
        ``"clip"``: over all values of the clip. ``"bands"``: over the clip, for each row of a
        spectrogram (or each feature of a track) separately. ``"train"``: for each row or feature,
        over all training clips; `learn` must be called first.
    rows : int
        Rows (bands) of a spectrogram, features of a track; rows of an image.

    Raises
    ------
    SettingsError
        If there is no such kind.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, kind: str, rows: int) -> None:
        super().__init__()
        if kind not in STANDARDS:
            raise SettingsError(
                f"There is no standard {kind!r}. Known are: {', '.join(STANDARDS)}."
            )
        self.kind = kind
        if kind == "train":
            self.register_buffer("mean", torch.zeros(rows))
            self.register_buffer("std", torch.ones(rows))

    @torch.no_grad()
    def learn(self, clips: list[Tensor]) -> None:
        """Take mean and standard deviation from the training clips.

        Parameters
        ----------
        clips : list of Tensor
            Each ``(frames, channels, rows, columns)`` or ``(frames, features)``; every clip has the
            same weight, whatever its length.
        """
        means, squares = [], []
        for clip in clips:
            axes = tuple(axis for axis in range(clip.ndim) if axis != _row_axis(clip))
            means.append(clip.double().mean(dim=axes))
            squares.append(clip.double().square().mean(dim=axes))
        mean = torch.stack(means).mean(dim=0)
        variance = torch.stack(squares).mean(dim=0) - mean.square()
        self.mean.copy_(mean)
        self.std.copy_(variance.clamp_min(0).sqrt().clamp_min(_MIN_STD))

    def forward(self, frames: Tensor, clips: ClipSequences) -> Tensor:
        """Standardize frames of the same shape as for `learn`, those of all clips end to end."""
        if self.kind == "none":
            return frames
        axis = _row_axis(frames)
        shape = [1] * frames.ndim
        if self.kind == "train":
            shape[axis] = -1
            return (frames - self.mean.view(shape)) / self.std.view(shape)
        axes = tuple(k for k in range(1, frames.ndim) if self.kind == "clip" or k != axis)
        mean = clips.means(frames.mean(dim=axes, keepdim=True) if axes else frames)
        centered = frames - mean
        square = centered.square()
        variance = clips.means(square.mean(dim=axes, keepdim=True) if axes else square)
        return centered / variance.sqrt().clamp_min(_MIN_STD)


def _row_axis(frames: Tensor) -> int:
    return frames.ndim - 2 if frames.ndim == 4 else frames.ndim - 1


_SHARE_OF_NEW = 0.1  # as batch norm's running mean


class FeatureMean(nn.Module):
    """Keeps a running mean of features in training, and uses it where features are missing.

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

    def forward(self, features: Tensor | None, present: Tensor, used: Tensor) -> Tensor:
        """Features by row, with the mean where there are none or they are not used.

        Parameters
        ----------
        features : Tensor [shape=(rows with features, size)] or None
        present, used : Tensor of bool [shape=(rows,)]
            Rows with features; rows that use them.

        Returns
        -------
        Tensor [shape=(rows, size)]
        """
        if features is None:
            return self.mean.expand(len(present), -1)
        if self.training:
            self._update(features.detach().float().mean(dim=0))
        mean = self.mean.to(features.dtype)
        rows = features
        if len(features) < len(present):
            rows = mean.repeat(len(present), 1)
            rows[present] = features
        return torch.where(used[:, None], rows, mean)

    def _update(self, mean: Tensor) -> None:
        self.mean = torch.lerp(self.mean, mean, _SHARE_OF_NEW) if self.steps > 0 else mean
        self.steps = self.steps + 1
