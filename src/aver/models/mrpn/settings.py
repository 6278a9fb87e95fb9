"""`MRPNSettings`: all settings of MRPN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from aver.errors import SettingsError
from aver.models.layers.augmentation import (
    ImageAugmentationSettings,
    SpectrogramAugmentationSettings,
)
from aver.models.layers.encoder import EncoderSettings
from aver.settings import Field, settings
from aver.training.settings import TrainingSettings


@settings
class BranchSettings(EncoderSettings):
    """How one modality is read; see `EncoderSettings` for its extractor.

    Parameters
    ----------
    feature : str
        Registered name: ``"face-crops"``, ``"spectrogram-segments"``, ``"action-units"`` ...
    feature_settings : mapping
        Settings of that feature.
    gray : bool
        Convert color images to gray.
    coord_conv : bool
        Give the extractor two more channels with the row and column coordinate of each pixel, from
        -1 to 1: a ResNet's pooling discards positions, but it matters which band is loud, or which
        part of a face moves.
    movement : bool
        Give the extractor, beside each frame, its difference from the mean frame of the clip (or
        slice), which shows movement and not the person.
    standardize : {"none", "clip", "bands", "train"}
        See `aver.models.layers.normalization.Standardize`.
    aggregator : {"lstm", "bilstm", "transformer", "statistics", "mean"}
        See `aver.models.layers.pooling`.
    size : int >= 1
        Of the aggregator's output.
    frames : int >= 0
        Maximum number of frames of a clip (or slice), evenly spread; 0 for all.
    image_augmentation, spectrogram_augmentation : settings or None
        For images and for spectrograms; None switches it off.
    """

    feature: str = field(kw_only=True)
    feature_settings: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    gray: bool = False
    coord_conv: bool = False
    movement: bool = False
    standardize: Literal["none", "clip", "bands", "train"] = "none"
    aggregator: Literal["lstm", "bilstm", "transformer", "statistics", "mean"] = "lstm"
    size: Annotated[int, Field(ge=1)] = 256
    frames: Annotated[int, Field(ge=0)] = 0
    image_augmentation: ImageAugmentationSettings | None = None
    spectrogram_augmentation: SpectrogramAugmentationSettings | None = None


def _paper_branches() -> dict[str, BranchSettings]:
    return {
        "video": BranchSettings(
            feature="face-crops",
            feature_settings={"size_px": 112, "rate_hz": 10.0},
            image_augmentation=ImageAugmentationSettings(),
        ),
        "audio": BranchSettings(feature="spectrogram-segments"),
        "action_units": BranchSettings(
            feature="action-units", extractor="identity", standardize="train"
        ),
    }


@settings
class MRPNSettings:
    """Settings of MRPN; defaults are the paper's, or ours if the paper gives none.

    Parameters
    ----------
    network : {"N0", "N1", "N2"}
        N0 fuses only; N1 adds side scores and their losses; N2 (MRPN) adds residual perceptrons.
    modalities : tuple of str
        Keys of `branches`, in the order of fusion. A single one makes the unimodal network.
    targets : tuple of str
        ``"emotion"`` first, then any of ``"intensity"`` (classes), ``"votes-voice"``,
        ``"votes-face"``, ``"votes-both"`` (regression on shares of votes).
    branches : mapping of str to BranchSettings
        How each modality is read.
    hidden : int >= 1
        Size of the hidden layer of the FusionComponent.
    dropout : float in [0, 1)
    side_scoring : {"dense", "long"}
        Side scores by one dense unit (eqs. 8, 9) or by the Scoring of eq. 3.
    time_slices : bool
        Train on random slices of at least one second, drawn for each modality separately.
    cross_pairing : bool
        In N2, take the modalities of one training sample from different clips of the same class.
        Not done if a target is a regression: no two clips have the same votes.
    class_weights : bool
        Give every class the same weight in the loss.
    label_smoothing : float in [0, 1)
    refit : bool
        Train on the validation clips too and keep the last epoch; nothing is then chosen on them.
        With few speakers, those of the validation set are missed in training. The validation curve
        is then one over clips of the training set.
    training : TrainingSettings
    """

    network: Literal["N0", "N1", "N2"] = "N2"
    modalities: tuple[str, ...] = ("video", "audio")
    targets: tuple[str, ...] = ("emotion",)
    branches: Mapping[str, BranchSettings] = field(default_factory=_paper_branches)
    hidden: Annotated[int, Field(ge=1)] = 256
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    side_scoring: Literal["dense", "long"] = "dense"
    time_slices: bool = True
    cross_pairing: bool = True
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
