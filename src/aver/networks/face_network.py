"""`FaceNetwork`: a pretrained network that turns images of faces into embeddings."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from aver.errors import CheckpointError
from aver.media.boxes import resize_square
from aver.networks.pretrained import load_pretrained, read_weights
from aver.networks.resnet import ResNet18
from aver.networks.shipped import CARD_NAME, read_card

_MIN_STD = 1.0  # gray levels; a uniform image stays at 0


def standardize_images(images: Tensor) -> Tensor:
    """Subtract the mean of each image and divide by its standard deviation.

    Parameters
    ----------
    images : Tensor of uint8 [shape=(images, 1, height, width)]

    Returns
    -------
    Tensor of float32 [shape=(images, 1, height, width)]

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


_BATCH_SIZE = 128


class FaceNetwork:
    """Turns images of faces into embeddings; loads what ``aver pretrain video`` wrote.

    Parameters
    ----------
    weights : Path
        ``weights.safetensors``, with ``card.json`` in the same folder.

    Raises
    ------
    CheckpointError
        If card or weights are missing, or do not fit each other.
    """

    def __init__(self, weights: Path) -> None:
        facts = face_facts(weights)
        self.size_px = int(facts["size_px"])
        self.classes: tuple[str, ...] = tuple(facts["classes"])
        self._extractor = ResNet18(1, facts["width"], facts["blocks"], facts["stem"])
        load_pretrained(self._extractor, weights)
        head = read_weights(weights)
        self._fc = head.get("fc.weight"), head.get("fc.bias")
        self._extractor.eval()
        self._extractor.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.no_grad()
    def embed(self, images: np.ndarray) -> np.ndarray:
        """Embed images of faces.

        Parameters
        ----------
        images : np.ndarray [shape=(images, height, width) or (..., 3), dtype=uint8]
            Gray or RGB, of any size.

        Returns
        -------
        np.ndarray [shape=(images, size), dtype=float32]
        """
        inputs = torch.from_numpy(np.stack([self._resize(one) for one in images]))[:, None]
        rows = [
            self._extractor(standardize_images(some).contiguous(memory_format=torch.channels_last))
            for some in inputs.split(_BATCH_SIZE)
        ]
        return torch.cat(rows).numpy()

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Probabilities of the network's own classes.

        Parameters
        ----------
        images : np.ndarray
            As for `embed`.

        Returns
        -------
        np.ndarray [shape=(images, classes), dtype=float32]

        Raises
        ------
        CheckpointError
            If the weights have no classifier.
        """
        weight, bias = self._fc
        if weight is None or bias is None:
            raise CheckpointError("These face weights have no classifier; they only embed faces.")
        scores = torch.from_numpy(self.embed(images)) @ weight.float().T + bias.float()
        return scores.softmax(dim=1).numpy()

    def _resize(self, image: np.ndarray) -> np.ndarray:
        if image.ndim == 3:
            image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        if image.shape == (self.size_px, self.size_px):
            return image
        return resize_square(image, self.size_px)


def face_facts(weights: Path) -> dict[str, Any]:
    """The shape of the network and the size of its input, from the card beside the weights.

    Raises
    ------
    CheckpointError
        If there is no such card.
    """
    try:
        card = read_card(weights.parent)
        shape = {name: card["network"][name] for name in ("width", "blocks", "stem")}
        classes = card.get("classes", ())
        return {**shape, "size_px": int(card["input"]["size_px"]), "classes": classes}
    except (OSError, ValueError, KeyError, TypeError):
        raise CheckpointError(
            f"{weights.parent / CARD_NAME} is no card of 'aver pretrain video', so the input of "
            f"the network in {weights} is unknown. Give the run folder of that command, or the "
            "name of shipped weights."
        ) from None


def face_network(weights: Path) -> FaceNetwork:
    """The network in a file; loaded once per process, and again if weights or card changed."""
    return _face_network(weights, _stamp(weights), _stamp(weights.parent / CARD_NAME))


def _stamp(path: Path) -> tuple[int, int] | None:
    if not path.is_file():
        return None
    status = path.stat()
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=2)
def _face_network(weights: Path, _weights_stamp: Any, _card_stamp: Any) -> FaceNetwork:
    return FaceNetwork(weights)
