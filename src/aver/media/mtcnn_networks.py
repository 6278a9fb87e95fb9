"""The three networks of MTCNN and their weights.

Source: Zhang, Zhang, Li and Qiao, "Joint face detection and alignment using multitask cascaded
convolutional networks", IEEE Signal Processing Letters 23(10), 2016, figure 2.
Differs from the paper: channel counts of the first layers and the overlapping 3 x 3 pooling are
those of the authors' published weights, which the package `mtcnn` contains.
"""

from __future__ import annotations

import hashlib
import importlib.util
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import nn

from aver.errors import SettingsError, StorageError
from aver.execution.files import cache_root, write_atomically


class ProposalNet(nn.Module):
    """P-Net: classifies every 12 x 12 window, with a stride of 2 pixels.

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

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See the class."""
        x = self.pool1(self.prelu1(self.conv1(images)))
        x = self.prelu3(self.conv3(self.prelu2(self.conv2(x))))
        return self.face(x).softmax(dim=1)[:, 1], self.box(x)


class RefinementNet(nn.Module):
    """R-Net: classifies windows of 24 x 24 pixels.

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
    """O-Net: classifies windows of 48 x 48 pixels and locates five landmarks.

    Input (windows, 3, 48, 48) in -1..1; output probability of a face (windows,), box offsets
    (windows, 4) and landmarks (windows, 5, 2) as x and y, in shares of the window.
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
        self.box, self.face = nn.Linear(256, 4), nn.Linear(256, 2)
        self.landmarks = nn.Linear(256, 10)

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
    """Flatten (windows, channels, rows, columns) in the order column, row, channel."""
    return maps.permute(0, 3, 2, 1).flatten(1)


_SHA256 = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}

# Layers in the order of their arrays in the files.
_LAYERS = {
    "pnet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 box face",
    "rnet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 dense prelu4 box face",
    "onet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 conv4 prelu4 dense prelu5 box landmarks face",
}


def load_mtcnn_weights(network: str) -> dict[str, torch.Tensor]:
    """Weights of one of the three networks, with the names and layout of torch.

    Parameters
    ----------
    network : {"pnet", "rnet", "onet"}

    Returns
    -------
    dict of str to torch.Tensor
        Ready for ``load_state_dict``.

    Raises
    ------
    SettingsError
        If the package `mtcnn` is not installed or its files are not those of version 1.0.0.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save_file

    name = f"{network}-{_SHA256[network][:16]}.safetensors"
    with suppress(SafetensorError, OSError, StorageError):  # a damaged file is written again below
        return load_file(cache_root() / "mtcnn" / name)
    weights = _to_torch(_LAYERS[network].split(), _read_package_file(network))
    try:
        with write_atomically(cache_root() / "mtcnn" / name) as temporary:
            save_file(weights, temporary)
    except (StorageError, OSError):
        pass  # without a cache, the weights are converted again next time
    return weights


def _read_package_file(network: str) -> list[np.ndarray]:
    # find_spec, since importing the package would require TensorFlow.
    spec = importlib.util.find_spec("mtcnn")
    if spec is None or not spec.submodule_search_locations:
        raise SettingsError(
            "The weights of the face detector are in the package 'mtcnn', which is not "
            "installed. Run `pip install mtcnn==1.0.0`, or choose the detector 'haar'."
        )
    folder = Path(spec.submodule_search_locations[0])
    path = folder / "assets" / "weights" / f"{network}.lz4"
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != _SHA256[network]:
        raise SettingsError(
            f"{path} is not the file of mtcnn 1.0.0 and is not opened. Run "
            "`pip install --force-reinstall mtcnn==1.0.0`, or choose the detector 'haar'."
        )
    import joblib

    arrays: list[np.ndarray] = joblib.load(path)
    return arrays


def _to_torch(layers: list[str], arrays: list[np.ndarray]) -> dict[str, torch.Tensor]:
    """Name the arrays and transpose kernels from (height, width, in, out) to torch's order."""
    remaining = iter(arrays)
    weights = {}
    for layer in layers:
        array = next(remaining)
        if layer.startswith("prelu"):
            weights[f"{layer}.weight"] = array.reshape(-1)
            continue
        axes = (3, 2, 0, 1) if array.ndim == 4 else (1, 0)
        weights[f"{layer}.weight"] = array.transpose(axes)
        weights[f"{layer}.bias"] = next(remaining)
    return {name: torch.from_numpy(np.ascontiguousarray(w)) for name, w in weights.items()}
