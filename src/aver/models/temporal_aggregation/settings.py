"""`TemporalAggregationSettings`: all settings of temporal aggregation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from aver.errors import SettingsError
from aver.models.layers.augmentation import (
    ImageAugmentationSettings,
    SpectrogramAugmentationSettings,
)
from aver.models.layers.encoder import CHANNELS, EncoderSettings
from aver.settings import Field, settings
from aver.training.settings import TrainingSettings

MODALITIES = ("video", "audio")


@settings
class SegmentBranchSettings(EncoderSettings):
    """How one modality of a segment is read; see `EncoderSettings` for its extractor.

    Parameters
    ----------
    relative : bool
        Subtract from a segment's features their mean over the segments of its clip, which removes
        what is constant in the clip, such as the person. A single segment stays as it is.
    """

    extractor: Literal["resnet18", "conv-blocks", "hog", "band-functionals", "identity"] = (
        "conv-blocks"
    )
    relative: bool = False


def _no_image_augmentation() -> ImageAugmentationSettings:
    return ImageAugmentationSettings(
        rotation_deg=0.0, shift=0.0, scale=0.0, flip=False, brightness=0.0, contrast=0.0
    )


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


@settings
class TemporalAggregationSettings:
    """Settings of `aver.models.temporal_aggregation.recognizer.TemporalAggregation`.

    Defaults are the paper's, or ours if the paper gives none.

    Parameters
    ----------
    segments : int >= 1
        The paper's N.
    weights : {"independent", "shared"}
        A network for each segment, or one for all (ours).
    modalities : tuple of str
        ``"video"``, ``"audio"`` or both.
    window_s : float > 0
        The paper's d, length of the audio window.
    asynchrony_s : float >= 0
        The paper's b, maximum distance of the window's center from the frame.
    offset_s : float
        How much later than the frames the audio is taken, in training and prediction: for audio
        that is early or late, and for curves of tolerance.
    image_feature : {"face-crops", "face-embeddings"}
        What represents a frame: its pixels, or the output of a pretrained network that is not
        trained further (ours).
    images : mapping of str to JSON value
        Settings of that feature.
    gray : bool
        Convert images to gray.
    band_count, column_count : int >= 1
        Rows and columns of a window's spectrogram.
    needs_speech : bool
        See `aver.features.clip_audio.AudioFeature`.
    standardize_audio : {"train", "clip", "bands"}
        See `Standardize`; ``"bands"`` uses the clip's own segments.
    channels : tuple of int >= 1
        Of the convolutional blocks, for images and for audio.
    branches : mapping of str to SegmentBranchSettings
        By modality; convolutional blocks if it does not name one.
    dropout : float in [0, 1)
        On the concatenated features.
    modality_dropout : float in [0, 1)
        Share of training clips of which one modality is hidden.
    tta : int >= 0
        Predict by the mean over this number of random draws of segments; 0 uses their middles.
    class_weights : bool
        Give every class the same weight in the loss.
    label_smoothing : float in [0, 1)
    refit : bool
        Train on the validation clips too and keep the last epoch; nothing is then chosen on them.
        With few speakers, those of the validation set are missed in training.
    image_augmentation : ImageAugmentationSettings
    spectrogram_augmentation : SpectrogramAugmentationSettings
    training : TrainingSettings

    Raises
    ------
    SettingsError
        If a value is unknown or out of range.
    """

    segments: Annotated[int, Field(ge=1)] = 10
    weights: Literal["independent", "shared"] = "independent"
    modalities: tuple[str, ...] = MODALITIES
    window_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.28
    asynchrony_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    offset_s: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    image_feature: Literal["face-crops", "face-embeddings"] = "face-crops"
    images: Mapping[str, Any] = field(default_factory=lambda: {"size_px": 224, "rate_hz": 10.0})
    gray: bool = False
    band_count: Annotated[int, Field(ge=1)] = 192
    column_count: Annotated[int, Field(ge=1)] = 120
    needs_speech: bool = True
    standardize_audio: Literal["train", "clip", "bands"] = "train"
    channels: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = CHANNELS
    branches: Mapping[str, SegmentBranchSettings] = field(default_factory=dict)
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    modality_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    tta: Annotated[int, Field(ge=0)] = 0
    class_weights: bool = False
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    refit: bool = False
    image_augmentation: ImageAugmentationSettings = field(default_factory=_no_image_augmentation)
    spectrogram_augmentation: SpectrogramAugmentationSettings = field(
        default_factory=SpectrogramAugmentationSettings
    )
    training: TrainingSettings = field(default_factory=_paper_training)

    def branch(self, modality: str) -> SegmentBranchSettings:
        """How a modality is read."""
        return self.branches.get(modality, SegmentBranchSettings())

    def __post_init__(self) -> None:
        known = set(self.modalities) <= set(MODALITIES)
        if not known or not self.modalities or len(set(self.modalities)) < len(self.modalities):
            raise SettingsError(
                f"modalities must name {' or '.join(MODALITIES)}, each at most once, "
                f"not {self.modalities}."
            )
        if not set(self.branches) <= set(MODALITIES):
            raise SettingsError(
                f"branches may name {' and '.join(MODALITIES)}, not {', '.join(self.branches)}."
            )
