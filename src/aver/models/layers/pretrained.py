"""`PretrainedPart`: a part whose extractor may start from pretrained weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Self

from torch import nn

from aver.compatibility import upgrade
from aver.errors import CheckpointError, SettingsError
from aver.networks.pretrained import find_weights, load_pretrained, resnet_shape
from aver.networks.shipped import CARD_NAME
from aver.training.task import ParameterGroup


class PretrainedPart(nn.Module):
    """Keeps its `extractor` frozen in the first epochs, then lets it learn at a rate of its own.

    Parameters
    ----------
    frozen_epochs : int >= 0
        The extractor is not trained in so many first epochs.
    pretrained_rate : float > 0
        The extractor's learning rate, as a share of the usual one.
    """

    extractor: nn.Module

    def __init__(self, frozen_epochs: int = 0, pretrained_rate: float = 1.0) -> None:
        super().__init__()
        self.frozen_epochs, self.pretrained_rate = frozen_epochs, pretrained_rate
        self._frozen = False

    def freeze(self, frozen: bool) -> None:
        """Keep the extractor as it is, its batch norms too; or let it learn."""
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
            As `aver.networks.pretrained.find_weights` takes it.

        Raises
        ------
        CheckpointError
            If there are none, or they do not fit.
        """
        load_pretrained(self.extractor, find_weights(name_or_path))


def pretrained_parts(network: nn.Module) -> Iterator[PretrainedPart]:
    """All such parts of a network."""
    return (part for part in network.modules() if isinstance(part, PretrainedPart))


def freeze_first_epochs(network: nn.Module, epoch: int) -> None:
    """Freeze extractors in their first epochs, and thaw them after; epochs count from 0."""
    for part in pretrained_parts(network):
        part.freeze(epoch < part.frozen_epochs)


def groups_by_rate(network: nn.Module) -> tuple[ParameterGroup, ...]:
    """Pretrained extractors at a rate of their own, everything else at the usual one."""
    slow = [
        ParameterGroup(tuple(part.extractor.parameters()), part.pretrained_rate)
        for part in pretrained_parts(network)
        if part.pretrained_rate != 1.0
    ]
    apart = {id(p) for group in slow for p in group.parameters}
    usual = (p for p in network.parameters() if p.requires_grad and id(p) not in apart)
    return (ParameterGroup(tuple(usual)), *slow)


def check_pretraining(pretrained: str, frozen_epochs: int, pretrained_rate: float) -> None:
    """Check settings.

    Raises
    ------
    SettingsError
        If they are out of range, or say how to treat weights that are not there.
    """
    if frozen_epochs < 0 or pretrained_rate <= 0:
        raise SettingsError(
            "frozen_epochs must be at least 0 and pretrained_rate above 0, not "
            f"{frozen_epochs} and {pretrained_rate}."
        )
    if not pretrained and (frozen_epochs or pretrained_rate != 1.0):
        raise SettingsError(
            "frozen_epochs and pretrained_rate are for extractors that start from pretrained "
            "weights. Name some with --init, or leave both out."
        )


FROZEN_EPOCHS, PRETRAINED_RATE = 3, 0.1
"""What pretrained extractors get unless told otherwise."""


def pretrained_changes(part: str, settings: Any, weights: str) -> tuple[dict[str, Any], Any]:
    """Changes of settings that start an extractor from the weights of a ResNet.

    The ResNet gets the shape that the weights' card gives, is frozen for `FROZEN_EPOCHS` epochs and
    then trained at `PRETRAINED_RATE` of the usual rate. Without a card it keeps the shape of the
    settings, which the weights must fit.

    Parameters
    ----------
    part : str
        Dotted name of the settings, such as ``"branches.video"``.
    settings : dataclass
        With ``width``, ``blocks`` and ``stem``.
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


def _check_shape(part: str, settings: Any, weights: str) -> None:
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
