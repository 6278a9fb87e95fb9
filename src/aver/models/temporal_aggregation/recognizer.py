"""Temporal aggregation of audio-visual modalities, of Birhala et al. 2020."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, Self

import numpy as np
import torch

from aver.corpora.clip import Clip
from aver.errors import ClipError, LabelError, MissingModalityError
from aver.features.face_embeddings import FaceEmbeddings
from aver.features.feature import Feature, feature_from_settings
from aver.features.log_spectrogram import LogSpectrogram
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction
from aver.models.base.torch_recognizer import SamplerTask, TorchRecognizer
from aver.models.data.batches import to_frames
from aver.models.data.clip_features import (
    ClipFeature,
    check_present,
    coverage_of,
    flags_of,
    load_feature,
)
from aver.models.data.targets import Target, TargetLoss
from aver.models.layers.encoder import pretrained_changes
from aver.models.temporal_aggregation.network import TemporalNetwork
from aver.models.temporal_aggregation.segments import (
    Audio,
    Images,
    SegmentBatch,
    SegmentRule,
    SegmentSampler,
    segment_edges,
)
from aver.models.temporal_aggregation.settings import TemporalAggregationSettings
from aver.training.seeding import fixed_threads, seeded
from aver.training.task import Loss


class TemporalAggregation(TorchRecognizer[TemporalNetwork]):
    """Reads one frame and the audio around it in each of N segments, and sums the probabilities.

    Parameters
    ----------
    settings : TemporalAggregationSettings
    store : FeatureSource

    Notes
    -----
    Source: Birhala et al. 2020, "Temporal aggregation of audio-visual modalities for emotion
    recognition".
    Differs from the paper: a clip that lacks video or audio is predicted with the training mean of
    the features in their place, for which the network is trained by modality dropout. Predictions
    use the middle of each segment; the paper does not say how it samples at test time. Frames are
    drawn from those of the feature, ten per second by default, not from all frames of the video.
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
        """Face crops or their embeddings, and a log-frequency spectrogram."""
        features: dict[str, Feature] = {
            "video": feature_from_settings(self.settings.image_feature, self.settings.images),
            "audio": LogSpectrogram(
                self.rule.grid_s,
                self.settings.band_count,
                needs_speech=self.settings.needs_speech,
            ),
        }
        return {modality: features[modality] for modality in self.settings.modalities}

    @property
    def pretrained_weights(self) -> tuple[str, ...]:
        """Of its extractors, and of its features."""
        branches = (self.settings.branch(name).pretrained for name in self.settings.modalities)
        return tuple(dict.fromkeys((*filter(None, branches), *super().pretrained_weights)))

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
        branch = settings.branch(modality)
        changes, expected = pretrained_changes(f"branches.{modality}", branch, weights)
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
        loaded = self._load(train)
        check_present(loaded)
        self._shapes = {
            name: tuple((one.frames if isinstance(one, Images) else one.columns).shape[1:])
            for name, one in ((name, found.some[0]) for name, found in loaded.items())
        }
        training = self._sampler(loaded, train)
        loss = TargetLoss(
            Target("emotion", self.classes),
            training.labels["emotion"],
            self.settings.class_weights,
            self.settings.label_smoothing,
        )
        with seeded(seed, "start"):
            network = self._build()
        for one in network.networks:
            for name, branch in one.branches.items():
                branch.load_pretrained(self.settings.branch(name).pretrained)
        network.measure_inputs(loaded.get("video"), loaded.get("audio"))
        if self.settings.refit:  # they are the last training clips
            last = slice(len(train) - len(validation), None)
            held_out = self._sampler({k: v[last] for k, v in loaded.items()}, validation)
        else:
            held_out = self._sampler(self._load(validation), validation)
            _check_choosing(held_out)
        return SegmentTask(network, training, held_out, loss)

    @torch.no_grad()
    def _predict(self, clips: Sequence[Clip]) -> Prediction:
        """Raises ClipError if clips have fewer frames than there are segments; it names them."""
        loaded = self._load(clips)
        sampler = self._sampler(loaded, clips)
        alone = self.modalities if len(self.modalities) > 1 else ()
        draws = range(self.settings.tta) if self.settings.tta else (None,)
        with fixed_threads(self.settings.training.threads):
            self.network.eval()
            results = [self._one_draw(replace(sampler, draw=draw), alone) for draw in draws]
        mean = {name: np.mean([result[name] for result in results], axis=0) for name in results[0]}
        present = {name: found.present[:, None] for name, found in loaded.items()}
        usable = np.any(list(present.values()), axis=0)
        return Prediction(
            clip_ids=sampler.clip_ids,
            classes=self.classes,
            probabilities=np.where(usable, mean[""], np.nan),
            by_modality={
                name: np.where(has, mean[name if alone else ""], np.nan)
                for name, has in present.items()
            },
            coverage=coverage_of(loaded),
            flags=flags_of(loaded),
        )

    def _one_draw(self, sampler: SegmentSampler, alone: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Probabilities ``(clips, classes)``, fused under ``""`` and by modality."""
        parts = {name: [np.empty((0, len(self.classes)))] for name in ("", *alone)}
        for batch in sampler.evaluation():
            for name, logs in self.network.log_probabilities(batch, alone).items():
                parts[name].append(logs.double().exp().numpy())
        return {name: np.concatenate(rows) for name, rows in parts.items()}

    def with_offset(self, offset_s: float) -> Self:
        """The same trained recognizer, with the audio taken so much later than the frames.

        Parameters
        ----------
        offset_s : float
            Replaces the setting of that name.
        """
        self._check_trained()
        other = copy.copy(self)
        other.settings = replace(self.settings, offset_s=offset_s)
        return other

    def _load(self, clips: Sequence[Clip]) -> dict[str, ClipFeature[Any]]:
        loaded: dict[str, ClipFeature[Any]] = {}
        if "video" in self.features:
            segments, short = self.settings.segments, dict[str, str]()
            read = partial(
                _read_images,
                store=self.store,
                gray=self.settings.gray,
                segments=segments,
                short=short,
            )
            loaded["video"] = load_feature(
                clips, self.features["video"], self.store, read, partial(_no_faces, segments)
            )
            if short:
                raise ClipError(short)
        if "audio" in self.features:
            window_s = self.settings.window_s
            loaded["audio"] = load_feature(
                clips, self.features["audio"], self.store, _read_audio, partial(_short, window_s)
            )
        return {modality: loaded[modality] for modality in self.modalities}

    def _sampler(
        self, loaded: Mapping[str, ClipFeature[Any]], clips: Sequence[Clip]
    ) -> SegmentSampler:
        return SegmentSampler(
            labels={"emotion": Target("emotion", self.classes).labels(clips)},
            batch_size=self.settings.training.batch_size,
            clip_ids=tuple(clip.clip_id for clip in clips),
            loaded=loaded,
            rule=self.rule,
        )

    def _build(self) -> TemporalNetwork:
        return TemporalNetwork(self.settings, self._shapes, len(self.classes))

    def _record(self) -> dict[str, Any]:
        fitted = ["statistics of the norms"]
        if "video" in self.settings.modalities:
            fitted.append("mean image")
            if len(self._shapes["video"]) == 1:
                fitted.append("scaler of video")
        if "audio" in self.settings.modalities and self.settings.standardize_audio == "train":
            fitted.append("scaler of audio")
        labels = {"weights": self._trained_subsets}
        if not self.settings.refit and self.settings.training.keep == "best":
            labels["epoch"] = ["validation"]
        return {
            "fitted_on": dict.fromkeys(fitted, self._trained_subsets),
            "labels_used": labels,
        }


class SegmentTask(SamplerTask[SegmentBatch]):
    """Cross-entropy of the probabilities summed over segments.

    Parameters
    ----------
    network : TemporalNetwork
    train, validation : SegmentSampler
    target_loss : TargetLoss

    Notes
    -----
    Source: Birhala et al. 2020, sections II and IV. The sum is divided by N, so that it is a
    probability. Clips without a usable modality are left out.
    """

    network: TemporalNetwork

    def __init__(
        self,
        network: TemporalNetwork,
        train: SegmentSampler,
        validation: SegmentSampler,
        target_loss: TargetLoss,
    ) -> None:
        super().__init__(network, train, validation)
        self.target_loss = target_loss

    def loss(self, batch: SegmentBatch) -> Loss:
        """Predict a batch and compare with its labels."""
        usable = batch.usable
        scores, labels = self.network(batch)[usable], batch.labels[usable]
        value = self.target_loss(scores, labels, self.network.training)
        known = int((labels >= 0).sum())
        return Loss(value, known, int((scores.argmax(dim=1) == labels).sum()))


def _check_choosing(validation: SegmentSampler) -> None:
    """Check that a loss over these clips can choose an epoch.

    Raises
    ------
    MissingModalityError
        If no clip has any modality.
    LabelError
        If no clip that has one is of a class known from training.
    """
    loaded = validation.loaded
    usable = np.any([found.present for found in loaded.values()], axis=0)
    if not usable.any():
        reasons = ", ".join(flags_of(loaded)[0]) or "no reason known"
        raise MissingModalityError(
            f"None of the {len(usable)} validation clips has any of {', '.join(loaded)} "
            f"({reasons}), so that they cannot choose an epoch. Take another split, or refit=true."
        )
    if not (usable & (validation.labels["emotion"].numpy() >= 0)).any():
        raise LabelError(
            f"None of the {len(usable)} validation clips shows an emotion of the training clips, "
            "so that they cannot choose an epoch. Take another split, or refit=true."
        )


def _read_images(
    clip: Clip,
    feature: Feature,
    arrays: Mapping[str, np.ndarray],
    *,
    store: FeatureSource,
    gray: bool,
    segments: int,
    short: dict[str, str],
) -> Images | None:
    """Frames of one clip; clips with fewer frames than segments are added to `short`."""
    if isinstance(feature, FaceEmbeddings):  # one row per frame with a face
        crops = store.get(clip, feature.basis).arrays
        found = crops["found"].astype(bool)
        frames = np.zeros((len(found), arrays["embeddings"].shape[1]), arrays["embeddings"].dtype)
        frames[found] = arrays["embeddings"]
        times_s = crops["times_s"]
    else:
        frames, times_s = arrays["crops"], arrays["times_s"]
        found = arrays["found"].astype(bool)
    if len(found) < segments:
        short[clip.clip_id] = (
            f"Clip {clip.clip_id!r} has {len(found)} frames and cannot be divided into {segments} "
            "segments. Use fewer segments, a higher rate_hz of the images, or leave the clip out."
        )
    if not found.any():
        return None
    return Images(
        to_frames(frames, gray),
        torch.from_numpy(times_s.astype(np.float64)),
        torch.from_numpy(found),
    )


def _no_faces(segments: int, images: Images) -> tuple[str, ...]:
    """Flag of a clip with segments in which no frame shows a face."""
    if len(images.found) < segments:
        return ()
    edges = segment_edges(len(images.found), segments).tolist()
    empty = sum(not bool(images.found[first:after].any()) for first, after in pairwise(edges))
    return (f"no face in {empty} of {segments} segments",) if empty else ()


def _read_audio(clip: Clip, feature: Feature, arrays: Mapping[str, np.ndarray]) -> Audio:
    return Audio(torch.from_numpy(arrays["columns"]), float(arrays["duration_s"][0]))


def _short(window_s: float, audio: Audio) -> tuple[str, ...]:
    """Flag of a clip that is shorter than one window."""
    return ("shorter than one window of audio",) if audio.duration_s < window_s else ()
