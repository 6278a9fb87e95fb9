"""MRPN, the multi-modal residual perceptron network of Chang & Skarbek 2021."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch

from aver.corpora.clip import Clip
from aver.features.feature import Feature, feature_from_settings, features
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction, mean_of_known
from aver.models.base.torch_recognizer import TorchRecognizer
from aver.models.data.batches import read_frames
from aver.models.data.clip_features import (
    ClipFeature,
    check_present,
    coverage_of,
    flags_of,
    load_feature,
)
from aver.models.data.sampler import ClipSampler, FrameRule, min_frames
from aver.models.data.targets import Target, TargetLoss, learn_targets, predictions
from aver.models.layers.encoder import pretrained_changes
from aver.models.mrpn.network import MRPNNetwork, Scores
from aver.models.mrpn.settings import MRPNSettings
from aver.models.mrpn.task import MRPNTask, fit_side_heads
from aver.training.seeding import fixed_threads, seeded
from aver.training.task import Task


class MRPN(TorchRecognizer[MRPNNetwork]):
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
    gives_embeddings = True
    pairs_across_clips = True

    def __init__(self, settings: MRPNSettings, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self._targets: tuple[Target, ...] = ()

    @cached_property
    def features(self) -> Mapping[str, Feature]:
        """Modality to the feature that its branch reads."""
        branches = {name: self.settings.branches[name] for name in self.settings.modalities}
        return {
            name: feature_from_settings(branch.feature, branch.feature_settings)
            for name, branch in branches.items()
        }

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

    def _task(self, train: Sequence[Clip], validation: Sequence[Clip], seed: int) -> MRPNTask:
        self._targets = learn_targets(self.settings.targets, train)
        frames = self._load(train)
        check_present(frames)
        self._shapes = {name: tuple(found.some[0].shape[1:]) for name, found in frames.items()}
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
        with seeded(seed, "start"):
            network = self._build()
        for modality, branch in network.branches.items():
            branch.load_pretrained(self.settings.branches[modality].pretrained)
            if self.settings.branches[modality].standardize == "train":
                branch.standardize.learn(list(frames[modality].some))
        return MRPNTask(network, training, held_out, losses)

    def _after_training(self, task: Task, seed: int) -> None:
        if self._has_side_heads:
            assert isinstance(task, MRPNTask)
            with fixed_threads(self.settings.training.threads), seeded(seed, "side heads"):
                fit_side_heads(task, choose=not self.settings.refit)

    @property
    def _has_side_heads(self) -> bool:
        """Whether side heads are fitted after training: N0 has none of its own."""
        return self.settings.network == "N0" and len(self.settings.modalities) > 1

    @torch.no_grad()
    def _predict(self, clips: Sequence[Clip]) -> Prediction:
        frames = self._load(clips)
        outputs = _Outputs(self.modalities, self._targets, len(clips))
        with fixed_threads(self.settings.training.threads):
            self.network.eval()
            start = 0
            for batch in self._sampler(clips, frames, for_training=False).evaluation():
                present = {name: inputs.present for name, inputs in batch.inputs.items()}
                outputs.add(start, self.network(batch.inputs), present)
                start += batch.clips
        others = [target for target in self._targets if target.name != "emotion"]
        return Prediction(
            clip_ids=tuple(clip.clip_id for clip in clips),
            classes=self.classes,
            probabilities=outputs.combined("emotion"),
            by_modality={name: side["emotion"] for name, side in outputs.side.items()},
            coverage=coverage_of(frames),
            flags=flags_of(frames),
            other_targets={target.name: outputs.combined(target.name) for target in others},
            other_outputs={target.name: target.outputs for target in others},
            embeddings=outputs.embeddings,
        )

    def _state(self) -> dict[str, Any]:
        outputs = {target.name: list(target.outputs) for target in self._targets}
        return {**super()._state(), "targets": outputs}

    def _restore(self, weights: dict[str, Any], facts: Mapping[str, Any]) -> None:
        self._targets = tuple(Target(n, tuple(o)) for n, o in facts["targets"].items())
        super()._restore(weights, facts)

    def _load(self, clips: Sequence[Clip]) -> dict[str, ClipFeature[torch.Tensor]]:
        return {
            modality: load_feature(
                clips,
                feature,
                self.store,
                partial(read_frames, gray=self.settings.branches[modality].gray),
            )
            for modality, feature in self.features.items()
        }

    def _sampler(
        self,
        clips: Sequence[Clip],
        frames: Mapping[str, ClipFeature[torch.Tensor]],
        for_training: bool,
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
        outputs = {target.name: len(target.outputs) for target in self._targets}
        return MRPNNetwork(self.settings, self._shapes, outputs)

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


class _Outputs:
    """What the network gives for all clips: NaN where there is nothing."""

    def __init__(self, modalities: Sequence[str], targets: Sequence[Target], clips: int) -> None:
        self._targets, self._clips = {target.name: target for target in targets}, clips
        self.fused = {target.name: self._nan(len(target.outputs)) for target in targets}
        self.side = {
            modality: {target.name: self._nan(len(target.outputs)) for target in targets}
            for modality in modalities
        }
        self.embeddings: dict[str, np.ndarray] = {}

    def _nan(self, columns: int) -> np.ndarray:
        return np.full((self._clips, columns), np.nan)

    def add(self, start: int, scores: Scores, present: Mapping[str, torch.Tensor]) -> None:
        """Write the outputs of one batch, whose first clip is number `start`."""
        complete = start + np.flatnonzero(scores.complete.numpy())
        for name, values in scores.fused.items():
            self.fused[name][complete] = predictions(self._targets[name], values).numpy()
        if len(complete):
            self._embed("fused", complete, scores.fused_feature)
        for modality, feature in scores.features.items():
            rows = start + np.flatnonzero(present[modality].numpy())
            self._embed(modality, rows, feature)
            # A single modality has no side head: its prediction is the fused one.
            for name, values in scores.side.get(modality, scores.fused).items():
                self.side[modality][name][rows] = predictions(self._targets[name], values).numpy()

    def _embed(self, name: str, rows: np.ndarray, values: torch.Tensor) -> None:
        if name not in self.embeddings:
            self.embeddings[name] = self._nan(values.shape[1])
        self.embeddings[name][rows] = values.float().numpy()

    def combined(self, target: str) -> np.ndarray:
        """Of the fused branch, or else the mean of the side heads of the modalities present."""
        fused = self.fused[target]
        side = mean_of_known([by_target[target] for by_target in self.side.values()])
        return np.where(np.isnan(fused).any(axis=1, keepdims=True), side, fused)
