"""`ClipBatch`: clips of different lengths as one batch, and the frames that it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from aver.corpora.clip import Clip
from aver.errors import FeatureError
from aver.features.feature import Feature


@dataclass(frozen=True)
class ClipSequences:
    """One modality of a batch: the frames of all clips that have it, one clip after the other.

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
        """Join the frames of clips; None if a clip lacks the modality."""
        present = [clip for clip in clips if clip is not None]
        return cls(
            frames=torch.cat(present) if present else torch.empty(0),
            lengths=tuple(len(clip) for clip in present),
            present=torch.tensor([clip is not None for clip in clips]),
        )

    def to(self, device: torch.device | str) -> ClipSequences:
        """The same on a device."""
        return ClipSequences(self.frames.to(device), self.lengths, self.present.to(device))

    def padded(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Arrange the features of all frames by clip.

        Parameters
        ----------
        features : Tensor [shape=(frames of all clips, n)]

        Returns
        -------
        Tensor [shape=(clips present, longest, n)]
            Zero after the end of each clip.
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
        """Mean of values over the frames of each clip, repeated for each of its frames.

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


@dataclass(frozen=True)
class ClipBatch:
    """Several clips, by modality, with labels by target.

    Parameters
    ----------
    inputs : mapping of str to ClipSequences
    labels : mapping of str to Tensor
        As `aver.models.data.targets.Target.labels` gives them; empty in prediction.
    clips : int
    """

    inputs: Mapping[str, ClipSequences]
    labels: Mapping[str, Tensor]
    clips: int

    def to(self, device: torch.device | str) -> ClipBatch:
        """The same on a device."""
        return ClipBatch(
            {name: sequences.to(device) for name, sequences in self.inputs.items()},
            {name: labels.to(device) for name, labels in self.labels.items()},
            self.clips,
        )


FRAME_ARRAYS = ("crops", "segments", "units", "embeddings", "statistics")
"""Names of arrays whose first axis is time, and of the vector of a whole clip."""
_GRAY_WEIGHTS = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601


def read_frames(
    clip: Clip, feature: Feature, arrays: Mapping[str, np.ndarray], gray: bool = False
) -> Tensor | None:
    """Frames of one clip, for `aver.models.data.clip_features.load_feature`.

    Parameters
    ----------
    clip : Clip
    feature : Feature
    arrays : mapping of str to np.ndarray
        Of the clip's record; one of them is named in `FRAME_ARRAYS`.
    gray : bool
        Convert color images to gray ones (ITU-R BT.601 weights), with one channel.

    Returns
    -------
    Tensor or None
        As `to_frames` gives them; images without a face are left out. None if there is no frame.

    Raises
    ------
    FeatureError
        If the feature yields none of `FRAME_ARRAYS`.
    """
    name = next((name for name in FRAME_ARRAYS if name in arrays), None)
    if name is None:
        raise FeatureError(
            f"The feature {feature.name!r} yields {', '.join(arrays)}; a sequence model "
            f"needs one of {', '.join(FRAME_ARRAYS)}."
        )
    array = arrays[name]
    if "found" in arrays:
        array = array[arrays["found"].astype(bool)]
    frames = to_frames(array, gray)
    return frames if len(frames) else None


def to_frames(array: np.ndarray, gray: bool = False) -> Tensor:
    """Array of a feature as frames.

    Returns
    -------
    Tensor
        Images ``(frames, channels, height, width)`` uint8, segments ``(segments, 1, bands,
        columns)`` float16, tracks ``(frames, features)`` float32; the vector of a whole clip is one
        frame.
    """
    values = torch.from_numpy(np.ascontiguousarray(array))
    if values.ndim == 1:  # the vector of a whole clip
        return values[None]
    if values.ndim == 3:  # (segments, bands, columns)
        return values[:, None]
    if values.ndim == 4:  # (frames, height, width, colors)
        if gray and values.shape[3] == 3:
            return _gray(values)[:, None]
        return values.permute(0, 3, 1, 2).contiguous()
    return values


def _gray(images: Tensor) -> Tensor:
    """Color ``(images, height, width, 3)`` to gray ``(images, height, width)``, uint8.

    One by one: as floats the images of a whole clip would take five times their memory.
    """
    gray = torch.empty(images.shape[:3], dtype=torch.uint8)
    for row, image in zip(gray, images, strict=True):
        row.copy_((image.float() @ _GRAY_WEIGHTS).round())
    return gray
