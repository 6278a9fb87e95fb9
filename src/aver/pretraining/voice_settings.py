"""`VoiceSettings`: spectrogram, size and training of a voice network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aver.errors import SettingsError
from aver.networks.resnet import check_shape
from aver.training.settings import TrainingSettings

TARGETS = ("speaker", "emotion")


@dataclass(frozen=True)
class VoiceSettings:
    """Settings of `aver.pretraining.voice.pretrain_voice`.

    Parameters
    ----------
    target : {"speaker", "emotion"}
        What is taught: who speaks, or how.
    feature_settings : mapping of str to JSON value
        Of the feature ``spectrogram-segments``.
    width, blocks, stem
        As `aver.networks.resnet.ResNet18` takes them.
    segments : int >= 1
        Of a clip, drawn for each step of training.
    dropout, label_smoothing : float in [0, 1)
    validation_share : float in (0, 1)
        Share of each speaker's clips that chooses the epoch, where speakers are taught.
    training : TrainingSettings

    Raises
    ------
    SettingsError
        If a value is out of range.
    """

    target: str = "speaker"
    feature_settings: Mapping[str, Any] = field(default_factory=dict)
    width: int = 64
    blocks: int = 2
    stem: str = "7x7"
    segments: int = 3
    dropout: float = 0.2
    label_smoothing: float = 0.1
    validation_share: float = 0.15
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def __post_init__(self) -> None:
        check_shape(self.width, self.blocks, self.stem)
        if self.target not in TARGETS:
            raise SettingsError(f"target must be one of {', '.join(TARGETS)}, not {self.target!r}.")
        if self.segments < 1:
            raise SettingsError(f"segments must be at least 1, not {self.segments}.")
        if not 0 < self.validation_share < 1:
            raise SettingsError(
                f"validation_share must lie between 0 and 1, not {self.validation_share}."
            )
        for name in ("dropout", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingsError(f"{name} must lie in [0, 1), not {getattr(self, name)}.")
