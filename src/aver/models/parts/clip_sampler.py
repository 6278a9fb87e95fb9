"""`ClipSampler`: draws batches of clips from memory, sliced in time and paired across clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from aver.models.parts.clip_batch import ClipBatch
from aver.models.parts.clip_frames import ClipFrames
from aver.models.parts.clip_sequences import ClipSequences
from aver.models.parts.time_slice import random_slice, spread


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
