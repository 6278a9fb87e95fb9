"""MRPN, the multi-modal residual perceptron network of Chang & Skarbek 2021."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch

from aver.corpora.clip import Clip
from aver.features.feature import Feature, feature_from_settings
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import label_shares, need_validation
from aver.models.base.torch_recognizer import NetworkRecognizer, never_seen
from aver.models.data.clip_frames import ClipFrames, load_clip_frames, min_frames
from aver.models.data.clip_sampler import ClipSampler, FrameRule
from aver.models.data.targets import Target, TargetLoss, learn_targets
from aver.models.layers.encoder import Branch, BranchSettings
from aver.models.mrpn.network import MRPNNetwork
from aver.models.mrpn.predict import predict_clips
from aver.models.mrpn.settings import MRPNSettings
from aver.models.mrpn.task import ClipTask, fit_side_heads
from aver.training.fit import fit
from aver.training.seeding import fixed_threads, seeded
from aver.training.settings import TrainingSettings


class MRPN(NetworkRecognizer[MRPNNetwork]):
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

    def __init__(self, settings: MRPNSettings, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self.targets: tuple[Target, ...] = ()

    @classmethod
    def tiny(cls, store: FeatureSource) -> Self:
        """A recogniser small enough for the contract tests, on tracks of features."""
        branches = {
            modality: BranchSettings(
                feature, extractor="identity", standardize="train", aggregator="statistics"
            )
            for modality, feature in (("video", "face-functionals"), ("audio", "audio-functionals"))
        }
        training = TrainingSettings(epochs=15, batch_size=32, learning_rate=1e-2, patience=15)
        return cls(MRPNSettings(branches=branches, hidden=16, training=training), store)

    @cached_property
    def features(self) -> Mapping[str, Feature]:
        """Modality to the feature that its branch reads."""
        found = {}
        for modality in self.settings.modalities:
            branch = self.settings.branches[modality]
            found[modality] = feature_from_settings(branch.feature, branch.feature_settings)
        return found

    @property
    def classes(self) -> tuple[str, ...]:
        """Emotions seen in training."""
        return next((t.outputs for t in self.targets if t.name == "emotion"), ())

    def fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int = 0,
        run_folder: Path | None = None,
    ) -> Self:
        """Learn from `train`; `validation` decides when to stop and which epoch to keep.

        With the setting ``refit`` it decides nothing and is learnt from.
        """
        training = self.settings.training
        if self.settings.refit:
            training = dataclasses.replace(training, keep="last")
        task = self.task(train, validation, seed)
        self.network = task.network
        self.history = fit(
            task,
            training,
            seed=seed,
            run_folder=run_folder,
            description=f"Training {self.settings.network} on {'+'.join(self.settings.modalities)}",
        )
        if self.settings.network == "N0" and len(self.settings.modalities) > 1:
            with fixed_threads(self.settings.training.threads), seeded(seed, "side heads"):
                fit_side_heads(task, choose=not self.settings.refit)
        self._card = {
            **self._facts_of(train, validation, seed),
            **self._predictions(),
            **self._record(),
        }
        return self

    def task(self, train: Sequence[Clip], validation: Sequence[Clip], seed: int) -> ClipTask:
        """What `fit` learns: the network before training, its batches and losses.

        Raises
        ------
        LabelError, MissingModalityError
            As `fit`.
        """
        need_validation(validation)
        if self.settings.refit:
            train = (*train, *validation)
        self.targets = learn_targets(self.settings.targets, train)
        frames = self._load(train)
        for modality, found in frames.items():
            if found.shape is None:
                raise never_seen(modality, found.flags)
            self._shapes[modality] = found.shape
        training = self._sampler(train, frames, for_training=True)
        held_out = self._sampler(validation, self._load(validation), for_training=False)
        self._prior = label_shares(train)[1].tolist()
        losses = {
            target.name: TargetLoss(
                target,
                training.labels[target.name],
                self.settings.class_weights,
                self.settings.label_smoothing,
            )
            for target in self.targets
        }
        return ClipTask(self._start(frames, seed), training, held_out, losses)

    def predict(self, clips: Sequence[Clip]) -> Prediction:
        """Answer for clips; see `aver.models.mrpn.predict`."""
        network = self._trained()
        frames = self._load(clips)
        sampler = self._sampler(clips, frames, for_training=False)
        with fixed_threads(self.settings.training.threads):
            return predict_clips(network, sampler, self.targets, self.prior, clips)

    def _predictions(self) -> dict[str, Any]:
        return {"targets": {target.name: list(target.outputs) for target in self.targets}}

    def _take_predictions(self, facts: Mapping[str, Any]) -> None:
        self.targets = tuple(Target(n, tuple(o)) for n, o in facts["targets"].items())

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
        labels = {target.name: target.labels(clips) for target in self.targets}
        pairing = (
            for_training
            and self.settings.cross_pairing
            and self.settings.network == "N2"
            and not any(target.regression for target in self.targets)
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
            {target.name: len(target.outputs) for target in self.targets},
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

    def _record(self) -> dict[str, dict[str, list[str]]]:
        """What was fitted on which part, and whose labels it used; see `aver.audit.audit_run`."""
        learned = ["train", "validation"] if self.settings.refit else ["train"]
        chosen = {}
        if not self.settings.refit:
            if self.settings.training.keep == "best":
                chosen["epoch"] = ["validation"]
            if self.settings.network == "N0" and len(self.settings.modalities) > 1:
                chosen["penalty of the side heads"] = ["validation"]
        scaled = [
            modality
            for modality in self.settings.modalities
            if self.settings.branches[modality].standardize == "train"
        ]
        return {
            "fitted_on": {
                "statistics of the norms": learned,
                **{f"scaler of {modality}": learned for modality in scaled},
            },
            "labels_used": {"weights": learned, "class shares": ["train"], **chosen},
        }


def _same_classes(labels: Sequence[torch.Tensor]) -> torch.Tensor:
    """Number clips so that those with equal classes in every target share a number."""
    return torch.unique(torch.stack(list(labels), dim=1), dim=0, return_inverse=True)[1]
