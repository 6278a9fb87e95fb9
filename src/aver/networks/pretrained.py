"""Pretrained weights: find, read, check and write state dicts."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from aver.errors import CheckpointError
from aver.execution.files import write_atomically
from aver.networks.encoder_source import CONFIG_NAME, encoder_files, hub_snapshot
from aver.networks.shipped import WEIGHTS_NAME, find_shipped, is_shipped, shipped_weights


def write_weights(path: Path, weights: Mapping[str, Tensor], *, half: bool = False) -> None:
    """Write a state dict atomically.

    Parameters
    ----------
    path : Path
        Ends in ``.safetensors``.
    weights : mapping of str to Tensor
    half : bool
        Round floating-point weights to 16 bits: half the size, about three significant digits.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written.
    """
    tensors = {
        name: (value.half() if half and value.is_floating_point() else value).contiguous().cpu()
        for name, value in weights.items()
    }
    with write_atomically(path) as temporary:
        temporary.write_bytes(save(tensors))


_MAX_SHOWN = 3  # differences in a message
_FIRST = "conv1.weight"
_UNREADABLE = (
    SafetensorError,
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,  # this and the following: from files that are no pickles
    TypeError,
    AttributeError,
    LookupError,
)


def find_weights(name_or_path: str) -> Path:
    """The file of weights with a name or a path.

    Parameters
    ----------
    name_or_path : str
        A name of ``aver list weights``, a file, a run folder of ``aver pretrain``, the folder of a
        `transformers` encoder, or ``NAME@COMMIT`` of one that was downloaded from the hub.

    Raises
    ------
    CheckpointError
        If shipped weights were changed, or there is no such file.
    """
    if is_shipped(name_or_path, "extractor"):
        return find_shipped(name_or_path, "extractor").checked() / WEIGHTS_NAME
    path = Path(name_or_path).expanduser()
    encoder = hub_snapshot(name_or_path) or path
    if (encoder / CONFIG_NAME).is_file() and not (encoder / WEIGHTS_NAME).is_file():
        return encoder_files(encoder)[-1]
    path = path / WEIGHTS_NAME if path.is_dir() else path
    if not path.is_file() and is_shipped(name_or_path, "recognizer"):
        extractors = [one.name for one in shipped_weights() if one.kind == "extractor"]
        raise CheckpointError(
            f"{name_or_path} is a whole recognizer, for 'aver predict'; a training cannot start "
            f"from it. Extractors that come with the package: {', '.join(extractors)}."
        )
    if not path.is_file():
        raise CheckpointError(
            f"There are no pretrained weights at {path}: no such file, and the package has none "
            "with this name (see 'aver list weights')."
        )
    return path


def load_pretrained(extractor: nn.Module, path: Path) -> None:
    """Load a state dict with torchvision's names into an extractor.

    Parameters
    ----------
    extractor : nn.Module
        For example `aver.networks.resnet.ResNet18`.
    path : Path
        A ``.safetensors`` file, or a file that ``torch.save(network.state_dict(), path)`` wrote;
        the latter is read with ``weights_only=True``, so that no code in it is executed. The
        classifier ``fc.*`` is left out. If the extractor has one input channel and the weights
        three, those of the first convolution are summed: the features of a gray image are then
        those that the color network gives for three equal channels.

    Raises
    ------
    CheckpointError
        If the file is missing, unreadable, does not fit, or contains a value that is not finite;
        the message names the first differences.
    """
    weights = {
        name: value for name, value in read_weights(path).items() if not name.startswith("fc.")
    }
    own = extractor.state_dict()
    first = weights.get(_FIRST)
    if first is not None and first.ndim == 4 and (first.shape[1], own[_FIRST].shape[1]) == (3, 1):
        weights[_FIRST] = first.sum(dim=1, keepdim=True)
    required = {name for name in own if not name.endswith("num_batches_tracked")}
    faults = [f"{name} is missing" for name in sorted(required - weights.keys())]
    faults += [f"{name} is unknown" for name in sorted(weights.keys() - own.keys())]
    faults += [
        f"{name} has shape {tuple(weights[name].shape)}, not {tuple(own[name].shape)}"
        for name in sorted(own.keys() & weights.keys())
        if weights[name].shape != own[name].shape
    ]
    if faults:
        more = f" and {len(faults) - _MAX_SHOWN} more" if len(faults) > _MAX_SHOWN else ""
        raise CheckpointError(
            f"The pretrained weights at {path} do not fit the extractor: "
            f"{'; '.join(faults[:_MAX_SHOWN])}{more}. Check width, blocks, stem and channels."
        )
    for name in sorted(required):
        if not torch.isfinite(weights[name]).all():
            raise CheckpointError(
                f"The pretrained weights at {path} contain values that are not finite, in {name}. "
                "Their training diverged; use others."
            )
    extractor.load_state_dict(weights, strict=False)


def resnet_shape(path: Path) -> dict[str, Any]:
    """Width, blocks and stem of the ResNet in a state dict with torchvision's names.

    Raises
    ------
    CheckpointError
        If the file is missing or unreadable, or its names are not torchvision's.
    """
    weights = read_weights(path)
    first = weights.get(_FIRST)
    if first is None or first.ndim != 4:
        raise CheckpointError(
            f"The pretrained weights at {path} are no ResNet with torchvision's names "
            f"({_FIRST}, bn1.weight, ...): {_FIRST} is missing."
        )
    return {
        "width": first.shape[0],
        "blocks": 2 if "layer1.1.conv1.weight" in weights else 1,
        "stem": f"{first.shape[2]}x{first.shape[3]}",
    }


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict from safetensors, or from a torch file that contains only tensors.

    Raises
    ------
    CheckpointError
        If the file is missing or unreadable.
    """
    if not path.is_file():
        raise CheckpointError(f"There are no pretrained weights at {path}: no such file.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        # Torch's message for a file with objects advises to execute them.
        why = "" if isinstance(error, pickle.UnpicklingError) else f" ({_first_line(error)})"
        raise CheckpointError(
            f"The pretrained weights at {path} cannot be read{why}. They must be a state dict: "
            "safetensors, or saved by torch.save with tensors only."
        ) from None
    if not isinstance(weights, dict) or not all(isinstance(v, Tensor) for v in weights.values()):
        raise CheckpointError(
            f"{path} contains no state dict (names to tensors). Save network.state_dict()."
        )
    return weights


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
