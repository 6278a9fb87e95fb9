"""`TemporalAggregationSettings`: everything that can be chosen about temporal aggregation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aver.errors import SettingsError
from aver.models.layers.augmentation import (
    ImageAugmentationSettings,
    SpectrogramAugmentationSettings,
)
from aver.models.temporal_aggregation.extractor import SegmentExtractorSettings
from aver.settings import check_words
from aver.training.settings import TrainingSettings

MODALITIES = ("video", "audio")


def _no_image_augmentation() -> ImageAugmentationSettings:
    return ImageAugmentationSettings(0.0, 0.0, 0.0, flip=False, brightness=0.0, contrast=0.0)


def _paper_training() -> TrainingSettings:
    return TrainingSettings(
        epochs=150,
        patience=150,
        batch_size=16,
        optimizer="sgd",
        momentum=0.9,
        learning_rate=1e-3,
        weight_decay=0.0,
        schedule="step",
        divide_every_epochs=50,
    )


@dataclass(frozen=True)
class TemporalAggregationSettings:
    """Settings of `aver.models.temporal_aggregation.recognizer.TemporalAggregation`.

    Defaults are the paper's, ours where it is silent.

    Parameters
    ----------
    segments : int >= 1
        The paper's N.
    weights : {"independent", "shared"}
        A network for each segment, or one for all (ours).
    modalities : tuple of str
        ``"video"``, ``"audio"`` or both.
    window_s : float > 0
        The paper's d, length of the window of sound.
    asynchrony_s : float >= 0
        The paper's b, how far the window's centre may lie from the picture.
    offset_s : float
        How much later than the pictures the sound is taken, in training and prediction: for sound
        that runs ahead or behind, and for curves of tolerance.
    image_feature : {"face-crops", "face-embeddings"}
        What stands for a picture: itself, or what a pretrained network makes of it once and for
        all (ours).
    images : mapping of str to JSON value
        Settings of that feature.
    gray : bool
        Turn pictures grey.
    band_count, column_count : int >= 1
        Rows and columns of a window's spectrogram.
    standardize_audio : {"train", "clip", "bands"}
        See `Standardize`; ``"bands"`` uses the clip's own segments.
    channels : tuple of int
        Of the convolutional blocks, for pictures and for sound.
    extractors : mapping of str to SegmentExtractorSettings
        By modality; convolutional blocks where it names none.
    dropout : float in [0, 1)
        On the joined features.
    modality_dropout : float in [0, 1)
        Share of training clips of which one modality is hidden.
    tta : int >= 0
        Answer by the mean over so many random draws of segments; 0 looks once, at their middles.
    class_weights : bool
        Let every class count the same in the loss.
    label_smoothing : float in [0, 1)
    refit : bool
        Learn from the validation clips too and keep the last epoch: nothing is chosen on them then,
        and with few speakers those that validate are missed in training.
    image_augmentation : ImageAugmentationSettings
    spectrogram_augmentation : SpectrogramAugmentationSettings
    training : TrainingSettings

    Raises
    ------
    SettingsError
        If a value is unknown or out of range.
    """

    segments: int = 10
    weights: Literal["independent", "shared"] = "independent"
    modalities: tuple[str, ...] = MODALITIES
    window_s: float = 1.28
    asynchrony_s: float = 0.01
    offset_s: float = 0.0
    image_feature: Literal["face-crops", "face-embeddings"] = "face-crops"
    images: Mapping[str, Any] = field(default_factory=lambda: {"size_px": 224, "rate_hz": 10.0})
    gray: bool = False
    band_count: int = 192
    column_count: int = 120
    standardize_audio: Literal["train", "clip", "bands"] = "train"
    channels: tuple[int, ...] = (32, 64, 128, 256, 256)
    extractors: Mapping[str, SegmentExtractorSettings] = field(default_factory=dict)
    dropout: float = 0.0
    modality_dropout: float = 0.2
    tta: int = 0
    class_weights: bool = False
    label_smoothing: float = 0.0
    refit: bool = False
    image_augmentation: ImageAugmentationSettings = field(default_factory=_no_image_augmentation)
    spectrogram_augmentation: SpectrogramAugmentationSettings = field(
        default_factory=SpectrogramAugmentationSettings
    )
    training: TrainingSettings = field(default_factory=_paper_training)

    def extractor(self, modality: str) -> SegmentExtractorSettings:
        """How a modality is read."""
        return self.extractors.get(modality, SegmentExtractorSettings())

    def __post_init__(self) -> None:
        check_words(self)
        known = set(self.modalities) <= set(MODALITIES)
        if not known or not self.modalities or len(set(self.modalities)) < len(self.modalities):
            raise SettingsError(
                f"modalities must name {' or '.join(MODALITIES)}, each at most once, "
                f"not {self.modalities}."
            )
        if not set(self.extractors) <= set(MODALITIES):
            raise SettingsError(
                f"extractors may name {' and '.join(MODALITIES)}, not {', '.join(self.extractors)}."
            )
        for name, least in (
            ("segments", 1), ("band_count", 1), ("column_count", 1), ("tta", 0),
            ("asynchrony_s", 0), ("dropout", 0), ("modality_dropout", 0), ("label_smoothing", 0),
        ):  # fmt: skip
            if not getattr(self, name) >= least:  # nor a NaN
                raise SettingsError(f"{name} must be at least {least}, not {getattr(self, name)}.")
        for name in ("dropout", "modality_dropout", "label_smoothing"):
            if getattr(self, name) >= 1:
                raise SettingsError(f"{name} must be below 1, not {getattr(self, name)}.")
        if not 0 < self.window_s < math.inf:
            raise SettingsError(f"window_s must be above 0, not {self.window_s}.")
        if not math.isfinite(self.offset_s):
            raise SettingsError(f"offset_s must be a number of seconds, not {self.offset_s}.")
        if not self.channels or min(self.channels) < 1:
            raise SettingsError(
                f"channels must name at least one block of at least 1, not {self.channels}."
            )
