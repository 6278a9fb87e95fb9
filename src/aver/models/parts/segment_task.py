"""`SegmentTask`: teach a `TemporalNetwork` from clips in memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from aver.models.parts.pretrained_part import freeze_first_epochs, groups_by_rate
from aver.models.parts.segment_batch import SegmentBatch
from aver.models.parts.segment_sampler import SegmentSampler
from aver.models.parts.target_loss import TargetLoss
from aver.models.parts.temporal_network import TemporalNetwork
from aver.training.task import Loss, ParameterGroup, Task


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
