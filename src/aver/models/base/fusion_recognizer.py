"""`FusionRecognizer`: networks that score each modality alone and all of them together.

The frames of each modality are encoded by a `FrameEncoder`; a network scores every modality and
their fusion; the losses of all scores are summed. A system subclasses `FusionSettings` and
`FusionRecognizer` and writes its network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Annotated, Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError, SettingsError
from aver.features.feature import Feature, feature_from_settings, features
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction, mean_of_known
from aver.models.base.torch_recognizer import SamplerTask, TorchRecognizer
from aver.models.data.batches import ClipBatch, read_frames
from aver.models.data.clip_features import (
    ClipFeature,
    check_present,
    coverage_of,
    flags_of,
    load_feature,
)
from aver.models.data.sampler import ClipSampler, FrameRule
from aver.models.data.targets import Target, TargetLoss, learn_targets, predictions
from aver.models.layers.encoder import pretrained_changes
from aver.models.layers.frame_encoder import FrameEncoderSettings
from aver.settings import Field, settings
from aver.training.seeding import fixed_threads, seeded
from aver.training.settings import TrainingSettings
from aver.training.task import Loss

N = TypeVar("N", bound=nn.Module)


@settings
class FusionSettings:
    """Settings of every `FusionRecognizer`; a subclass adds those of its network.

    Parameters
    ----------
    modalities : tuple of str
        Keys of `branches`, in the order of fusion. A single one makes the unimodal network.
    targets : tuple of str
        ``"emotion"`` first, then any of ``"intensity"`` (classes), ``"votes-voice"``,
        ``"votes-face"``, ``"votes-both"`` (regression on shares of votes).
    branches : mapping of str to FrameEncoderSettings
        How each modality is read.
    time_slices : bool
        Train on random slices of at least one second, drawn for each modality separately.
    class_weights : bool
        Give every class the same weight in the loss.
    label_smoothing : float in [0, 1)
    refit : bool
        Train on the validation clips too and keep the last epoch; nothing is then chosen on them.
        With few speakers, those of the validation set are missed in training. The validation curve
        is then one over clips of the training set.
    training : TrainingSettings

    Raises
    ------
    SettingsError
        If a value is out of range, or a modality is repeated or not among `branches`.
    """

    modalities: tuple[str, ...] = ("video", "audio")
    targets: tuple[str, ...] = ("emotion",)
    branches: Mapping[str, FrameEncoderSettings] = field(default_factory=dict)
    time_slices: bool = True
    class_weights: bool = True
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    refit: bool = False
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def __post_init__(self) -> None:
        if not self.modalities or len(set(self.modalities)) < len(self.modalities):
            raise SettingsError(
                f"modalities must name at least one modality, each once, not {self.modalities}."
            )
        for modality in self.modalities:
            if modality not in self.branches:
                raise SettingsError(
                    f"There is no modality {modality!r} in these settings. "
                    f"Known are: {', '.join(self.branches)}."
                )


@dataclass(frozen=True)
class Scores:
    """Outputs of the network for a batch, before any softmax.

    Parameters
    ----------
    fused : mapping of str to Tensor [shape=(clips with every modality, outputs)]
        By target; empty if no clip has every modality. Of a network with a single modality, its
        only scores.
    side : mapping of str to mapping of str to Tensor [shape=(clips with it, outputs)]
        By modality, then by target; empty for a single modality.
    complete : Tensor of bool [shape=(clips,)]
        Which clips have every modality.
    features : mapping of str to Tensor [shape=(clips with it, size)]
        Feature vector of each clip, by modality.
    fused_feature : Tensor [shape=(clips with every modality, hidden)]
        Input of the last dense unit.
    """

    fused: Mapping[str, Tensor]
    side: Mapping[str, Mapping[str, Tensor]]
    complete: Tensor
    features: Mapping[str, Tensor]
    fused_feature: Tensor


class DenseScores(nn.Module):
    """One dense unit per target, for networks that give `Scores`.

    Source: Chang & Skarbek 2021, eqs. 8 and 9, for the side branches.

    Parameters
    ----------
    features : int
        Of the input.
    outputs : mapping of str to int
        Target to its number of scores.
    dropout : float in [0, 1)
        Before the dense units.
    """

    def __init__(self, features: int, outputs: Mapping[str, int], dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.ModuleDict(
            {target: nn.Linear(features, count) for target, count in outputs.items()}
        )

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """``(clips, features)`` to scores ``(clips, outputs)`` by target."""
        features = self.dropout(features)
        return {target: dense(features) for target, dense in self.dense.items()}


class FusionRecognizer(TorchRecognizer[N]):
    """Everything of a recognizer but its network.

    A subclass defines `name`, `source`, `settings_type` (a subclass of `FusionSettings`) and
    `_build`. The network has ``branches``, a `FrameEncoder` for each modality, and its ``forward``
    takes a mapping of modality to `ClipSequences` and returns `Scores`.

    A clip that lacks a modality is predicted by the mean of the side scores of those it has.
    """

    settings: Any
    gives_embeddings = True

    def __init__(self, settings: Any, store: FeatureSource) -> None:
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
        return tuple(self.settings.targets)

    @property
    def pretrained_weights(self) -> tuple[str, ...]:
        """Of the extractors of its branches, and of its features."""
        branches = (self.settings.branches[name].pretrained for name in self.settings.modalities)
        return tuple(dict.fromkeys((*filter(None, branches), *super().pretrained_weights)))

    @classmethod
    def pretrained_overrides(cls, settings: Any, modality: str, weights: str) -> dict[str, Any]:
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

    # Hooks for subclasses.

    @property
    def _outputs(self) -> dict[str, int]:
        """Target to its number of scores, for `_build`."""
        return {target.name: len(target.outputs) for target in self._targets}

    def _make_task(
        self,
        network: N,
        train: ClipSampler,
        validation: ClipSampler,
        losses: Mapping[str, TargetLoss],
    ) -> FusionTask:
        """The losses; by default those of the fused scores and of all side scores."""
        return FusionTask(network, train, validation, losses)

    def _pair_by(self, labels: Sequence[Tensor]) -> Tensor | None:
        """Numbers of clips whose modalities may be exchanged in training, see `ClipSampler`."""
        return None

    # What is shared.

    def _task(self, train: Sequence[Clip], validation: Sequence[Clip], seed: int) -> FusionTask:
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
        for modality, branch in network.branches.items():  # type: ignore[operator,union-attr]
            branch.load_pretrained(self.settings.branches[modality].pretrained)
            if self.settings.branches[modality].standardize == "train":
                branch.standardize.learn(list(frames[modality].some))
        return self._make_task(network, training, held_out, losses)

    def _describe(self, clips: Sequence[Clip]) -> dict[str, np.ndarray]:
        """The feature vectors of the branches."""
        embeddings = self._predict(clips).embeddings if clips else {}
        return {name: np.asarray(embeddings.get(name, np.zeros((0, 0)))) for name in self.features}

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

    def _load(self, clips: Sequence[Clip]) -> dict[str, ClipFeature[Tensor]]:
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
        frames: Mapping[str, ClipFeature[Tensor]],
        for_training: bool,
    ) -> ClipSampler:
        labels = {target.name: target.labels(clips) for target in self._targets}
        return ClipSampler(
            frames=frames,
            rules={
                modality: FrameRule(feature.frames_in_1_s, self.settings.branches[modality].frames)
                for modality, feature in self.features.items()
            },
            labels=labels,
            batch_size=self.settings.training.batch_size,
            slices=self.settings.time_slices,
            pair_by=self._pair_by(list(labels.values())) if for_training else None,
        )

    def _record(self) -> dict[str, Any]:
        learned, chosen = self._trained_subsets, {}
        if not self.settings.refit and self.settings.training.keep == "best":
            chosen["epoch"] = ["validation"]
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
            "labels_used": {"weights": learned, "class shares": learned, **chosen},
        }


class FusionTask(SamplerTask[ClipBatch]):
    """Sum of the losses of the fused scores and of all side scores, over the targets.

    Validation uses the fused loss alone, because clips with every modality are predicted by the
    fused scores.

    Parameters
    ----------
    network : nn.Module
        Returns `Scores`.
    train, validation : ClipSampler
    losses : mapping of str to TargetLoss
        By target; the log counts the correct predictions of the first.

    Raises
    ------
    MissingModalityError
        If no clip of the training or validation set has all modalities: the fused loss needs one.
    """

    train: ClipSampler
    validation: ClipSampler

    def __init__(
        self,
        network: nn.Module,
        train: ClipSampler,
        validation: ClipSampler,
        losses: Mapping[str, TargetLoss],
    ) -> None:
        super().__init__(network, train, validation)
        for subset, sampler in (("training", train), ("validation", validation)):
            _check_complete(subset, sampler)
        self.losses = losses

    @property
    def side_losses(self) -> bool:
        """Whether the losses of the side scores are added."""
        return True

    def loss(self, batch: ClipBatch) -> Loss:
        """Score a batch and compare with its labels."""
        training = self.network.training
        scores = self.network(batch.inputs)
        value, correct = self._fused(scores, batch, training)
        if training and self.side_losses:
            value = value + self._side(scores, batch)
        return Loss(value, batch.clips, correct)

    def _fused(self, scores: Scores, batch: ClipBatch, training: bool) -> tuple[Tensor, int]:
        """``L_va``, and the number of correct predictions of the first target."""
        # Without a complete clip the loss is 0 and still has a gradient.
        value = sum((f.sum() * 0.0 for f in scores.features.values()), torch.zeros(()))
        value = value.to(scores.complete.device)
        correct = 0
        for row, (target, loss) in enumerate(self.losses.items()):
            if target not in scores.fused:
                continue
            labels = batch.labels[target][scores.complete]
            value = value + loss(scores.fused[target], labels, training)
            if row == 0:
                correct = int((scores.fused[target].argmax(dim=1) == labels).sum())
        return value, correct

    def _side(self, scores: Scores, batch: ClipBatch) -> Tensor:
        """``L_v + L_a``."""
        value = torch.zeros((), device=scores.complete.device)
        for modality, by_target in scores.side.items():
            present = batch.inputs[modality].present
            for target, loss in self.losses.items():
                value = value + loss(by_target[target], batch.labels[target][present], True)
        return value


def _check_complete(subset: str, sampler: ClipSampler) -> None:
    present = {name: found.present for name, found in sampler.frames.items()}
    if np.all(list(present.values()), axis=0).any():
        return
    missing = ", ".join(f"{name} is missing in {sum(~has)}" for name, has in present.items())
    raise MissingModalityError(
        f"None of the {sampler.clips} {subset} clips has all of {', '.join(present)} ({missing}). "
        "Leave one out of modalities, or choose another split."
    )


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

    def add(self, start: int, scores: Scores, present: Mapping[str, Tensor]) -> None:
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

    def _embed(self, name: str, rows: np.ndarray, values: Tensor) -> None:
        if name not in self.embeddings:
            self.embeddings[name] = self._nan(values.shape[1])
        self.embeddings[name][rows] = values.float().numpy()

    def combined(self, target: str) -> np.ndarray:
        """Of the fused branch, or else the mean of the side heads of the modalities present."""
        fused = self.fused[target]
        side = mean_of_known([by_target[target] for by_target in self.side.values()])
        return np.where(np.isnan(fused).any(axis=1, keepdims=True), side, fused)
