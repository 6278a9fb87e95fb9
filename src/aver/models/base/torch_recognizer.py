"""`NetworkRecognizer`: what recognisers that train one torch network have in common."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import numpy as np
import torch
from torch import nn

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError, SettingsError
from aver.features.store import FeatureSource
from aver.models.base.checkpoint import Checkpoint, check_names, read_checkpoint, write_checkpoint
from aver.models.base.recognizer import Recognizer, card_facts
from aver.settings import settings_from_mapping
from aver.training.history import History

N = TypeVar("N", bound=nn.Module)


class NetworkRecognizer(Recognizer, Generic[N]):
    """Keeps a network with the facts to build it again, writes it, reads it, describes it.

    Subclasses say how to build the network, and what it answers.
    """

    def __init__(self, settings: Any, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self.network: N | None = None
        self.history: History | None = None
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._prior: list[float] = []
        self._card: dict[str, Any] = {}

    @abstractmethod
    def _build(self) -> N:
        """The network for `_shapes` and the answers known, with random weights."""

    @abstractmethod
    def _predictions(self) -> dict[str, Any]:
        """What the network answers, as plain JSON values."""

    @abstractmethod
    def _take_predictions(self, facts: Mapping[str, Any]) -> None:
        """Take up what `_predictions` gave."""

    @property
    def prior(self) -> np.ndarray:
        """Share of each class in the training clips."""
        return np.asarray(self._prior)

    @property
    def card(self) -> dict[str, Any]:
        """Facts for the model card."""
        return dict(self._card)

    def save(self, folder: Path) -> None:
        """Write the checkpoint."""
        weights = {k: v.detach().cpu().numpy() for k, v in self._trained().state_dict().items()}
        facts = {
            "settings": dataclasses.asdict(self.settings),
            "features": {name: feature.settings() for name, feature in self.features.items()},
            **self._predictions(),
            "shapes": {name: list(shape) for name, shape in self._shapes.items()},
            "prior": self._prior,
        }
        write_checkpoint(folder, Checkpoint(self.name, weights, facts, self.card))

    @classmethod
    def load(cls, folder: Path, store: FeatureSource) -> Self:
        """Read what `save` wrote."""
        checkpoint = read_checkpoint(folder, cls.name)
        facts = checkpoint.facts
        recognizer = cls(settings_from_mapping(cls.settings_type, facts["settings"]), store)
        recognizer._take_predictions(facts)
        recognizer._shapes = {name: tuple(shape) for name, shape in facts["shapes"].items()}
        recognizer._prior = list(facts["prior"])
        recognizer._card = dict(checkpoint.card)
        network = recognizer._build()
        check_names(checkpoint.weights, network.state_dict(), folder)
        network.load_state_dict({k: torch.from_numpy(v) for k, v in checkpoint.weights.items()})
        recognizer.network = network.eval()
        return recognizer

    def _trained(self) -> N:
        if self.network is None:
            raise SettingsError("This recogniser has not been trained: call fit, or load one.")
        return self.network

    def _facts_of(
        self, train: Sequence[Clip], validation: Sequence[Clip], seed: int
    ) -> dict[str, Any]:
        """Facts for the card that every trained network has."""
        assert self.history is not None
        return {
            **card_facts(self, train, validation, seed),
            "parameters": sum(p.numel() for p in self._trained().parameters()),
            "epochs": len(self.history.epochs),
            "best_epoch": self.history.best_epoch,
        }


def never_seen(modality: str, flags: Sequence[Sequence[str]]) -> MissingModalityError:
    """The error for a modality that no training clip has.

    Parameters
    ----------
    modality : str
    flags : sequence of sequence of str
        Of the training clips; those of the first say why.
    """
    why = ", ".join(flags[0]) if flags and flags[0] else "no reason known"
    return MissingModalityError(
        f"None of the {len(flags)} training clips has the modality {modality!r} ({why}). "
        "Leave it out of modalities."
    )
