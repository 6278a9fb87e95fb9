"""Weights as safetensors, in half precision where they ship."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from aver.execution.atomic import write_atomically


def write_weights(path: Path, weights: Mapping[str, Tensor], *, half: bool = False) -> None:
    """Write a state dict, whole or not at all.

    Parameters
    ----------
    path : Path
        Ends in ``.safetensors``.
    weights : mapping of str to Tensor
    half : bool
        Round floating-point weights to 16 bits: half the size, and three digits remain.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written.
    """
    kept = {
        name: (value.half() if half and value.is_floating_point() else value).contiguous().cpu()
        for name, value in weights.items()
    }
    with write_atomically(path) as temporary:
        temporary.write_bytes(save(kept))
