"""`MRPNSettings`: everything that can be chosen about MRPN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aver.errors import SettingsError
from aver.models.layers.augmentation import ImageAugmentationSettings
from aver.models.layers.encoder import BranchSettings
from aver.models.mrpn.network import NETWORKS
from aver.training.settings import TrainingSettings


def _paper_branches() -> dict[str, BranchSettings]:
    return {
        "video": BranchSettings(
            "face-crops",
            {"size_px": 112, "rate_hz": 10.0},
            image_augmentation=ImageAugmentationSettings(),
        ),
        "audio": BranchSettings("spectrogram-segments"),
        "action_units": BranchSettings("action-units", extractor="identity", standardize="train"),
    }


@dataclass(frozen=True)
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
    hidden : int
        Of the FusionComponent.
    dropout : float in [0, 1)
    side_scoring : {"dense", "long"}
        Side scores by one dense unit (eqs. 8, 9) or by the Scoring of eq. 3.
    time_slices : bool
        Train on random slices of at least one second, drawn for each modality on its own.
    cross_pairing : bool
        In N2, take the modalities of one training sample from different clips of the same class.
        Not done where a target is a regression: no two clips have the same votes.
    class_weights : bool
        Let every class count the same in the loss.
    label_smoothing : float in [0, 1)
    refit : bool
        Learn from the validation clips too and keep the last epoch: nothing is chosen on them then,
        and with few speakers those that validate are missed in training. The validation curve is
        then one over clips that were learnt from.
    training : TrainingSettings
    """

    network: str = "N2"
    modalities: tuple[str, ...] = ("video", "audio")
    targets: tuple[str, ...] = ("emotion",)
    branches: Mapping[str, BranchSettings] = field(default_factory=_paper_branches)
    hidden: int = 256
    dropout: float = 0.3
    side_scoring: str = "dense"
    time_slices: bool = True
    cross_pairing: bool = True
    class_weights: bool = True
    label_smoothing: float = 0.0
    refit: bool = False
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise SettingsError(
                f"There is no network {self.network!r}. Known are: {', '.join(NETWORKS)}."
            )
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
        if not 0 <= self.dropout < 1 or not 0 <= self.label_smoothing < 1:
            raise SettingsError(
                "dropout and label_smoothing must lie in [0, 1), and are "
                f"{self.dropout} and {self.label_smoothing}."
            )
