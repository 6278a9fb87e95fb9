"""MRPN, the multi-modal residual perceptron network of Chang & Skarbek 2021."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch

from aver.corpora.clip import Clip
from aver.features.feature import Feature, feature_from_settings, features
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import raise_missing_modality
from aver.models.base.torch_recognizer import TorchRecognizer
from aver.models.data.clip_frames import ClipFrames, load_clip_frames, min_frames
from aver.models.data.clip_sampler import ClipSampler, FrameRule
from aver.models.data.targets import Target, TargetLoss, learn_targets
from aver.models.layers.encoder import Branch
from aver.models.layers.pretrained import pretrained_changes
from aver.models.mrpn.network import MRPNNetwork
from aver.models.mrpn.predict import predict_clips
from aver.models.mrpn.settings import MRPNSettings
from aver.models.mrpn.task import ClipTask, fit_side_heads
from aver.training.seeding import fixed_threads, seeded
from aver.training.task import Task


class MRPN(TorchRecognizer[MRPNNetwork]):
    """Fuses face and voice (and any other track) by residual perceptrons.

    Parameters
    ----------
    settings : MRPNSettings
    store : FeatureSource

    Notes
    -----
    Source: Chang & Skarbek 2021, "Multi-modal Residual Perceptron Network for Audio-Video Emotion
    Recognition".
    Differs from the paper: a clip that lacks a modality is answered by the mean of the side heads
    of those it has; N0 gets such heads after training, on detached features.
    """

    name = "mrpn"
    source = "Chang & Skarbek 2021, sections 3 and 4"
    settings_type = MRPNSettings
    settings: MRPNSettings
    gives_embeddings = True
    pairs_across_clips = True

    def __init__(self, settings: MRPNSettings, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self._targets: tuple[Target, ...] = ()

    @cached_property
    def features(self) -> Mapping[str, Feature]:
        """Modality to the feature that its branch reads."""
        found = {}
        for modality in self.settings.modalities:
            branch = self.settings.branches[modality]
            found[modality] = feature_from_settings(branch.feature, branch.feature_settings)
        return found

    @property
    def targets(self) -> tuple[str, ...]:
        """As the settings name them."""
        return self.settings.targets

    @property
    def pretrained_weights(self) -> tuple[str, ...]:
        """Of the extractors of its branches, and of its features."""
        branches = (self.settings.branches[name].pretrained for name in self.settings.modalities)
        return tuple(dict.fromkeys((*filter(None, branches), *super().pretrained_weights)))

    @classmethod
    def pretrained_overrides(
        cls, settings: MRPNSettings, modality: str, weights: str
    ) -> dict[str, Any]:
        """Changes for the first branch of that modality that can start from weights.

        A branch with face embeddings takes the network that embeds. A branch that reads images or
        spectrograms gets a ResNet, see `pretrained_changes`, without channels of coordinates and
        movement.
        """
        for name in settings.modalities:
            branch, part = settings.branches[name], f"branches.{name}"
            if features.get(branch.feature).modality != modality:
                continue
            if branch.feature == "face-embeddings":
                return {f"{part}.feature_settings.weights": weights}
            if branch.feature not in ("face-crops", "spectrogram-segments"):
                continue
            changes, expected = pretrained_changes(part, branch, weights)
            # No pretrained weights know these channels; the three of a gray image with coordinates
            # would even fit weights for color.
            changes |= {
                f"{part}.extractor": "resnet18",
                f"{part}.coord_conv": False,
                f"{part}.movement": False,
            }
            if expected is None:
                return changes
            if branch.feature == "face-crops":
                return changes | {
                    f"{part}.feature_settings.size_px": expected["size_px"],
                    f"{part}.gray": True,
                    f"{part}.standardize": "clip",
                }
            return changes | {
                f"{part}.feature_settings": expected["feature_settings"],
                f"{part}.standardize": expected["standardized"],
            }
        return {}

    @property
    def _description(self) -> str:
        return f"Training {self.settings.network} on {'+'.join(self.settings.modalities)}"

    def _task(self, train: Sequence[Clip], validation: Sequence[Clip], seed: int) -> ClipTask:
        self._targets = learn_targets(self.settings.targets, train)
        frames = self._load(train)
        for modality, found in frames.items():
            if found.shape is None:
                raise_missing_modality(modality, found.flags)
            self._shapes[modality] = found.shape
        training = self._sampler(train, frames, for_training=True)
        held_out = self._sampler(validation, self._load(validation), for_training=False)
        losses = {
            target.name: TargetLoss(
                target,
                training.labels[target.name],
                self.settings.class_weights,
                self.settings.label_smoothing,
            )
            for target in self._targets
        }
        return ClipTask(self._start(frames, seed), training, held_out, losses)

    def _after_training(self, task: Task, seed: int) -> None:
        if self._has_side_heads:
            assert isinstance(task, ClipTask)
            with fixed_threads(self.settings.training.threads), seeded(seed, "side heads"):
                fit_side_heads(task, choose=not self.settings.refit)

    @property
    def _has_side_heads(self) -> bool:
        """Whether side heads are fitted after training: N0 has none of its own."""
        return self.settings.network == "N0" and len(self.settings.modalities) > 1

    def _predict(self, clips: Sequence[Clip]) -> Prediction:
        sampler = self._sampler(clips, self._load(clips), for_training=False)
        with fixed_threads(self.settings.training.threads):
            return predict_clips(self.network, sampler, self._targets, clips)

    def _state(self) -> dict[str, Any]:
        outputs = {target.name: list(target.outputs) for target in self._targets}
        return {**super()._state(), "targets": outputs}

    def _restore(self, weights: dict[str, Any], facts: Mapping[str, Any]) -> None:
        self._targets = tuple(Target(n, tuple(o)) for n, o in facts["targets"].items())
        super()._restore(weights, facts)

    def _load(self, clips: Sequence[Clip]) -> dict[str, ClipFrames]:
        return {
            modality: load_clip_frames(
                clips, feature, self.store, self.settings.branches[modality].gray
            )
            for modality, feature in self.features.items()
        }

    def _sampler(
        self, clips: Sequence[Clip], frames: Mapping[str, ClipFrames], for_training: bool
    ) -> ClipSampler:
        labels = {target.name: target.labels(clips) for target in self._targets}
        pairing = (
            for_training
            and self.settings.cross_pairing
            and self.settings.network == "N2"
            and not any(target.regression for target in self._targets)
        )
        return ClipSampler(
            frames=frames,
            rules={
                modality: FrameRule(min_frames(feature), self.settings.branches[modality].frames)
                for modality, feature in self.features.items()
            },
            labels=labels,
            batch_size=self.settings.training.batch_size,
            slices=self.settings.time_slices,
            pair_by=_same_classes(list(labels.values())) if pairing else None,
        )

    def _build(self) -> MRPNNetwork:
        branches = {
            modality: Branch(self.settings.branches[modality], shape, self.settings.dropout)
            for modality, shape in self._shapes.items()
        }
        return MRPNNetwork(
            branches,
            {target.name: len(target.outputs) for target in self._targets},
            kind=self.settings.network,
            hidden=self.settings.hidden,
            dropout=self.settings.dropout,
            side_scoring=self.settings.side_scoring,
        )

    def _start(self, frames: Mapping[str, ClipFrames], seed: int) -> MRPNNetwork:
        """The network before training: random, then what is known beforehand."""
        with seeded(seed, "start"):
            network = self._build()
        for modality in self.settings.modalities:
            settings = self.settings.branches[modality]
            branch = network.branches[modality]
            assert isinstance(branch, Branch)
            if settings.pretrained:
                branch.load_pretrained(settings.pretrained)
            if settings.standardize == "train":
                branch.standardize.learn([c for c in frames[modality].frames if c is not None])
        return network

    def _record(self) -> dict[str, Any]:
        learned, chosen = self._trained_subsets, {}
        if not self.settings.refit:
            if self.settings.training.keep == "best":
                chosen["epoch"] = ["validation"]
            if self._has_side_heads:
                chosen["penalty of the side heads"] = ["validation"]
        scaled = [
            modality
            for modality in self.settings.modalities
            if self.settings.branches[modality].standardize == "train"
        ]
        return {
            "targets": {target.name: list(target.outputs) for target in self._targets},
            "fitted_on": {
                "statistics of the norms": learned,
                **{f"scaler of {modality}": learned for modality in scaled},
            },
            "labels_used": {"weights": learned, "class shares": ["train"], **chosen},
        }


def _same_classes(labels: Sequence[torch.Tensor]) -> torch.Tensor:
    """Number clips so that those with equal classes in every target share a number."""
    return torch.unique(torch.stack(list(labels), dim=1), dim=0, return_inverse=True)[1]
