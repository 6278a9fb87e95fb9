"""`Standardise`: raw frames of a clip on a scale that does not depend on camera or microphone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aver.errors import SettingsError
from aver.models.parts.clip_sequences import ClipSequences

STANDARDS = ("none", "clip", "bands", "train")
_LEAST_DEVIATION = 1e-4


class Standardise(nn.Module):
    """Subtract a mean and divide by a deviation.

    Parameters
    ----------
    kind : {"none", "clip", "bands", "train"}
        ``"clip"``: over all values of the clip. ``"bands"``: over the clip, for each row of a
        spectrogram (or each feature of a track) on its own. ``"train"``: for each row or feature,
        over all training clips; `learn` must be called first.
    rows : int
        Rows (bands) of a spectrogram, features of a track; rows of an image.

    Raises
    ------
    SettingsError
        If there is no such kind.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, kind: str, rows: int) -> None:
        super().__init__()
        if kind not in STANDARDS:
            raise SettingsError(
                f"There is no standard {kind!r}. Known are: {', '.join(STANDARDS)}."
            )
        self.kind = kind
        if kind == "train":
            self.register_buffer("mean", torch.zeros(rows))
            self.register_buffer("deviation", torch.ones(rows))

    @torch.no_grad()
    def learn(self, clips: list[Tensor]) -> None:
        """Measure the training clips, each ``(frames, channels, rows, columns)`` or
        ``(frames, features)``; every clip counts the same, however long it is.
        """
        means, squares = [], []
        for clip in clips:
            axes = tuple(axis for axis in range(clip.ndim) if axis != _row_axis(clip))
            means.append(clip.double().mean(dim=axes))
            squares.append(clip.double().square().mean(dim=axes))
        mean = torch.stack(means).mean(dim=0)
        variance = torch.stack(squares).mean(dim=0) - mean.square()
        self.mean.copy_(mean)
        self.deviation.copy_(variance.clamp_min(0).sqrt().clamp_min(_LEAST_DEVIATION))

    def forward(self, frames: Tensor, clips: ClipSequences) -> Tensor:
        """Standardise frames of the same shape as for `learn`, all clips end to end."""
        if self.kind == "none":
            return frames
        axis = _row_axis(frames)
        shape = [1] * frames.ndim
        if self.kind == "train":
            shape[axis] = -1
            return (frames - self.mean.view(shape)) / self.deviation.view(shape)
        axes = tuple(k for k in range(1, frames.ndim) if self.kind == "clip" or k != axis)
        mean = clips.means(frames.mean(dim=axes, keepdim=True) if axes else frames)
        centred = frames - mean
        square = centred.square()
        variance = clips.means(square.mean(dim=axes, keepdim=True) if axes else square)
        return centred / variance.sqrt().clamp_min(_LEAST_DEVIATION)


def _row_axis(frames: Tensor) -> int:
    return frames.ndim - 2 if frames.ndim == 4 else frames.ndim - 1
