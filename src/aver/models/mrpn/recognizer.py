"""MRPN, the multi-modal residual perceptron network of Chang & Skarbek 2021."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from aver.models.base.fusion_recognizer import FusionRecognizer
from aver.models.data.sampler import ClipSampler
from aver.models.data.targets import TargetLoss
from aver.models.mrpn.network import MRPNNetwork
from aver.models.mrpn.settings import MRPNSettings
from aver.models.mrpn.task import MRPNTask, fit_side_heads
from aver.training.seeding import fixed_threads, seeded
from aver.training.task import Task


class MRPN(FusionRecognizer[MRPNNetwork]):
    """Fuses video, audio and any other modality by residual perceptrons.

    Parameters
    ----------
    settings : MRPNSettings
    store : FeatureSource

    Notes
    -----
    Source: Chang & Skarbek 2021, "Multi-modal Residual Perceptron Network for Audio-Video Emotion
    Recognition".
    Differs from the paper: a clip that lacks a modality is predicted by the mean of the side heads
    of those it has; N0 gets such heads after training, on detached features.
    """

    name = "mrpn"
    source = "Chang & Skarbek 2021, sections 3 and 4"
    settings_type = MRPNSettings
    settings: MRPNSettings
    pairs_across_clips = True

    def _build(self) -> MRPNNetwork:
        return MRPNNetwork(self.settings, self._shapes, self._outputs)

    def _make_task(
        self,
        network: MRPNNetwork,
        train: ClipSampler,
        validation: ClipSampler,
        losses: Mapping[str, TargetLoss],
    ) -> MRPNTask:
        return MRPNTask(network, train, validation, losses)

    @property
    def _description(self) -> str:
        return f"Training {self.settings.network} on {'+'.join(self.settings.modalities)}"

    def _pair_by(self, labels: Sequence[Tensor]) -> Tensor | None:
        """Clips are paired with others of the same classes; votes of no two are equal."""
        if not self.settings.pairs_across_clips:
            return None
        if any(target.regression for target in self._targets):
            return None
        return _same_classes(labels)

    def _after_training(self, task: Task, seed: int) -> None:
        if self._has_side_heads:
            assert isinstance(task, MRPNTask)
            with fixed_threads(self.settings.training.threads), seeded(seed, "side heads"):
                fit_side_heads(task, choose=not self.settings.refit)

    @property
    def _has_side_heads(self) -> bool:
        """Whether side heads are fitted after training: N0 has none of its own."""
        return self.settings.network == "N0" and len(self.settings.modalities) > 1

    def _record(self) -> dict[str, Any]:
        facts = super()._record()
        if self._has_side_heads and not self.settings.refit:
            facts["labels_used"]["penalty of the side heads"] = ["validation"]
        return facts


def _same_classes(labels: Sequence[Tensor]) -> Tensor:
    """Number clips so that those with equal classes in every target share a number."""
    return torch.unique(torch.stack(list(labels), dim=1), dim=0, return_inverse=True)[1]
