"""`ResNet18`: a residual network of 18 layers with torchvision's parameter names."""

from __future__ import annotations

from torch import Tensor, nn

from aver.errors import SettingsError

STEMS = ("7x7", "3x3")


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions with a shortcut connection."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample: nn.Module | None = None
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        """The output of the convolutions, added to the input."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(x)) + shortcut)


class ResNet18(nn.Module):
    """Turns one image or spectrogram segment into one feature vector.

    Parameters
    ----------
    channels_in : int
        3 for color images, 1 for gray images and spectrograms.
    width : int >= 1
        Channels of the first stage, 64 in the paper. The four stages have 1, 2, 4, 8 times as many.
    blocks : int in {1, 2}
        Residual blocks per stage: 2 is ResNet-18, 1 is ResNet-10.
    stem : {"7x7", "3x3"}
        The first convolution: that of the paper, which halves the size of the image, or a small one
        that keeps the size, for images of 48 pixels.

    Raises
    ------
    SettingsError
        If width, blocks or stem is out of range.

    Notes
    -----
    Parameters have torchvision's names (``conv1.weight`` ... ``layer4.1.bn2.bias``), so that public
    state dicts load. The classifier ``fc`` is left out.

    Source: He et al. 2015; the extractor of Chang & Skarbek 2021, section 4.2.

    Examples
    --------
    >>> import torch
    >>> ResNet18(channels_in=3, width=4)(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 32])
    """

    def __init__(
        self, channels_in: int = 3, width: int = 64, blocks: int = 2, stem: str = "7x7"
    ) -> None:
        super().__init__()
        if width < 1 or blocks not in (1, 2) or stem not in STEMS:
            raise SettingsError(
                "A ResNet needs a width of at least 1, 1 or 2 blocks per stage and the stem "
                f"{' or '.join(STEMS)}, not width {width}, {blocks} blocks and stem {stem!r}."
            )
        side, stride = (7, 2) if stem == "7x7" else (3, 1)
        self.conv1 = nn.Conv2d(channels_in, width, side, stride, padding=side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self._stage(width, width, 1, blocks)
        self.layer2 = self._stage(width, 2 * width, 2, blocks)
        self.layer3 = self._stage(2 * width, 4 * width, 2, blocks)
        self.layer4 = self._stage(4 * width, 8 * width, 2, blocks)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.size = 8 * width
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    @staticmethod
    def _stage(channels_in: int, channels: int, stride: int, blocks: int) -> nn.Sequential:
        first = BasicBlock(channels_in, channels, stride)
        return nn.Sequential(first, *(BasicBlock(channels, channels, 1) for _ in range(blocks - 1)))

    def forward(self, x: Tensor) -> Tensor:
        """Compute features.

        Parameters
        ----------
        x : Tensor [shape=(frames, channels, height, width)]

        Returns
        -------
        Tensor [shape=(frames, 8 * width)]
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.avgpool(x).flatten(1)
