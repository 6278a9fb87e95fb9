"""Temporal aggregation of audio-visual modalities, of Birhala et al. 2020."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError, SettingsError
from aver.features.face_crops import FaceCrops
from aver.features.feature import Feature, feature_from_settings
from aver.features.log_spectrogram import LogSpectrogram
from aver.features.store import FeatureSource
from aver.models.checkpoint import Checkpoint, check_names, read_checkpoint, write_checkpoint
from aver.models.parts.card_facts import card_facts
from aver.models.parts.label_shares import label_shares
from aver.models.parts.need_validation import need_validation
from aver.models.parts.segment_answers import predict_segments
from aver.models.parts.segment_clips import SegmentClips, load_segment_clips
from aver.models.parts.segment_sampler import SegmentRule, SegmentSampler
from aver.models.parts.segment_task import SegmentTask
from aver.models.parts.target_loss import TargetLoss
from aver.models.parts.targets import Target
from aver.models.parts.temporal_network import TemporalNetwork
from aver.models.parts.temporal_settings import TemporalAggregationSettings
from aver.models.prediction import Prediction
from aver.models.recognizer import Recognizer, models
from aver.settings import settings_from_mapping
from aver.training.fit import fit
from aver.training.fixed_threads import fixed_threads
from aver.training.history import History
from aver.training.seeding import seeded
from aver.training.settings import TrainingSettings


@models.register("temporal-aggregation")
class TemporalAggregation(Recognizer):
    """Looks at one picture and the sound around it in each of N segments, and sums the answers.

    Parameters
    ----------
    settings : TemporalAggregationSettings
    store : FeatureSource

    Notes
    -----
    Source: Birhala et al. 2020, "Temporal aggregation of audio-visual modalities for emotion
    recognition".
    Differs from the paper: a clip that lacks pictures or sound is answered, with the training mean
    of the features in their place, and the network learns this by modality dropout. Answers look at
    the middle of each segment; the paper does not say how it samples when testing.
    """

    name = "temporal-aggregation"
    source = "Birhala et al. 2020, sections II and IV"
    settings_type = TemporalAggregationSettings
    settings: TemporalAggregationSettings

    def __init__(self, settings: TemporalAggregationSettings, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self.network: TemporalNetwork | None = None
        self.history: History | None = None
        self._classes: tuple[str, ...] = ()
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._prior: list[float] = []
        self._card: dict[str, Any] = {}

    @classmethod
    def tiny(cls, store: FeatureSource) -> Self:
        """A recogniser small enough for the contract tests."""
        training = TrainingSettings(
            epochs=8, batch_size=16, optimizer="sgd", learning_rate=0.02, schedule="step"
        )
        settings = TemporalAggregationSettings(
            segments=2,
            pictures={"size_px": 16},
            grey=True,
            band_count=8,
            column_count=8,
            channels=(8, 8),
            training=training,
        )
        return cls(settings, store)

    @property
    def rule(self) -> SegmentRule:
        """How segments are drawn."""
        s = self.settings
        return SegmentRule(s.segments, s.window_s, s.column_count, s.asynchrony_s, s.offset_s)

    @cached_property
    def features(self) -> Mapping[str, Feature]:
        """Face crops, and the sound in log-frequency bands."""
        features: dict[str, Feature] = {
            "video": feature_from_settings(FaceCrops.name, self.settings.pictures),
            "sound": LogSpectrogram(self.rule.grid_s, self.settings.band_count),
        }
        return {modality: features[modality] for modality in self.settings.modalities}

    @property
    def classes(self) -> tuple[str, ...]:
        """Emotions seen in training."""
        return self._classes

    def fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int = 0,
        run_folder: Path | None = None,
    ) -> Self:
        """Learn from `train`; `validation` decides which epoch to keep."""
        task = self.task(train, validation, seed)
        self.network = task.network
        self.history = fit(
            task,
            self.settings.training,
            seed=seed,
            run_folder=run_folder,
            description=f"Training {self.settings.segments} segments "
            f"on {'+'.join(self.settings.modalities)}",
        )
        self._card = {
            **card_facts(self, train, validation, seed),
            "parameters": sum(p.numel() for p in task.network.parameters()),
            "epochs": len(self.history.epochs),
            "best_epoch": self.history.best_epoch,
            "fitted_on": {
                "statistics of the norms": ["train"],
                **({"mean crop": ["train"]} if "video" in self._shapes else {}),
                **({"scaler of sound": ["train"]} if "sound" in self._shapes else {}),
            },
            "labels_used": {
                "weights": ["train"],
                **({"epoch": ["validation"]} if self.settings.training.keep == "best" else {}),
            },
        }
        return self

    def task(self, train: Sequence[Clip], validation: Sequence[Clip], seed: int) -> SegmentTask:
        """What `fit` learns: the network before training, its batches and its loss.

        Raises
        ------
        LabelError, MissingModalityError
            As `fit`.
        SettingsError
            If a clip has fewer pictures than there are segments.
        """
        self._classes, prior = label_shares(train)
        self._prior = prior.tolist()
        need_validation(validation)
        clips = self._load(train)
        for modality in self.settings.modalities:
            if modality not in clips.shapes:
                raise MissingModalityError(
                    f"None of the {len(train)} training clips has the modality {modality!r} "
                    f"({', '.join(clips.flags[0]) or 'no reason known'}). "
                    "Leave it out of modalities."
                )
        self._shapes = clips.shapes
        training = self._sampler(clips, train)
        loss = TargetLoss(
            Target("emotion", self._classes),
            training.labels,
            self.settings.class_weights,
            self.settings.label_smoothing,
        )
        with seeded(seed, "start"):
            network = self._build()
        network.learn_inputs(clips)
        return SegmentTask(
            network, training, self._sampler(self._load(validation), validation), loss
        )

    def predict(self, clips: Sequence[Clip]) -> Prediction:
        """Answer for clips; see `aver.models.parts.segment_answers`.

        Raises
        ------
        SettingsError
            If a clip has fewer pictures than there are segments.
        """
        network = self._trained()
        sampler = self._sampler(self._load(clips), clips)
        with fixed_threads(self.settings.training.threads):
            return predict_segments(
                network, sampler, self._classes, np.asarray(self._prior), self.settings.draws
            )

    def with_offset(self, offset_s: float) -> Self:
        """The same recogniser, with the sound taken so much later than the pictures.

        Parameters
        ----------
        offset_s : float
            Takes the place of the setting of that name.
        """
        network = self._trained()
        other = type(self)(dataclasses.replace(self.settings, offset_s=offset_s), self.store)
        other.network, other.history = network, self.history
        other._classes, other._shapes = self._classes, self._shapes
        other._prior, other._card = self._prior, self._card
        return other

    def save(self, folder: Path) -> None:
        """Write the checkpoint."""
        weights = {k: v.detach().cpu().numpy() for k, v in self._trained().state_dict().items()}
        facts = {
            "settings": dataclasses.asdict(self.settings),
            "features": {name: feature.settings() for name, feature in self.features.items()},
            "classes": list(self._classes),
            "shapes": {name: list(shape) for name, shape in self._shapes.items()},
            "prior": self._prior,
        }
        write_checkpoint(folder, Checkpoint(self.name, weights, facts, self.card))

    @classmethod
    def load(cls, folder: Path, store: FeatureSource) -> Self:
        """Read what `save` wrote."""
        checkpoint = read_checkpoint(folder, cls.name)
        facts = checkpoint.facts
        settings = settings_from_mapping(TemporalAggregationSettings, facts["settings"])
        recognizer = cls(settings, store)
        recognizer._classes = tuple(facts["classes"])
        recognizer._shapes = {name: tuple(shape) for name, shape in facts["shapes"].items()}
        recognizer._prior = list(facts["prior"])
        recognizer._card = dict(checkpoint.card)
        network = recognizer._build()
        check_names(checkpoint.weights, network.state_dict(), folder)
        network.load_state_dict({k: torch.from_numpy(v) for k, v in checkpoint.weights.items()})
        recognizer.network = network.eval()
        return recognizer

    @property
    def card(self) -> dict[str, Any]:
        """Facts for the model card."""
        return dict(self._card)

    def _trained(self) -> TemporalNetwork:
        if self.network is None:
            raise SettingsError("This recogniser has not been trained: call fit, or load one.")
        return self.network

    def _load(self, clips: Sequence[Clip]) -> SegmentClips:
        return load_segment_clips(
            clips,
            self.features,
            self.store,
            segments=self.settings.segments,
            window_s=self.settings.window_s,
            grey=self.settings.grey,
        )

    def _sampler(self, loaded: SegmentClips, clips: Sequence[Clip]) -> SegmentSampler:
        labels = Target("emotion", self._classes).labels(clips)
        size = self.settings.training.batch_size
        return SegmentSampler(loaded, self.rule, self.settings.modalities, labels, size)

    def _build(self) -> TemporalNetwork:
        return TemporalNetwork(self.settings, self._shapes, len(self._classes))
