"""`MRPNSettings`: all settings of MRPN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal

from aver.models.base.fusion_recognizer import FusionSettings
from aver.models.layers.augmentation import ImageAugmentationSettings
from aver.models.layers.frame_encoder import FrameEncoderSettings
from aver.settings import Field, settings


@settings
class BranchSettings(FrameEncoderSettings):
    """How one modality is read; see `FrameEncoderSettings` for its frames.

    Parameters
    ----------
    aggregator : {"lstm", "bilstm", "transformer", "statistics", "mean"}
        See `aver.models.layers.pooling`.
    size : int >= 1
        Of the aggregator's output.
    """

    aggregator: Literal["lstm", "bilstm", "transformer", "statistics", "mean"] = "lstm"
    size: Annotated[int, Field(ge=1)] = 256


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
class MRPNSettings(FusionSettings):
    """Settings of MRPN beside those of `FusionSettings`.

    Defaults are the paper's, or ours if the paper gives none.

    Parameters
    ----------
    network : {"N0", "N1", "N2"}
        N0 fuses only; N1 adds side scores and their losses; N2 (MRPN) adds residual perceptrons.
    branches : mapping of str to BranchSettings
        How each modality is read.
    hidden : int >= 1
        Size of the hidden layer of the FusionComponent.
    dropout : float in [0, 1)
    side_scoring : {"dense", "long"}
        Side scores by one dense unit (eqs. 8, 9) or by the Scoring of eq. 3.
    cross_pairing : bool or None
        Take the modalities of one training sample from different clips of the same class. None: in
        N2 only, as in the paper (section 1.4). Not done if a target is a regression: no two clips
        have the same votes.
    """

    network: Literal["N0", "N1", "N2"] = "N2"
    branches: Mapping[str, BranchSettings] = field(default_factory=_paper_branches)
    hidden: Annotated[int, Field(ge=1)] = 256
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    side_scoring: Literal["dense", "long"] = "dense"
    cross_pairing: bool | None = None

    @property
    def pairs_across_clips(self) -> bool:
        """Whether `cross_pairing` asks for it in this network."""
        return self.network == "N2" if self.cross_pairing is None else self.cross_pairing
