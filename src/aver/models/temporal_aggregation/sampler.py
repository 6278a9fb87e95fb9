"""`SegmentTask`: teach a `TemporalNetwork` from clips in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from aver.errors import LabelError, MissingModalityError
from aver.models.data.targets import TargetLoss
from aver.models.layers.pretrained import freeze_first_epochs, groups_by_rate
from aver.models.temporal_aggregation.network import TemporalNetwork
from aver.models.temporal_aggregation.segments import (
    Audio,
    Images,
    SegmentBatch,
    SegmentClips,
    draw_frames,
    nearest_found,
    segment_edges,
    window_starts,
)
from aver.training.seeding import derived_seed
from aver.training.task import Loss, ParameterGroup, Task

MOMENTS_PER_COLUMN = 4
"""A window starts on a grid four times as fine as its columns: 2.7 ms for 1.28 s in 120 columns."""


@dataclass(frozen=True)
class SegmentRule:
    """How segments are drawn.

    Parameters
    ----------
    segments : int >= 1
        The paper's N.
    window_s : float > 0
        The paper's d.
    column_count : int >= 1
        Columns of a window.
    asynchrony_s : float >= 0
        The paper's b.
    offset_s : float
        How much later than the pictures the sound is taken.
    """

    segments: int
    window_s: float
    column_count: int
    asynchrony_s: float
    offset_s: float = 0.0

    @property
    def grid_s(self) -> float:
        """From moment to moment of the spectrogram that windows are cut from."""
        return self.window_s / self.column_count / MOMENTS_PER_COLUMN


@dataclass(frozen=True)
class SegmentSampler:
    """Batches for training and for evaluation.

    Parameters
    ----------
    clips : SegmentClips
    rule : SegmentRule
    modalities : tuple of str
        Those that the batches hold.
    labels : Tensor of int64 [shape=(clips,)]
    batch_size : int >= 1

    Notes
    -----
    Source: Birhala et al. 2020, section II.
    Differs from the paper: windows start on a grid of a quarter of a column, at most an eighth of a
    column (1.3 ms for the paper's sizes) away from where they were drawn. A clip without pictures
    takes moments drawn evenly in each segment of its sound in place of j / r_v.
    """

    clips: SegmentClips
    rule: SegmentRule
    modalities: tuple[str, ...]
    labels: Tensor
    batch_size: int

    @property
    def batches(self) -> int:
        """Batches of one pass."""
        return -(-len(self.labels) // self.batch_size)

    def check_judging(self) -> None:
        """See that a loss over these clips says anything.

        Raises
        ------
        MissingModalityError
            If no clip has any modality.
        LabelError
            If no clip that has one is of a class known from training.
        """
        usable = np.any([self.clips.has(modality) for modality in self.modalities], axis=0)
        if not usable.any():
            why = ", ".join(self.clips.flags[0]) or "no reason known"
            raise MissingModalityError(
                f"None of the {len(usable)} validation clips has any of "
                f"{', '.join(self.modalities)} ({why}), so that they cannot choose an epoch. "
                "Take another split, or refit=true."
            )
        if not (usable & (self.labels.numpy() >= 0)).any():
            raise LabelError(
                f"None of the {len(usable)} validation clips shows an emotion that was learnt, so "
                "that they cannot choose an epoch. Take another split, or refit=true."
            )

    def training(self, generator: torch.Generator) -> Iterator[SegmentBatch]:
        """One pass in random order, in batches of nearly equal size, segments drawn anew."""
        order = torch.randperm(len(self.labels), generator=generator)
        for chosen in order.tensor_split(self.batches):
            places = torch.rand(len(chosen), self.rule.segments, 2, generator=generator)
            yield self._batch(chosen.tolist(), places)

    def evaluation(self, draw: int | None = None) -> Iterator[SegmentBatch]:
        """All clips in order.

        Parameters
        ----------
        draw : int, optional
            Number of the random draw; it depends on the clip alone, not on its company. Without it
            every segment is looked at in its middle.
        """
        for first in range(0, len(self.labels), self.batch_size):
            rows = list(range(first, min(first + self.batch_size, len(self.labels))))
            places = torch.full((len(rows), self.rule.segments, 2), 0.5)
            if draw is not None:
                places = torch.stack([self._places(row, draw) for row in rows])
            yield self._batch(rows, places)

    def _places(self, clip: int, draw: int) -> Tensor:
        generator = torch.Generator()
        generator.manual_seed(derived_seed(draw, "segments", self.clips.clip_ids[clip]))
        return torch.rand(self.rule.segments, 2, generator=generator)

    def _batch(self, chosen: Sequence[int], places: Tensor) -> SegmentBatch:
        shown, blank, heard = [], [], []
        for clip, drawn in zip(chosen, places, strict=True):
            images, audio = self.clips.images[clip], self.clips.audio_tracks[clip]
            moments_s = self._moments(audio, drawn[:, 0])
            if images is not None:
                frames, moments_s = self._frames(images, drawn[:, 0])
                if "video" in self.modalities:
                    shown.append(images.frames[frames.clamp_min(0)])
                    blank.append(frames < 0)
            if audio is not None and "audio" in self.modalities:
                heard.append(self._windows(audio, moments_s, drawn[:, 1]))
        inputs = {"video": shown, "audio": heard}
        present = {
            "video": [self.clips.images[clip] is not None for clip in chosen],
            "audio": [self.clips.audio_tracks[clip] is not None for clip in chosen],
        }
        return SegmentBatch(
            inputs={m: torch.stack(inputs[m]) for m in self.modalities if inputs[m]},
            blank=torch.stack(blank) if blank else torch.zeros(0, self.rule.segments).bool(),
            present={m: torch.tensor(present[m]) for m in self.modalities},
            labels=self.labels[torch.tensor(chosen)],
        )

    def _moments(self, audio: Audio | None, places: Tensor) -> Tensor:
        """Moments of a clip without pictures."""
        duration_s = audio.duration_s if audio is not None else 0.0
        segments = self.rule.segments
        return (torch.arange(segments) + places.double()) * duration_s / segments

    def _frames(self, images: Images, places: Tensor) -> tuple[Tensor, Tensor]:
        """A frame of each segment, -1 for none with a face, and the moments of all."""
        edges = segment_edges(len(images.found), self.rule.segments)
        drawn = draw_frames(edges, places)
        frames = nearest_found(drawn, edges, images.found)
        return frames, images.times_s[torch.where(frames < 0, drawn, frames)]

    def _windows(self, audio: Audio, moments_s: Tensor, places: Tensor) -> Tensor:
        """Windows ``(segments, 1, bands, columns)``, zero behind the end of a short clip."""
        rule = self.rule
        starts_s = window_starts(
            moments_s,
            places,
            asynchrony_s=rule.asynchrony_s,
            window_s=rule.window_s,
            duration_s=audio.duration_s,
            offset_s=rule.offset_s,
        )
        half_column = MOMENTS_PER_COLUMN // 2
        first = (starts_s / rule.grid_s).round().long() + half_column  # (segments,)
        steps = MOMENTS_PER_COLUMN * torch.arange(rule.column_count)
        wanted = first[:, None] + steps  # (segments, columns)
        last = len(audio.columns) - 1
        windows = audio.columns[wanted.clamp_max(last)]  # (segments, columns, bands)
        if int(wanted.max()) > last:
            windows = windows.masked_fill((wanted > last)[..., None], 0.0)
        return windows.transpose(1, 2)[:, None]


class SegmentTask(Task):
    """Cross-entropy of the probabilities summed over segments.

    Parameters
    ----------
    network : TemporalNetwork
    train, validation : SegmentSampler
    target_loss : TargetLoss

    Notes
    -----
    Source: Birhala et al. 2020, sections II and IV. The sum is divided by N, so that it is a
    probability. Clips with no usable modality teach nothing.
    """

    network: TemporalNetwork

    def __init__(
        self,
        network: TemporalNetwork,
        train: SegmentSampler,
        validation: SegmentSampler,
        target_loss: TargetLoss,
    ) -> None:
        super().__init__(network)
        self.train, self.validation, self.target_loss = train, validation, target_loss

    def parameter_groups(self) -> tuple[ParameterGroup, ...]:
        """Pretrained extractors at a rate of their own, everything else at the usual one."""
        return groups_by_rate(self.network)

    def begin_epoch(self, epoch: int) -> None:
        """Freeze extractors in their first epochs, and thaw them after."""
        freeze_first_epochs(self.network, epoch)

    @property
    def steps_per_epoch(self) -> int:
        """Batches of one pass over the training clips."""
        return self.train.batches

    def training_batches(self, generator: torch.Generator) -> Iterator[SegmentBatch]:
        """One pass over the training clips."""
        return self.train.training(generator)

    def validation_batches(self) -> Iterator[SegmentBatch]:
        """One pass over the validation clips, each segment in its middle."""
        return self.validation.evaluation()

    def loss(self, batch: SegmentBatch) -> Loss:
        """Answer for a batch and compare."""
        usable = batch.usable
        scores, labels = self.network(batch)[usable], batch.labels[usable]
        value = self.target_loss(scores, labels, self.network.training)
        judged = int((labels >= 0).sum())
        return Loss(value, judged, int((scores.argmax(dim=1) == labels).sum()))
