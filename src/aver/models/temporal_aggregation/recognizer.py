"""Temporal aggregation of audio-visual modalities, of Birhala et al. 2020."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from aver.corpora.clip import Clip
from aver.features.feature import Feature, feature_from_settings
from aver.features.log_spectrogram import LogSpectrogram
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import label_shares, need_validation
from aver.models.base.torch_recognizer import NetworkRecognizer, never_seen
from aver.models.data.targets import Target, TargetLoss
from aver.models.temporal_aggregation.network import TemporalNetwork
from aver.models.temporal_aggregation.predict import predict_segments
from aver.models.temporal_aggregation.sampler import SegmentRule, SegmentSampler, SegmentTask
from aver.models.temporal_aggregation.segments import SegmentClips, load_segment_clips
from aver.models.temporal_aggregation.settings import TemporalAggregationSettings
from aver.training.fit import fit
from aver.training.seeding import fixed_threads, seeded
from aver.training.settings import TrainingSettings


class TemporalAggregation(NetworkRecognizer[TemporalNetwork]):
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
    the middle of each segment; the paper does not say how it samples when testing. Frames are drawn
    from the pictures of the feature, ten a second by default, not from all of the film.
    """

    name = "temporal-aggregation"
    source = "Birhala et al. 2020, sections II and IV"
    settings_type = TemporalAggregationSettings
    settings: TemporalAggregationSettings

    def __init__(self, settings: TemporalAggregationSettings, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self._classes: tuple[str, ...] = ()

    @classmethod
    def tiny(cls, store: FeatureSource) -> Self:
        """A recogniser small enough for the contract tests."""
        training = TrainingSettings(
            epochs=8, batch_size=16, optimizer="sgd", learning_rate=0.02, schedule="step"
        )
        settings = TemporalAggregationSettings(
            segments=2,
            images={"size_px": 16},
            gray=True,
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
        """Face crops or their embeddings, and the sound in log-frequency bands."""
        features: dict[str, Feature] = {
            "video": feature_from_settings(self.settings.image_feature, self.settings.images),
            "audio": LogSpectrogram(self.rule.grid_s, self.settings.band_count),
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
        """Learn from `train`; `validation` decides which epoch to keep.

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
            description=f"Training {self.settings.segments} segments "
            f"on {'+'.join(self.settings.modalities)}",
        )
        self._card = {**self._facts_of(train, validation, seed), **self._record()}
        return self

    def task(self, train: Sequence[Clip], validation: Sequence[Clip], seed: int) -> SegmentTask:
        """What `fit` learns: the network before training, its batches and its loss.

        Raises
        ------
        LabelError, MissingModalityError
            As `fit`, or if no validation clip can tell a good epoch from a bad one.
        ClipError
            If clips have fewer pictures than there are segments.
        CheckpointError
            If there are no such pretrained weights, or they do not fit.
        """
        need_validation(validation)
        if self.settings.refit:
            train = (*train, *validation)
        self._classes, prior = label_shares(train)
        self._prior = prior.tolist()
        clips = self._load(train)
        for modality in self.settings.modalities:
            if modality not in clips.shapes:
                raise never_seen(modality, clips.flags)
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
        network.load_pretrained()
        network.learn_inputs(clips)
        held_out = clips.last(len(validation)) if self.settings.refit else self._load(validation)
        judges = self._sampler(held_out, validation)
        if not self.settings.refit:
            judges.check_judging()
        return SegmentTask(network, training, judges, loss)

    def predict(self, clips: Sequence[Clip]) -> Prediction:
        """Answer for clips; see `aver.models.temporal_aggregation.predict`.

        Raises
        ------
        ClipError
            If clips have fewer pictures than there are segments; it names all of them.
        """
        network = self._trained()
        sampler = self._sampler(self._load(clips), clips)
        with fixed_threads(self.settings.training.threads):
            return predict_segments(network, sampler, self._classes, self.prior, self.settings.tta)

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

    def _predictions(self) -> dict[str, Any]:
        return {"classes": list(self._classes)}

    def _take_predictions(self, facts: Mapping[str, Any]) -> None:
        self._classes = tuple(facts["classes"])

    def _load(self, clips: Sequence[Clip]) -> SegmentClips:
        return load_segment_clips(
            clips,
            self.features,
            self.store,
            segments=self.settings.segments,
            window_s=self.settings.window_s,
            gray=self.settings.gray,
        )

    def _sampler(self, loaded: SegmentClips, clips: Sequence[Clip]) -> SegmentSampler:
        labels = Target("emotion", self._classes).labels(clips)
        size = self.settings.training.batch_size
        return SegmentSampler(loaded, self.rule, self.settings.modalities, labels, size)

    def _build(self) -> TemporalNetwork:
        return TemporalNetwork(self.settings, self._shapes, len(self._classes))

    def _record(self) -> dict[str, dict[str, list[str]]]:
        """What was fitted on which part, and whose labels it used; see `aver.audit.audit_run`."""
        refit, audio = self.settings.refit, self.settings.standardize_audio
        learned = ["train", "validation"] if refit else ["train"]
        fitted = ["statistics of the norms"]
        if "video" in self.settings.modalities:
            fitted.append("mean picture")
            if len(self._shapes["video"]) == 1:
                fitted.append("scaler of video")
        if "audio" in self.settings.modalities and audio == "train":
            fitted.append("scaler of sound")
        choice = not refit and self.settings.training.keep == "best"
        return {
            "fitted_on": dict.fromkeys(fitted, learned),
            "labels_used": {"weights": learned, **({"epoch": ["validation"]} if choice else {})},
        }
