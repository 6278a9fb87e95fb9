"""The three networks of MTCNN in torch.

Source: Zhang, Zhang, Li and Qiao, "Joint face detection and alignment using multitask cascaded
convolutional networks", IEEE Signal Processing Letters 23(10), 2016, figure 2.

Differs from the paper: channel counts of the first layers and the overlapping 3 x 3 pooling are
those of the authors' published weights, as the package `mtcnn` carries them.
"""

from __future__ import annotations

import torch
from torch import nn


class ProposalNet(nn.Module):
    """P-Net: looks at every 12 x 12 window, in steps of 2 pixels.

    Input (frames, 3, height, width) in -1..1; output probability of a face
    (frames, rows, columns) and box offsets (frames, 4, rows, columns) in shares of the window.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 10, 3), nn.PReLU(10)
        self.pool1 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.prelu3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.box, self.face = nn.Conv2d(32, 4, 1), nn.Conv2d(32, 2, 1)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See the class."""
        x = self.pool1(self.prelu1(self.conv1(pictures)))
        x = self.prelu3(self.conv3(self.prelu2(self.conv2(x))))
        return self.face(x).softmax(dim=1)[:, 1], self.box(x)


class RefinementNet(nn.Module):
    """R-Net: judges windows of 24 x 24 pixels.

    Input (windows, 3, 24, 24) in -1..1; output probability of a face (windows,) and box offsets
    (windows, 4) in shares of the window.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 28, 3), nn.PReLU(28)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(28, 48, 3), nn.PReLU(48)
        self.pool2 = nn.MaxPool2d(3, 2)
        self.conv3, self.prelu3 = nn.Conv2d(48, 64, 2), nn.PReLU(64)
        self.dense, self.prelu4 = nn.Linear(576, 128), nn.PReLU(128)
        self.box, self.face = nn.Linear(128, 4), nn.Linear(128, 2)

    def forward(self, windows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See the class."""
        x = self.pool1(self.prelu1(self.conv1(windows)))
        x = self.pool2(self.prelu2(self.conv2(x)))
        x = self.prelu3(self.conv3(x))
        x = self.prelu4(self.dense(_column_first(x)))
        return self.face(x).softmax(dim=1)[:, 1], self.box(x)


class OutputNet(nn.Module):
    """O-Net: judges windows of 48 x 48 pixels and places five landmarks.

    Input (windows, 3, 48, 48) in -1..1; output probability of a face (windows,), box offsets
    (windows, 4) and landmarks (windows, 5, 2) as x and y, all in shares of the window.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 32, 3), nn.PReLU(32)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(32, 64, 3), nn.PReLU(64)
        self.pool2 = nn.MaxPool2d(3, 2)
        self.conv3, self.prelu3 = nn.Conv2d(64, 64, 3), nn.PReLU(64)
        self.pool3 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.conv4, self.prelu4 = nn.Conv2d(64, 128, 2), nn.PReLU(128)
        self.dense, self.prelu5 = nn.Linear(1152, 256), nn.PReLU(256)
        self.box, self.landmarks, self.face = (
            nn.Linear(256, 4),
            nn.Linear(256, 10),
            nn.Linear(256, 2),
        )

    def forward(self, windows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """See the class."""
        x = self.pool1(self.prelu1(self.conv1(windows)))
        x = self.pool2(self.prelu2(self.conv2(x)))
        x = self.pool3(self.prelu3(self.conv3(x)))
        x = self.prelu4(self.conv4(x))
        x = self.prelu5(self.dense(_column_first(x)))
        landmarks = self.landmarks(x).unflatten(1, (2, 5)).transpose(1, 2)  # all x come first
        return self.face(x).softmax(dim=1)[:, 1], self.box(x), landmarks


def _column_first(maps: torch.Tensor) -> torch.Tensor:
    """Flatten (windows, channels, rows, columns) in the weights' order: column, row, channel."""
    return maps.permute(0, 3, 2, 1).flatten(1)
