"""`Classifier`: an extractor with one dense layer, what pretraining teaches."""

from __future__ import annotations

from torch import Tensor, nn

from aver.networks.resnet import ResNet18


class Classifier(nn.Module):
    """A ResNet and its classifier ``fc``, under torchvision's names.

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
        """Scores of ``(pictures, channels, height, width)``, as ``(pictures, classes)``."""
        return self.fc(self.dropout(self.extractor(x)))

    def torchvision_weights(self) -> dict[str, Tensor]:
        """All weights by the names that torchvision's ResNet gives them."""
        weights = {name: value.detach() for name, value in self.extractor.state_dict().items()}
        return weights | {f"fc.{n}": v.detach() for n, v in self.fc.state_dict().items()}
