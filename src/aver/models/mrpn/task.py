"""`MRPNTask`: the losses of N0, N1 and N2, and the side heads of N0 that are fitted afterwards."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from aver.models.base.fusion_recognizer import DenseScores, FusionTask
from aver.models.data.sampler import ClipSampler
from aver.models.data.targets import TargetLoss
from aver.models.mrpn.network import MRPNNetwork


class MRPNTask(FusionTask):
    """``L = L_va`` for N0, ``L = L_v + L_a + L_va`` for N1 and N2, summed over the targets.

    Parameters and errors are those of `FusionTask`.

    Notes
    -----
    Source: Chang & Skarbek 2021, eqs. 5 and 7 to 9.
    """

    network: MRPNNetwork

    @property
    def side_losses(self) -> bool:
        """Not for N0."""
        return self.network.kind != "N0"


_PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)
_DEFAULT_PENALTY = 1e-2
_STEPS = 50


def fit_side_heads(task: MRPNTask, *, choose: bool = True) -> None:
    """Fit side heads on the trained network's ``f^_m``; nothing else in the network changes.

    Each head is a penalized regression on the training clips, fitted to convergence; the penalty
    is the one with the lowest loss on the validation clips.

    Differs from the paper: N0 has no side branches there.

    Parameters
    ----------
    task : MRPNTask
        Its network is trained, of kind N0, and has more than one modality.
    choose : bool
        Choose the penalty on the validation clips; False takes `_DEFAULT_PENALTY`, for validation
        clips that were trained on and would favor the weakest penalty.
    """
    network, losses = task.network, task.losses
    network.eval()
    for modality in network.branches:
        features, labels = _features(network, task.train, modality)
        held_out, held_out_labels = _features(network, task.validation, modality)
        best: tuple[float, dict[str, Tensor]] | None = None
        for penalty in _PENALTIES if choose else (_DEFAULT_PENALTY,):
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
    """``f^_m`` of all clips that have the modality, and their labels by target."""
    branch = network.branches[modality]
    rows = [torch.empty(0, branch.size)]
    labels = {target: [values[:0]] for target, values in sampler.labels.items()}
    for batch in sampler.evaluation():
        sequences = batch.inputs[modality]
        if sequences.lengths:
            rows.append(branch(sequences))
            for target, values in batch.labels.items():
                labels[target].append(values[sequences.present])
    return torch.cat(rows), {target: torch.cat(values) for target, values in labels.items()}


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
