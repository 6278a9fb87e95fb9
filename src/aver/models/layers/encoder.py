"""`Encoder`: an extractor of frame features, built from settings and perhaps pretrained."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from torch import nn

from aver.compatibility import upgrade
from aver.errors import CheckpointError, SettingsError
from aver.models.layers.extractors import HOG, BandFunctionals, ConvBlocks
from aver.networks.pretrained import find_weights, load_pretrained, resnet_shape
from aver.networks.resnet import ResNet18
from aver.networks.shipped import CARD_NAME
from aver.settings import Field, settings
from aver.training.task import ParameterGroup

CHANNELS = (32, 64, 128, 256, 256)
"""Of convolutional blocks, by default."""


@settings
class EncoderSettings:
    """How frames of one modality become feature vectors.

    Parameters
    ----------
    extractor : {"resnet18", "conv-blocks", "hog", "band-functionals", "identity"}
        A ResNet, which may be pretrained; the blocks of Birhala et al.; for small corpora,
        histograms of oriented gradients, or mean and standard deviation of each band of a
        spectrogram, which are not trained; identity for vectors.
    width, blocks, stem : int, int, str
        Of the ResNet; 64, 2 and "7x7" are ResNet-18.
    rows : int >= 1
        Of band functionals: neighboring bands are averaged to this number of rows.
    pretrained : str
        Weights for the ResNet: a name of `aver list weights`, a file, or a run folder of
        `aver pretrain`; empty for a random start.
    frozen_epochs : int >= 0
        Number of epochs at the beginning in which the pretrained extractor is not trained.
    pretrained_rate : float > 0
        Learning rate of the pretrained extractor, as a share of the usual one.

    Raises
    ------
    SettingsError
        If a value is unknown or out of range, or weights are named for another extractor than a
        ResNet.
    """

    extractor: Literal["resnet18", "conv-blocks", "hog", "band-functionals", "identity"] = (
        "resnet18"
    )
    width: int = 64
    blocks: int = 2
    stem: str = "7x7"
    rows: Annotated[int, Field(ge=1)] = 32
    pretrained: str = ""
    frozen_epochs: Annotated[int, Field(ge=0)] = 0
    pretrained_rate: Annotated[float, Field(gt=0)] = 1.0

    def __post_init__(self) -> None:
        if not self.pretrained and (self.frozen_epochs or self.pretrained_rate != 1.0):
            raise SettingsError(
                "frozen_epochs and pretrained_rate are for extractors that start from pretrained "
                "weights. Name some with --init, or leave both out."
            )
        if self.pretrained and self.extractor != "resnet18":
            raise SettingsError(
                f"Pretrained weights are for the extractor resnet18, not for {self.extractor}."
            )


class Encoder(nn.Module):
    """A module with an `extractor` that may be pretrained, and frozen in the first epochs.

    Subclasses make the extractor (`make_extractor`), and say what happens before and after it.

    Parameters
    ----------
    settings : EncoderSettings
    """

    extractor: nn.Module

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        self.frozen_epochs, self.pretrained_rate = settings.frozen_epochs, settings.pretrained_rate
        self._frozen = False

    def freeze(self, frozen: bool) -> None:
        """Keep the extractor as it is, its batch norms too; or train it."""
        if frozen != self._frozen:
            self._frozen = frozen
            self.extractor.requires_grad_(not frozen)
            self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Training or evaluation mode; a frozen extractor stays in the latter."""
        super().train(mode)
        if self._frozen:
            self.extractor.eval()
        return self

    def load_pretrained(self, name_or_path: str) -> None:
        """Start the extractor from weights.

        Parameters
        ----------
        name_or_path : str
            As `aver.networks.pretrained.find_weights` takes it; empty for none.

        Raises
        ------
        CheckpointError
            If there are no such weights, or they do not fit.
        """
        if name_or_path:
            load_pretrained(self.extractor, find_weights(name_or_path))


