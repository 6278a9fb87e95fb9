"""`Majority`: always answers the shares of the classes in training. The floor of every table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from aver.corpora.clip import Clip
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.base.checkpoint import Checkpoint, check_names, read_checkpoint, write_checkpoint
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import Recognizer, card_facts, label_shares


@dataclass(frozen=True)
class MajoritySettings:
    """There is nothing to set."""


class Majority(Recognizer):
    """Learns how frequent each class is, and looks at no clip.

    Parameters
    ----------
    settings : MajoritySettings
    store : FeatureSource
        Never asked.
    """

    name = "majority"
    source = "The most frequent class of the training clips"
    settings_type = MajoritySettings

    def __init__(self, settings: MajoritySettings, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self._classes: tuple[str, ...] = ()
        self._prior = np.zeros(0)
        self._card: dict[str, Any] = {}

    @classmethod
    def tiny(cls, store: FeatureSource) -> Self:
        """A recogniser for the contract tests."""
        return cls(MajoritySettings(), store)

    @property
    def features(self) -> Mapping[str, Feature]:
        """None."""
        return {}

    @property
    def classes(self) -> tuple[str, ...]:
        """Emotions seen in training."""
        return self._classes

    def fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int = 0,
        run_folder: Path | None = None,
    ) -> Self:
        """Count the classes of `train`."""
        self._classes, self._prior = label_shares(train)
        self._card = {
            **card_facts(self, train, validation, seed),
            "fitted_on": {},
            "labels_used": {"class shares": ["train"]},
        }
        return self

    def predict(self, clips: Sequence[Clip]) -> Prediction:
        """The same answer for every clip."""
        return Prediction(
            clip_ids=tuple(clip.clip_id for clip in clips),
            classes=self.classes,
            probabilities=np.tile(self._prior, (len(clips), 1)),
            flags=((),) * len(clips),
        )

    def save(self, folder: Path) -> None:
        """Write the checkpoint."""
        facts = {"settings": asdict(self.settings), "classes": list(self.classes)}
        write_checkpoint(folder, Checkpoint(self.name, {"prior": self._prior}, facts, self.card))

    @classmethod
    def load(cls, folder: Path, store: FeatureSource) -> Self:
        """Read what `save` wrote."""
        checkpoint = read_checkpoint(folder, cls.name)
        recognizer = cls(MajoritySettings(), store)
        recognizer._classes = tuple(checkpoint.facts["classes"])
        wanted = {"prior": np.zeros(len(recognizer._classes))}
        check_names(checkpoint.weights, wanted, folder)
        recognizer._prior = checkpoint.weights["prior"]
        recognizer._card = dict(checkpoint.card)
        return recognizer

    @property
    def card(self) -> dict[str, Any]:
        """Facts for the model card."""
        return dict(self._card)
