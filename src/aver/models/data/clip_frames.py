"""`ClipFrames`: one modality of many clips as tensors in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from aver.corpora.clip import Clip
from aver.errors import FeatureError
from aver.features.feature import Feature
from aver.features.store import FeatureSource


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
_GRAY_WEIGHTS = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601
_UNIT_RATE_HZ = 30  # of tracks that do not say; OpenFace writes one row per picture


@dataclass(frozen=True)
class ClipFrames:
    """Frames of clips, in the order of the clips.

    Parameters
    ----------
    frames : tuple of Tensor or None
        Per clip: images ``(frames, channels, height, width)`` uint8, segments ``(segments, 1,
        bands, columns)`` float16, tracks ``(frames, features)`` float32; None where the clip lacks
        the modality.
    coverage : np.ndarray [shape=(clips,)]
    flags : tuple of tuple of str
        Per clip, what the feature said; the reason where the modality is missing.
    """

    frames: tuple[Tensor | None, ...]
    coverage: np.ndarray
    flags: tuple[tuple[str, ...], ...]

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Shape of one frame; None if no clip has the modality."""
        return next((tuple(clip.shape[1:]) for clip in self.frames if clip is not None), None)


def load_clip_frames(
    clips: Sequence[Clip], feature: Feature, store: FeatureSource, gray: bool = False
) -> ClipFrames:
    """Ask the store for a feature of all clips.

    Parameters
    ----------
    clips : sequence of Clip
    feature : Feature
        One whose arrays hold one of `FRAME_ARRAYS`.
    store : FeatureSource
    gray : bool
        Turn colour images into grey ones (ITU-R BT.601 weights), with one channel.

    Raises
    ------
    FeatureError
        If the feature yields none of `FRAME_ARRAYS`.
    """
    frames: list[Tensor | None] = []
    coverage, flags = np.zeros(len(clips)), []
    for place, clip in enumerate(clips):
        record = store.get(clip, feature)
        coverage[place] = record.coverage
        flags.append((*record.flags, record.missing) if record.missing else record.flags)
        if not record.arrays:
            frames.append(None)
            continue
        name = next((name for name in FRAME_ARRAYS if name in record.arrays), None)
        if name is None:
            raise FeatureError(
                f"The feature {feature.name!r} yields {', '.join(record.arrays)}; a sequence model "
                f"needs one of {', '.join(FRAME_ARRAYS)}."
            )
        array = record.arrays[name]
        if "found" in record.arrays:  # pictures in which there is no face are left out
            array = array[record.arrays["found"].astype(bool)]
        values = laid_out(array, gray)
        if not len(values):
            flags[-1] = (*flags[-1], f"no {feature.modality}")
        frames.append(values if len(values) else None)
    return ClipFrames(tuple(frames), coverage, tuple(flags))


def laid_out(array: np.ndarray, gray: bool) -> Tensor:
    """Arrays of a feature as frames ``(frames, ...)`` in the shapes of `ClipFrames`."""
    values = torch.from_numpy(np.ascontiguousarray(array))
    if values.ndim == 1:  # statistics of a whole clip: one frame
        return values[None]
    if values.ndim == 3:  # (segments, bands, columns)
        return values[:, None]
    if values.ndim == 4:  # (frames, height, width, colours)
        if gray and values.shape[3] == 3:
            return _gray(values)[:, None]
        return values.permute(0, 3, 1, 2).contiguous()
    return values


def _gray(images: Tensor) -> Tensor:
    """Colour ``(images, height, width, 3)`` to grey ``(images, height, width)``, uint8.

    One by one: numbers of a whole clip at once would take five times its memory, and longer.
    """
    gray = torch.empty(images.shape[:3], dtype=torch.uint8)
    for row, image in zip(gray, images, strict=True):
        row.copy_((image.float() @ _GRAY_WEIGHTS).round())
    return gray


def min_frames(feature: Feature) -> int:
    """Frames of a feature that last one second, the shortest slice.

    Source: Chang & Skarbek 2021, section 3.3, item 2.
    """
    rate_hz = getattr(feature, "rate_hz", _UNIT_RATE_HZ)
    segment_s, hop_s = getattr(feature, "segment_s", None), getattr(feature, "hop_s", None)
    if segment_s is not None and hop_s is not None:
        return 1 + max(0, round((1.0 - segment_s) / hop_s))
    return max(1, round(rate_hz))
