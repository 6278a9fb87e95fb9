"""`ClipSampler`: draws batches of clips from memory, sliced in time and paired across clips."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from aver.models.data.batches import ClipBatch, ClipSequences
from aver.models.data.clip_features import ClipFeature

B = TypeVar("B")


@dataclass(frozen=True, kw_only=True)
class Sampler(ABC, Generic[B]):
    """Divides clips into batches; subclasses say what a batch holds.

    Parameters
    ----------
    labels : mapping of str to Tensor
        By target, one row per clip.
    batch_size : int >= 1
        Maximum number of clips in a batch.
    """

    labels: Mapping[str, Tensor]
    batch_size: int

    @property
    def clips(self) -> int:
        """Number of clips."""
        return len(next(iter(self.labels.values())))

    @property
    def batches(self) -> int:
        """Number of batches in an epoch."""
        return -(-self.clips // self.batch_size)

    def training(self, generator: torch.Generator) -> Iterator[B]:
        """One epoch in random order, in batches of nearly equal size."""
        order = torch.randperm(self.clips, generator=generator)
        for chosen in order.tensor_split(self.batches):
            yield self._training_batch(chosen, generator)

    def evaluation(self) -> Iterator[B]:
        """All clips in order, without anything random."""
        for first in range(0, self.clips, self.batch_size):
            yield self._batch(torch.arange(first, min(first + self.batch_size, self.clips)))

    @abstractmethod
    def _training_batch(self, chosen: Tensor, generator: torch.Generator) -> B:
        """A batch of the clips of these numbers, with random slices or segments."""

    @abstractmethod
    def _batch(self, chosen: Tensor) -> B:
        """A batch of the clips of these numbers."""

    def _labels(self, chosen: Tensor) -> dict[str, Tensor]:
        return {target: labels[chosen] for target, labels in self.labels.items()}


@dataclass(frozen=True)
class FrameRule:
    """Which frames of a modality are used.

    Parameters
    ----------
    min_frames : int >= 1
        Frames of the shortest random slice, one second.
    max_frames : int >= 0
        Maximum number of frames, evenly spread; 0 for all.
    """

    min_frames: int
    max_frames: int


@dataclass(frozen=True, kw_only=True)
class ClipSampler(Sampler[ClipBatch]):
    """Batches of whole clips, or of random slices of them.

    Parameters
    ----------
    labels, batch_size
        See `Sampler`.
    frames : mapping of str to ClipFeature
        By modality, for the same clips.
    rules : mapping of str to FrameRule
    slices : bool
        Train on random slices of at least one second, drawn for each modality separately.
    pair_by : Tensor of int64 [shape=(clips,)] or None
        Every modality but the first is taken from a random clip with the same number.

    Notes
    -----
    Source: Chang & Skarbek 2021, section 3.3 for slices, section 1.4 for pairing across clips.
    """

    frames: Mapping[str, ClipFeature[Tensor]]
    rules: Mapping[str, FrameRule]
    slices: bool = True
    pair_by: Tensor | None = None

    def _training_batch(self, chosen: Tensor, generator: torch.Generator) -> ClipBatch:
        inputs = {}
        for row, modality in enumerate(self.frames):
            sources = chosen if row == 0 else self._partners(chosen, modality, generator)
            inputs[modality] = self._gather(modality, sources, generator)
        return ClipBatch(inputs, self._labels(chosen), len(chosen))

    def _batch(self, chosen: Tensor) -> ClipBatch:
        inputs = {name: self._gather(name, chosen, None) for name in self.frames}
        return ClipBatch(inputs, self._labels(chosen), len(chosen))

    def _partners(self, chosen: Tensor, modality: str, generator: torch.Generator) -> Tensor:
        if self.pair_by is None:
            return chosen
        present = torch.from_numpy(self.frames[modality].present)
        partners = []
        for clip in chosen.tolist():
            same = torch.nonzero((self.pair_by == self.pair_by[clip]) & present).flatten()
            draw = int(torch.randint(0, max(1, len(same)), (), generator=generator))
            # A clip without the modality stays without: it must be predicted from the others.
            partners.append(int(same[draw]) if bool(present[clip]) else clip)
        return torch.tensor(partners)

    def _gather(
        self, modality: str, chosen: Tensor, generator: torch.Generator | None
    ) -> ClipSequences:
        rule, clips = self.rules[modality], self.frames[modality].values
        taken: list[Tensor | None] = []
        for clip in chosen.tolist():
            frames = clips[clip]
            if frames is None:
                taken.append(None)
                continue
            start, stop = 0, len(frames)
            if generator is not None and self.slices:
                start, stop = random_slice(stop, rule.min_frames, generator)
            if rule.max_frames == 0 or stop - start <= rule.max_frames:
                taken.append(frames[start:stop])
            else:
                taken.append(frames[spread(start, stop, rule.max_frames, generator)])
        return ClipSequences.of(taken)


def random_slice(frames: int, min_frames: int, generator: torch.Generator) -> tuple[int, int]:
    """Draw a slice of random length and position.

    Parameters
    ----------
    frames : int >= 1
        Of the whole clip.
    min_frames : int >= 1
        Frames of one second; a shorter clip is taken whole.
    generator : torch.Generator

    Returns
    -------
    tuple of int
        First frame, and the frame after the last.

    Notes
    -----
    Source: Chang & Skarbek 2021, section 3.3, items 2 and 4: slices last at least one second
    unless the file is shorter.

    Examples
    --------
    >>> random_slice(5, 10, torch.Generator())
    (0, 5)
    """
    if frames <= min_frames:
        return 0, frames
    length = int(torch.randint(min_frames, frames + 1, (), generator=generator))
    start = int(torch.randint(0, frames - length + 1, (), generator=generator))
    return start, start + length


def spread(start: int, stop: int, count: int, generator: torch.Generator | None = None) -> Tensor:
    """Indices of at most `count` frames, one from each of `count` equal parts of a slice.

    Parameters
    ----------
    start, stop : int
        The slice, as `random_slice` gives it.
    count : int >= 0
        0 for every frame.
    generator : torch.Generator, optional
        Draws the frame of each part; without it the middle frame is taken.

    Returns
    -------
    Tensor of int64 [shape=(frames taken,)]

    Examples
    --------
    >>> spread(0, 8, 2).tolist(), spread(3, 6, 0).tolist(), spread(0, 2, 5).tolist()
    ([2, 6], [3, 4, 5], [0, 1])
    """
    length = stop - start
    if count == 0 or length <= count:
        return torch.arange(start, stop)
    positions = torch.full((count,), 0.5)
    if generator is not None:
        positions = torch.rand(count, generator=generator)
    indices = ((torch.arange(count) + positions) * (length / count)).floor().long()
    return start + indices.clamp_max(length - 1)
