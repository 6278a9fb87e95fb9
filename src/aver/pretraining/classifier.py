"""The network that pretraining trains, a ResNet with a classifier, and the card of its weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from aver.corpora.corpus import Corpus
from aver.networks.resnet import ResNet18
from aver.pretraining.settings import AudioSettings, VideoSettings
from aver.settings import settings_to_mapping
from aver.splits.split import Split
from aver.training.seeding import seeded


class Classifier(nn.Module):
    """A ResNet and its dense layer ``fc``, with torchvision's parameter names.

    Parameters
    ----------
    extractor : ResNet18
    classes : int >= 2
    dropout : float in [0, 1)
        Before the dense layer.
    """

    def __init__(self, extractor: ResNet18, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.extractor = extractor
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(extractor.size, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores ``(images, classes)`` of ``(images, channels, height, width)``."""
        return self.fc(self.dropout(self.extractor(x)))

    def torchvision_weights(self) -> dict[str, Tensor]:
        """All weights, by the names that torchvision's ResNet gives them."""
        weights = {name: value.detach() for name, value in self.extractor.state_dict().items()}
        return weights | {f"fc.{n}": v.detach() for n, v in self.fc.state_dict().items()}


def new_classifier(settings: VideoSettings | AudioSettings, classes: int, seed: int) -> Classifier:
    """An untrained network for one-channel images, its weights drawn with the seed."""
    with seeded(seed, "start"):
        extractor = ResNet18(1, settings.width, settings.blocks, settings.stem)
        network = Classifier(extractor, classes, settings.dropout)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def card_facts(
    corpus: Corpus,
    split: Split,
    settings: VideoSettings | AudioSettings,
    classes: tuple[str, ...],
) -> dict[str, Any]:
    """What the cards of all pretrained networks state; ``network`` rebuilds the extractor."""
    shape = {"width": settings.width, "blocks": settings.blocks, "stem": settings.stem}
    return {
        "trained_on": [*(corpus.parts or (corpus.label,))],
        "license": "research, non-commercial",
        "split": {"rule": split.rule, "hash": split.hash},
        "classes": list(classes),
        "network": {"name": "resnet18", "channels_in": 1, **shape},
        "settings": settings_to_mapping(settings),
    }
