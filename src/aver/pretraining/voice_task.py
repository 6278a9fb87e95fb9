"""`VoiceTask`: teach a `Classifier` whose voice a few segments are, or what it expresses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from aver.pretraining.classifier import Classifier
from aver.training.task import Loss, Task

_SEGMENTS_AT_ONCE = 256  # of whole clips; one that has more is taken alone


@dataclass(frozen=True)
class VoiceBatch:
    """Segments ``(all clips' segments, 1, bands, columns)``, how many of each clip, and classes."""

    segments: Tensor
    lengths: tuple[int, ...]
    labels: Tensor

    def to(self, device: torch.device | str) -> VoiceBatch:
        """The same on a device."""
        return VoiceBatch(self.segments.to(device), self.lengths, self.labels.to(device))


@dataclass(frozen=True)
class LabelledVoices:
    """Segments ``(segments, 1, bands, columns)`` of each clip, and classes."""

    clips: Sequence[Tensor]
    labels: Tensor


class VoiceTask(Task):
    """Cross-entropy over clips; scores of a clip's segments are averaged.

    Parameters
    ----------
    network : Classifier
    train, validation : LabelledVoices
    segments : int >= 1
        Drawn from each clip in training.
    batch_size : int >= 2
    label_smoothing : float in [0, 1)
    mean, deviation : Tensor [shape=(bands, 1)]
        Of each band over the training clips.
    """

    network: Classifier

    def __init__(
        self,
        network: Classifier,
        train: LabelledVoices,
        validation: LabelledVoices,
        *,
        segments: int,
        batch_size: int,
        label_smoothing: float,
        mean: Tensor,
        deviation: Tensor,
    ) -> None:
        super().__init__(network)
        self.train, self.validation = train, validation
        self._segments, self._batch_size = segments, batch_size
        self._smoothing = label_smoothing
        self._mean, self._deviation = mean, deviation

    @property
    def steps_per_epoch(self) -> int:
        """Batches of one pass over the training clips."""
        return max(1, math.ceil(len(self.train.clips) / self._batch_size))

    def training_batches(self, generator: torch.Generator) -> Iterator[VoiceBatch]:
        """One pass in a random order, over random segments."""
        order = torch.randperm(len(self.train.clips), generator=generator)
        for rows in order.tensor_split(self.steps_per_epoch):
            drawn = []
            for row in rows.tolist():
                clip = self.train.clips[row]
                places = torch.randint(0, len(clip), (self._segments,), generator=generator)
                drawn.append(clip[places])
            lengths = (self._segments,) * len(drawn)
            yield VoiceBatch(torch.cat(drawn), lengths, self.train.labels[rows])

    def validation_batches(self) -> Iterator[VoiceBatch]:
        """All validation clips with all their segments."""
        yield from whole_clips(self.validation)

    def loss(self, batch: VoiceBatch) -> Loss:
        """Score a batch and compare."""
        scores = self.network.fc(self.network.dropout(self.features(batch)))
        smoothing = self._smoothing if self.network.training else 0.0
        value = functional.cross_entropy(scores, batch.labels, label_smoothing=smoothing)
        return Loss(value, len(batch.labels), int((scores.argmax(1) == batch.labels).sum()))

    def features(self, batch: VoiceBatch) -> Tensor:
        """Mean embedding of each clip's segments, ``(clips, size)``."""
        values = (batch.segments.float() - self._mean) / self._deviation
        rows = self.network.extractor(values.contiguous(memory_format=torch.channels_last))
        return torch.stack([part.mean(dim=0) for part in rows.split(list(batch.lengths))])

    @torch.no_grad()
    def embed(self, clips: Sequence[Tensor]) -> Tensor:
        """Embeddings of whole clips, ``(clips, size)``; the network is in evaluation mode."""
        none = torch.zeros(len(clips), dtype=torch.long)
        batches = whole_clips(LabelledVoices(clips, none))
        return torch.cat([self.features(batch) for batch in batches])


def whole_clips(voices: LabelledVoices) -> Iterator[VoiceBatch]:
    """Clips with all their segments, in order; as many at once as memory surely holds."""
    kept: list[Tensor] = []
    start = 0
    for place, clip in enumerate(voices.clips):
        if kept and sum(map(len, kept)) + len(clip) > _SEGMENTS_AT_ONCE:
            yield _whole(kept, voices.labels[start:place])
            kept, start = [], place
        kept.append(clip)
    if kept:
        yield _whole(kept, voices.labels[start:])


def _whole(clips: Sequence[Tensor], labels: Tensor) -> VoiceBatch:
    return VoiceBatch(torch.cat(list(clips)), tuple(len(clip) for clip in clips), labels)
