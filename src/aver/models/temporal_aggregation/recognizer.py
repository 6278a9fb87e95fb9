"""Temporal aggregation of audio-visual modalities, of Birhala et al. 2020."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Self

from aver.corpora.clip import Clip
from aver.features.feature import Feature, feature_from_settings
from aver.features.log_spectrogram import LogSpectrogram
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import raise_missing_modality
from aver.models.base.torch_recognizer import TorchRecognizer
from aver.models.data.targets import Target, TargetLoss
from aver.models.layers.pretrained import pretrained_changes
from aver.models.temporal_aggregation.network import TemporalNetwork
from aver.models.temporal_aggregation.predict import predict_segments
from aver.models.temporal_aggregation.sampler import SegmentRule, SegmentSampler, SegmentTask
from aver.models.temporal_aggregation.segments import SegmentClips, load_segment_clips
from aver.models.temporal_aggregation.settings import TemporalAggregationSettings
from aver.training.seeding import fixed_threads, seeded


class TemporalAggregation(TorchRecognizer[TemporalNetwork]):
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
    supports_offset = True

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
    def pretrained_weights(self) -> tuple[str, ...]:
        """Of its extractors, and of its features."""
        extractors = (self.settings.extractor(name).pretrained for name in self.settings.modalities)
        return tuple(dict.fromkeys((*filter(None, extractors), *super().pretrained_weights)))

    @classmethod
    def pretrained_overrides(
        cls, settings: TemporalAggregationSettings, modality: str, weights: str
    ) -> dict[str, Any]:
        """Changes for the extractors of that modality, which all start from the same weights.

        Face embeddings take the network that embeds; anything else gets a ResNet, see
        `pretrained_changes`. Windows of audio get the rows and the rate of the weights'
        spectrograms, but keep a logarithmic frequency axis even if those use the mel scale.
        """
        if modality not in settings.modalities:
            return {}
        if modality == "video" and settings.image_feature == "face-embeddings":
            return {"images.weights": weights}
        part = f"extractors.{modality}"
        changes, expected = pretrained_changes(part, settings.extractor(modality), weights)
        changes[f"{part}.kind"] = "resnet18"
        if expected is None:
            return changes
        if modality == "video":
            return changes | {"images.size_px": expected["size_px"], "gray": True}
        spectrogram = expected["feature_settings"]
        column_s = spectrogram["segment_s"] / spectrogram["column_count"]
        return changes | {
            "band_count": spectrogram["band_count"],
            "column_count": round(settings.window_s / column_s),
            "standardize_audio": expected["standardized"],
        }

    @property
    def _description(self) -> str:
        return f"Training {self.settings.segments} segments on {'+'.join(self.settings.modalities)}"

    def _task(self, train: Sequence[Clip], validation: Sequence[Clip], seed: int) -> SegmentTask:
        clips = self._load(train)
        for modality in self.settings.modalities:
            if modality not in clips.shapes:
                raise_missing_modality(modality, clips.flags)
        self._shapes = clips.shapes
        training = self._sampler(clips, train)
        loss = TargetLoss(
            Target("emotion", self.classes),
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

    def _predict(self, clips: Sequence[Clip]) -> Prediction:
        """Raises ClipError if clips have fewer frames than there are segments; it names them."""
        sampler = self._sampler(self._load(clips), clips)
        with fixed_threads(self.settings.training.threads):
            return predict_segments(self.network, sampler, self.classes, self.settings.tta)

    def with_offset(self, offset_s: float) -> Self:
        """The same trained recognizer, with the audio taken so much later than the frames.

        Parameters
        ----------
        offset_s : float
            Replaces the setting of that name.
        """
        self._check_trained()
        other = copy.copy(self)
        other.settings = dataclasses.replace(self.settings, offset_s=offset_s)
        return other

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
        labels = Target("emotion", self.classes).labels(clips)
        size = self.settings.training.batch_size
        return SegmentSampler(loaded, self.rule, self.settings.modalities, labels, size)

    def _build(self) -> TemporalNetwork:
        return TemporalNetwork(self.settings, self._shapes, len(self.classes))

    def _record(self) -> dict[str, Any]:
        fitted = ["statistics of the norms"]
        if "video" in self.settings.modalities:
            fitted.append("mean picture")
            if len(self._shapes["video"]) == 1:
                fitted.append("scaler of video")
        if "audio" in self.settings.modalities and self.settings.standardize_audio == "train":
            fitted.append("scaler of sound")
        labels = {"weights": self._trained_subsets}
        if not self.settings.refit and self.settings.training.keep == "best":
            labels["epoch"] = ["validation"]
        return {
            "fitted_on": dict.fromkeys(fitted, self._trained_subsets),
            "labels_used": labels,
        }
