"""`ClipTask`: teach an `MRPNNetwork` from clips in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from aver.errors import MissingModalityError
from aver.models.parts.clip_batch import ClipBatch
from aver.models.parts.clip_sampler import ClipSampler
from aver.models.parts.mrpn_network import MRPNNetwork, Scores
from aver.models.parts.pretrained_part import freeze_first_epochs, groups_by_rate
from aver.models.parts.target_loss import TargetLoss
from aver.training.task import Loss, ParameterGroup, Task


class ClipTask(Task):
    """``L = L_va`` for N0, ``L = L_v + L_a + L_va`` for N1 and N2, summed over the targets.

    Parameters
    ----------
    network : MRPNNetwork
    train, validation : ClipSampler
    losses : mapping of str to TargetLoss
        By target; the first is the one whose right answers are counted for the log.

    Raises
    ------
    MissingModalityError
        If no clip to train or to validate on has all modalities: the fused loss needs one.

    Notes
    -----
    Source: Chang & Skarbek 2021, eqs. 5 and 7 to 9. Validation looks at the fused loss alone, for
    the side branches do not answer at test time.
    """

    network: MRPNNetwork

    def __init__(
        self,
        network: MRPNNetwork,
        train: ClipSampler,
        validation: ClipSampler,
        losses: Mapping[str, TargetLoss],
    ) -> None:
        super().__init__(network)
        for part, sampler in (("training", train), ("validation", validation)):
            _check_complete(part, sampler)
        self.train, self.validation, self.losses = train, validation, losses

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

    def training_batches(self, generator: torch.Generator) -> Iterator[ClipBatch]:
        """One pass over the training clips."""
        return self.train.training(generator)

    def validation_batches(self) -> Iterator[ClipBatch]:
        """One pass over the validation clips."""
        return self.validation.evaluation()

    def loss(self, batch: ClipBatch) -> Loss:
        """Score a batch and compare."""
        training = self.network.training
        scores = self.network(batch.inputs)
        value, right = self._fused(scores, batch, training)
        if training and self.network.kind != "N0":
            value = value + self._side(scores, batch)
        return Loss(value, batch.clips, right)

    def _fused(self, scores: Scores, batch: ClipBatch, training: bool) -> tuple[Tensor, int]:
        value = sum((f.sum() * 0.0 for f in scores.features.values()), torch.zeros(()))
        value = value.to(scores.complete.device)
        right = 0
        for place, (target, loss) in enumerate(self.losses.items()):
            if target not in scores.fused:
                continue
            labels = batch.labels[target][scores.complete]
            value = value + loss(scores.fused[target], labels, training)
            if place == 0:
                right = int((scores.fused[target].argmax(dim=1) == labels).sum())
        return value, right

    def _side(self, scores: Scores, batch: ClipBatch) -> Tensor:
        value = torch.zeros((), device=scores.complete.device)
        for modality, by_target in scores.side.items():
            present = batch.inputs[modality].present
            for target, loss in self.losses.items():
                value = value + loss(by_target[target], batch.labels[target][present], True)
        return value


def _check_complete(part: str, sampler: ClipSampler) -> None:
    clips = zip(*(known.frames for known in sampler.frames.values()), strict=True)
    if any(all(frames is not None for frames in clip) for clip in clips):
        return
    lacking = {
        name: sum(frames is None for frames in known.frames)
        for name, known in sampler.frames.items()
    }
    words = ", ".join(f"{name} is missing in {count}" for name, count in lacking.items())
    raise MissingModalityError(
        f"None of the {sampler.clips} {part} clips has all of {', '.join(lacking)} ({words}). "
        "Leave one out of modalities, or choose another split."
    )
