"""`fit_side_heads`: let N0 answer from one modality, without changing what it learnt."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from aver.models.parts.clip_sampler import ClipSampler
from aver.models.parts.clip_task import ClipTask
from aver.models.parts.fusion import DenseScores
from aver.models.parts.mrpn_network import MRPNNetwork
from aver.models.parts.target_loss import TargetLoss

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
