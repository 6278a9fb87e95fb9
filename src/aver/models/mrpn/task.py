"""`fit_side_heads`: let N0 answer from one modality, without changing what it learnt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from aver.errors import MissingModalityError
from aver.models.data.clip_frames import ClipBatch
from aver.models.data.clip_sampler import ClipSampler
from aver.models.data.targets import TargetLoss
from aver.models.layers.pretrained import freeze_first_epochs, groups_by_rate
from aver.models.mrpn.network import DenseScores, MRPNNetwork, Scores
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


_PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)
_USUAL_PENALTY = 1e-2
_STEPS = 50


def fit_side_heads(task: ClipTask, *, choose: bool = True) -> None:
    """Train side heads on the frozen network's ``f^_m``; nothing else in the network changes.

    Each head is a penalised regression on the training clips, fitted to convergence; the penalty
    is the one with the lowest loss on the validation clips.

    Differs from the paper: N0 has no side branches there.

    Parameters
    ----------
    task : ClipTask
        Its network is trained, of kind N0, and has more than one modality.
    choose : bool
        Let the validation clips choose the penalty; False takes `_USUAL_PENALTY`, where they were
        learnt from and would choose the weakest.
    """
    network, losses = task.network, task.losses
    network.eval()
    for modality in network.branches:
        features, labels = _features(network, task.train, modality)
        held_out, held_out_labels = _features(network, task.validation, modality)
        best: tuple[float, dict[str, Tensor]] | None = None
        for penalty in _PENALTIES if choose else (_USUAL_PENALTY,):
            _fit_head(network, modality, features, labels, losses, penalty)
            with torch.no_grad():
                value = float(_loss(network, modality, held_out, held_out_labels, losses, False))
            if best is None or value < best[0]:
                state = network.side[modality].state_dict()
                best = value, {name: weight.clone() for name, weight in state.items()}
        assert best is not None
        network.side[modality].load_state_dict(best[1])
    network.eval()


@torch.no_grad()
def _features(
    network: MRPNNetwork, sampler: ClipSampler, modality: str
) -> tuple[Tensor, dict[str, Tensor]]:
    rows, labels = [], {target: [] for target in sampler.labels}  # type: ignore[var-annotated]
    branch = network.branches[modality]
    for batch in sampler.evaluation():
        sequences = batch.inputs[modality]
        if sequences.lengths:
            rows.append(branch(sequences))
            for target in labels:
                labels[target].append(batch.labels[target][sequences.present])
    size: int = branch.size  # type: ignore[assignment]
    if not rows:
        return torch.empty(0, size), {t: value[:0] for t, value in sampler.labels.items()}
    return torch.cat(rows), {target: torch.cat(parts) for target, parts in labels.items()}


def _fit_head(
    network: MRPNNetwork,
    modality: str,
    features: Tensor,
    labels: Mapping[str, Tensor],
    losses: Mapping[str, TargetLoss],
    penalty: float,
) -> None:
    head = network.side[modality]
    for weights in head.parameters():
        torch.nn.init.zeros_(weights) if isinstance(head, DenseScores) else None
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = _loss(network, modality, features, labels, losses, True)
        value = value + penalty * sum(
            (w.square().sum() for w in head.parameters()), torch.zeros(())
        )
        value.backward()
        return value

    optimizer.step(closure)


def _loss(
    network: MRPNNetwork,
    modality: str,
    features: Tensor,
    labels: Mapping[str, Tensor],
    losses: Mapping[str, TargetLoss],
    training: bool,
) -> Tensor:
    if len(features) == 0:
        return torch.zeros(())
    scores = network.side_scores(modality, features)
    return sum(
        (loss(scores[target], labels[target], training) for target, loss in losses.items()),
        torch.zeros(()),
    )
