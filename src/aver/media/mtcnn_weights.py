"""The trained weights of MTCNN, from the Python package `mtcnn` into safetensors.

The package (MIT licence, version 1.0.0) carries three files of arrays in Keras's order. They are
pickles inside, so each is read only if its SHA-256 is the known one, and only once: the arrays
are kept in the cache as safetensors.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aver.errors import SettingsError, StorageError
from aver.execution.atomic import write_atomically
from aver.execution.places import cache_root

if TYPE_CHECKING:
    import torch

_SHA256 = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}

# Layers in the order in which their arrays lie in the files.
_LAYERS = {
    "pnet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 box face",
    "rnet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 dense prelu4 box face",
    "onet": "conv1 prelu1 conv2 prelu2 conv3 prelu3 conv4 prelu4 dense prelu5 box landmarks face",
}


def load_mtcnn_weights(network: str) -> dict[str, torch.Tensor]:
    """Weights of one of the three networks, named and laid out as torch has them.

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

    cached = cache_root() / "mtcnn" / f"{network}-{_SHA256[network][:16]}.safetensors"
    if cached.is_file():
        try:
            return load_file(cached)
        except (SafetensorError, OSError):
            pass  # a torn file is written again below
    weights = _to_torch(_LAYERS[network].split(), _read_package_file(network))
    try:
        with write_atomically(cached) as temporary:
            save_file(weights, temporary)
    except (StorageError, OSError):
        pass  # a cache that cannot be written costs a conversion next time, nothing else
    return weights


def _read_package_file(network: str) -> list[np.ndarray]:
    # find_spec, because importing the package would need TensorFlow.
    spec = importlib.util.find_spec("mtcnn")
    if spec is None or not spec.submodule_search_locations:
        raise SettingsError(
            "The weights of the face detector come with the package 'mtcnn', which is not "
            "installed. Run `pip install mtcnn==1.0.0`, or choose the detector 'haar'."
        )
    folder = Path(spec.submodule_search_locations[0])
    path = folder / "assets" / "weights" / f"{network}.lz4"
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != _SHA256[network]:
        raise SettingsError(
            f"{path} is not the file of mtcnn 1.0.0, so it is not opened. Run "
            "`pip install --force-reinstall mtcnn==1.0.0`, or choose the detector 'haar'."
        )
    import joblib

    arrays: list[np.ndarray] = joblib.load(path)
    return arrays


def _to_torch(layers: list[str], arrays: list[np.ndarray]) -> dict[str, torch.Tensor]:
    """Name the arrays; kernels from (height, width, in, out) to (out, in, height, width)."""
    import torch

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
