"""`ClipSequences`: frames or segments of several clips of different length, without padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ClipSequences:
    """One modality of a batch: the frames of all clips that have it, one after the other.

    Frames of different clips lie end to end, so that an extractor never sees padding and its batch
    norm counts real frames only.

    Parameters
    ----------
    frames : Tensor [shape=(frames of all clips, ...)]
    lengths : tuple of int >= 1
        Frames of each clip that has the modality.
    present : Tensor of bool [shape=(clips,)]
        Which clips of the batch have it.
    """

    frames: Tensor
    lengths: tuple[int, ...]
    present: Tensor

    @classmethod
    def of(cls, clips: Sequence[Tensor | None]) -> ClipSequences:
        """Join the frames of clips; None where a clip lacks the modality."""
        found = [clip for clip in clips if clip is not None]
        return cls(
            frames=torch.cat(found) if found else torch.empty(0),
            lengths=tuple(len(clip) for clip in found),
            present=torch.tensor([clip is not None for clip in clips]),
        )

    def to(self, device: torch.device | str) -> ClipSequences:
        """The same on a device."""
        return ClipSequences(self.frames.to(device), self.lengths, self.present.to(device))

    def padded(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Lay features of all frames out by clip.

        Parameters
        ----------
        features : Tensor [shape=(frames of all clips, n)]

        Returns
        -------
        Tensor [shape=(clips present, longest, n)]
            Zero behind the end of each clip.
        Tensor of bool [shape=(clips present, longest)]
            True where there is a frame.
        """
        rows = torch.nn.utils.rnn.pad_sequence(
            list(features.split(list(self.lengths))), batch_first=True
        )
        steps = torch.arange(rows.shape[1], device=rows.device)
        ends = torch.tensor(self.lengths, device=rows.device)
        return rows, steps[None, :] < ends[:, None]

    def means(self, values: Tensor) -> Tensor:
        """Mean of values over the frames of each clip, given back to each of its frames.

        Parameters
        ----------
        values : Tensor [shape=(frames of all clips, ...)]

        Returns
        -------
        Tensor
            Of the same shape.
        """
        lengths = torch.tensor(self.lengths, device=values.device)
        owner = torch.repeat_interleave(
            torch.arange(len(lengths), device=values.device), lengths
        )  # (frames,)
        sums = values.new_zeros((len(lengths), *values.shape[1:])).index_add(0, owner, values)
        return (sums / lengths.view(-1, *[1] * (values.ndim - 1)).to(values.dtype))[owner]
