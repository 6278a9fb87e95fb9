"""`VisualSettings`: size, augmentation and training of a face network."""

from __future__ import annotations

from dataclasses import dataclass, field

from aver.errors import SettingsError
from aver.models.parts.image_augmentation import ImageAugmentationSettings
from aver.networks.resnet import check_shape
from aver.training.settings import TrainingSettings


@dataclass(frozen=True)
class VisualSettings:
    """Settings of `aver.pretraining.visual.pretrain_visual`.

    Parameters
    ----------
    width, blocks, stem
        As `aver.networks.resnet.ResNet18` takes them.
    size_px : int >= 16
        Side of the pictures.
    dropout : float in [0, 1)
        Before the classifier.
    label_smoothing : float in [0, 1)
    bfloat16 : bool
        Multiply in bfloat16, on a CPU too: quicker where the CPU has instructions for it.
    augmentation : ImageAugmentationSettings
        Drawn for each picture.
    training : TrainingSettings

    Raises
    ------
    SettingsError
        If a value is out of range.
    """

    width: int = 64
    blocks: int = 2
    stem: str = "3x3"
    size_px: int = 48
    dropout: float = 0.0
    label_smoothing: float = 0.1
    bfloat16: bool = False
    augmentation: ImageAugmentationSettings = field(default_factory=ImageAugmentationSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def __post_init__(self) -> None:
        check_shape(self.width, self.blocks, self.stem)
        if self.size_px < 16:
            raise SettingsError(f"size_px is {self.size_px}; a face needs at least 16 pixels.")
        for name in ("dropout", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingsError(f"{name} must lie in [0, 1), not {getattr(self, name)}.")
