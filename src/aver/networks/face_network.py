"""`FaceNetwork`: a pretrained extractor of faces with the facts needed to feed it."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from aver.compatibility import upgrade
from aver.errors import CheckpointError
from aver.networks.pretrained import load_pretrained
from aver.networks.resnet import ResNet18
from aver.networks.shipped import CARD_NAME

_MIN_STD = 1.0  # grey levels; a picture of one colour stays flat


def standardize_images(images: Tensor) -> Tensor:
    """Subtract each picture's mean and divide by its deviation.

    Parameters
    ----------
    images : Tensor of uint8 [shape=(pictures, 1, height, width)]

    Returns
    -------
    Tensor of float32 [shape=(pictures, 1, height, width)]

    Examples
    --------
    >>> import torch
    >>> standardize_images(torch.tensor([[[[0, 200]]]], dtype=torch.uint8)).tolist()
    [[[[-1.0, 1.0]]]]
    """
    values = images.float()
    centered = values - values.mean(dim=(1, 2, 3), keepdim=True)
    std = centered.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return centered / std.clamp_min(_MIN_STD)


_AT_ONCE = 128


class FaceNetwork:
    """Turns pictures of faces into vectors; built from what ``aver pretrain visual`` wrote.

    Parameters
    ----------
    weights : Path
        ``weights.safetensors`` with its ``card.json`` beside.

    Raises
    ------
    CheckpointError
        If card or weights are missing, or do not fit each other.
    """

    def __init__(self, weights: Path) -> None:
        facts = face_facts(weights)
        self.size_px = int(facts["size_px"])
        self._extractor = ResNet18(1, facts["width"], facts["blocks"], facts["stem"])
        load_pretrained(self._extractor, weights)
        self._extractor.eval()
        self._extractor.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.no_grad()
    def embed(self, images: np.ndarray) -> np.ndarray:
        """Describe pictures.

        Parameters
        ----------
        images : np.ndarray [shape=(pictures, height, width) or (..., 3), dtype=uint8]
            Grey, or RGB, of any size.

        Returns
        -------
        np.ndarray [shape=(pictures, size), dtype=float32]
        """
        fitted = torch.from_numpy(np.stack([self._fitted(one) for one in images]))[:, None]
        rows = [
            self._extractor(standardize_images(some).contiguous(memory_format=torch.channels_last))
            for some in fitted.split(_AT_ONCE)
        ]
        return torch.cat(rows).numpy()

    def _fitted(self, image: np.ndarray) -> np.ndarray:
        if image.ndim == 3:
            image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        if image.shape == (self.size_px, self.size_px):
            return image
        return cv2.resize(image, (self.size_px, self.size_px), interpolation=cv2.INTER_AREA)


def face_facts(weights: Path) -> dict[str, Any]:
    """What the card beside weights says of the network's shape, and of the size it looks at.

    Raises
    ------
    CheckpointError
        If there is no such card.
    """
    place = weights.parent / CARD_NAME
    try:
        card = upgrade(json.loads(place.read_text(encoding="utf-8")))
        shape = {name: card["network"][name] for name in ("width", "blocks", "stem")}
        return {**shape, "size_px": int(card["input"]["size_px"])}
    except (OSError, ValueError, KeyError, TypeError):
        raise CheckpointError(
            f"{place} is no card of 'aver pretrain visual', so nobody knows how to feed the "
            f"network in {weights}. Name that command's run folder, or shipped weights."
        ) from None


def face_network(weights: Path) -> FaceNetwork:
    """One network per process and file; read again once weights or card have changed."""
    return _face_network(weights, _stamp(weights), _stamp(weights.parent / CARD_NAME))


def _stamp(path: Path) -> tuple[int, int] | None:
    if not path.is_file():
        return None
    status = path.stat()
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=2)
def _face_network(weights: Path, _weights_stamp: Any, _card_stamp: Any) -> FaceNetwork:
    return FaceNetwork(weights)