def make_extractor(
    settings: EncoderSettings, shape: tuple[int, ...], channels: Sequence[int] = CHANNELS
) -> tuple[nn.Module, int]:
    """Build the extractor that the settings name, with random weights.

    Parameters
    ----------
    settings : EncoderSettings
    shape : tuple of int
        Of one input: ``(channels, rows, columns)``, or ``(features,)``.
    channels : sequence of int
        Of convolutional blocks.

    Returns
    -------
    nn.Module
    int
        Length of its feature vectors.

    Raises
    ------
    SettingsError
        If the extractor reads images and the input is a vector.
    """
    if settings.extractor == "identity":
        return nn.Flatten(), math.prod(shape)
    if len(shape) != 3:
        raise SettingsError(
            f"The extractor {settings.extractor} reads images or spectrograms, not frames of shape "
            f"{shape}. Use extractor: identity."
        )
    extractor: ResNet18 | ConvBlocks | HOG | BandFunctionals
    if settings.extractor == "resnet18":
        extractor = ResNet18(shape[0], settings.width, settings.blocks, settings.stem)
    elif settings.extractor == "conv-blocks":
        extractor = ConvBlocks((shape[0], shape[1], shape[2]), channels)
    elif settings.extractor == "hog":
        extractor = HOG(shape)
    else:
        extractor = BandFunctionals(shape, settings.rows)
    return extractor, extractor.size


def _encoders(network: nn.Module) -> Iterator[Encoder]:
    return (part for part in network.modules() if isinstance(part, Encoder))


def freeze_first_epochs(network: nn.Module, epoch: int) -> None:
    """Freeze the network's extractors in their first epochs, then not; epochs count from 0."""
    for encoder in _encoders(network):
        encoder.freeze(epoch < encoder.frozen_epochs)


def groups_by_rate(network: nn.Module) -> tuple[ParameterGroup, ...]:
    """Pretrained extractors with their own learning rate, everything else with the usual one."""
    slow = [
        ParameterGroup(tuple(encoder.extractor.parameters()), encoder.pretrained_rate)
        for encoder in _encoders(network)
        if encoder.pretrained_rate != 1.0
    ]
    apart = {id(p) for group in slow for p in group.parameters}
    usual = (p for p in network.parameters() if p.requires_grad and id(p) not in apart)
    return (ParameterGroup(tuple(usual)), *slow)


FROZEN_EPOCHS, PRETRAINED_RATE = 3, 0.1
"""Of pretrained extractors, by default."""


def pretrained_changes(
    part: str, settings: EncoderSettings, weights: str
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Changes of settings that start an extractor from the weights of a ResNet.

    The ResNet gets the shape that the weights' card gives, is frozen for `FROZEN_EPOCHS` epochs and
    then trained at `PRETRAINED_RATE` of the usual rate. Without a card it keeps the shape of the
    settings, which the weights must fit.

    Parameters
    ----------
    part : str
        Dotted name of the settings, such as ``"branches.video"``.
    settings : EncoderSettings
    weights : str
        As `aver.networks.pretrained.find_weights` takes it.

    Returns
    -------
    dict
        Changes by dotted name.
    mapping or None
        What the card says of the network's input; None without a card.

    Raises
    ------
    CheckpointError
        If there are no such weights, they do not fit the settings, or the card is damaged.
    """
    changes: dict[str, Any] = {
        f"{part}.extractor": "resnet18",
        f"{part}.pretrained": weights,
        f"{part}.frozen_epochs": FROZEN_EPOCHS,
        f"{part}.pretrained_rate": PRETRAINED_RATE,
    }
    card = find_weights(weights).parent / CARD_NAME
    if not card.is_file():
        _check_shape(part, settings, weights)
        return changes, None
    try:
        content = upgrade(json.loads(card.read_text(encoding="utf-8")))
        shape = {f"{part}.{key}": content["network"][key] for key in ("width", "blocks", "stem")}
        return changes | shape, dict(content["input"])
    except (ValueError, KeyError, TypeError):
        raise CheckpointError(f"{card} is no card of 'aver pretrain'. Remove it.") from None


def _check_shape(part: str, settings: EncoderSettings, weights: str) -> None:
    """Refuse weights without a card that do not fit the settings, before any clip is read."""
    shape = resnet_shape(find_weights(weights))
    other = {key: value for key, value in shape.items() if getattr(settings, key) != value}
    if other:
        own = ", ".join(f"{key} {getattr(settings, key)}" for key in other)
        needed = " ".join(f"{part}.{key}={value}" for key, value in other.items())
        raise CheckpointError(
            f"The pretrained weights at {weights} do not fit {part}, which has {own}. Add --set "
            f"{needed}, or take weights of that shape."
        )
