"""`ClipSampler`: draws batches of clips from memory, sliced in time and paired across clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from aver.models.data.clip_frames import ClipBatch, ClipFrames, ClipSequences


def random_slice(frames: int, least: int, generator: torch.Generator) -> tuple[int, int]:
    """Draw a run of frames of random length and place.

    Parameters
    ----------
    frames : int >= 1
        In the whole clip.
    least : int >= 1
        Frames that make up one second; a shorter clip is taken whole.
    generator : torch.Generator

    Returns
    -------
    tuple of int
        First frame, and the frame behind the last.

    Notes
    -----
    Source: Chang & Skarbek 2021, section 3.3, items 2 and 4: slices last at least one second
    unless the file is shorter.

    Examples
    --------
    >>> random_slice(5, 10, torch.Generator())
    (0, 5)
    """
    if frames <= least:
        return 0, frames
    length = int(torch.randint(least, frames + 1, (), generator=generator))
    start = int(torch.randint(0, frames - length + 1, (), generator=generator))
    return start, start + length


def spread(start: int, stop: int, count: int, generator: torch.Generator | None = None) -> Tensor:
    """Indices of at most `count` frames, one from each equal part of a run.

    Parameters
    ----------
    start, stop : int
        The run, as `random_slice` gives it.
    count : int >= 0
        0 takes every frame.
    generator : torch.Generator, optional
        Draws the frame of each part; without it the middle one is taken.

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
    places = torch.full((count,), 0.5)
    if generator is not None:
        places = torch.rand(count, generator=generator)
    indices = ((torch.arange(count) + places) * (length / count)).floor().long()
    return start + indices.clamp_max(length - 1)


@dataclass(frozen=True)
class FrameRule:
    """Which frames of a modality are looked at.

    Parameters
    ----------
    least : int >= 1
        Frames of the shortest random slice, one second.
    most : int >= 0
        At most so many frames, evenly spread; 0 for all.
    """

    least: int
    most: int


@dataclass(frozen=True)
class ClipSampler:
    """Batches for training and for evaluation.

    Parameters
    ----------
    frames : mapping of str to ClipFrames
        By modality, for the same clips.
    rules : mapping of str to FrameRule
    labels : mapping of str to Tensor
        By target, one row per clip.
    batch_size : int
        At most so many clips a batch.
    slices : bool
        Train on random slices of at least one second, drawn for each modality on its own.
    pair_by : Tensor of int64 [shape=(clips,)] or None
        Clips with the same number may lend each other a modality: every modality but the first is
        taken from a random clip of the same number.

    Notes
    -----
    Source: Chang & Skarbek 2021, section 3.3 for slices, section 1.4 for pairing across clips.
    """

    frames: Mapping[str, ClipFrames]
    rules: Mapping[str, FrameRule]
    labels: Mapping[str, Tensor]
    batch_size: int
    slices: bool = True
    pair_by: Tensor | None = None

    @property
    def clips(self) -> int:
        """Clips in all."""
        return len(next(iter(self.frames.values())).frames)

    @property
    def batches(self) -> int:
        """Batches of one pass."""
        return -(-self.clips // self.batch_size)

    def training(self, generator: torch.Generator) -> Iterator[ClipBatch]:
        """One pass in random order, in batches of nearly equal size."""
        order = torch.randperm(self.clips, generator=generator)
        for chosen in order.tensor_split(self.batches):
            sources = {}
            for place, modality in enumerate(self.frames):
                lent = chosen if place == 0 else self._partners(chosen, modality, generator)
                sources[modality] = self._gather(modality, lent, generator)
            yield self._batch(chosen, sources)

    def evaluation(self) -> Iterator[ClipBatch]:
        """All clips in order: whole, nothing drawn."""
        for chosen in torch.arange(self.clips).split(self.batch_size):
            yield self._batch(
                chosen, {name: self._gather(name, chosen, None) for name in self.frames}
            )

    def _batch(self, chosen: Tensor, inputs: dict[str, ClipSequences]) -> ClipBatch:
        labels = {target: labels[chosen] for target, labels in self.labels.items()}
        return ClipBatch(inputs, labels, len(chosen))

    def _partners(self, chosen: Tensor, modality: str, generator: torch.Generator) -> Tensor:
        if self.pair_by is None:
            return chosen
        has = torch.tensor([clip is not None for clip in self.frames[modality].frames])
        partners = []
        for clip in chosen.tolist():
            same = torch.nonzero((self.pair_by == self.pair_by[clip]) & has).flatten()
            draw = int(torch.randint(0, max(1, len(same)), (), generator=generator))
            # A clip without the modality stays without: its answer must come from the others.
            partners.append(int(same[draw]) if bool(has[clip]) else clip)
        return torch.tensor(partners)

    def _gather(
        self, modality: str, chosen: Tensor, generator: torch.Generator | None
    ) -> ClipSequences:
        rule, clips = self.rules[modality], self.frames[modality].frames
        taken: list[Tensor | None] = []
        for clip in chosen.tolist():
            frames = clips[clip]
            if frames is None:
                taken.append(None)
                continue
            start, stop = 0, len(frames)
            if generator is not None and self.slices:
                start, stop = random_slice(stop, rule.least, generator)
            if rule.most == 0 or stop - start <= rule.most:
                taken.append(frames[start:stop])
            else:
                taken.append(frames[spread(start, stop, rule.most, generator)])
        return ClipSequences.of(taken)
