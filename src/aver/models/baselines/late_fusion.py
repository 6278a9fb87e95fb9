"""`LateFusion`: recognisers of single modalities that never met, and the mean of their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import CheckpointError, SettingsError
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.base.checkpoint import Checkpoint, check_names, read_checkpoint, write_checkpoint
from aver.models.base.prediction import Prediction, mean_of_known
from aver.models.base.recognizer import Recognizer, card_facts, label_shares, models
from aver.settings import settings_from_mapping


@dataclass(frozen=True)
class LateFusionSettings:
    """Settings of `LateFusion`.

    Parameters
    ----------
    preset : str
        Preset (name or YAML file) of the recogniser that is trained once per modality; any whose
        settings have ``modalities``.
    modalities : tuple of str
        One member each.
    overrides : mapping of str to object
        Changes of the preset's settings, for all members.
    """

    preset: str = "statistics-logistic"
    modalities: tuple[str, ...] = ("video", "audio")
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.modalities or len(set(self.modalities)) < len(self.modalities):
            raise SettingsError(
                f"modalities must name at least one modality, each once, not {self.modalities}."
            )


class LateFusion(Recognizer):
    """Trains one recogniser per modality and averages their probabilities, clip by clip.

    A clip that lacks a modality is answered by the members of the others, one that has none by the
    training shares, flagged.

    Parameters
    ----------
    settings : LateFusionSettings
    store : FeatureSource

    Notes
    -----
    Source: Kittler et al. (1998), "On Combining Classifiers", section II, the sum rule.
    """

    name = "late-fusion"
    source = "Kittler et al. (1998), section II, the sum rule"
    settings_type = LateFusionSettings
    settings: LateFusionSettings

    def __init__(self, settings: LateFusionSettings, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self._members: dict[str, Recognizer] = {}
        self._classes: tuple[str, ...] = ()
        self._prior = np.zeros(0)
        self._card: dict[str, Any] = {}

    @classmethod
    def tiny(cls, store: FeatureSource) -> Self:
        """A recogniser small enough for the contract tests."""
        return cls(LateFusionSettings(), store)

    @property
    def members(self) -> Mapping[str, Recognizer]:
        """Modality to its recogniser."""
        if not self._members:
            self._members = {name: self._member(name) for name in self.settings.modalities}
        return self._members

    def _member(self, modality: str) -> Recognizer:
        from aver.models.base.presets import load_preset

        kind, settings = load_preset(
            self.settings.preset, {**self.settings.overrides, "modalities": [modality]}
        )
        return kind(settings, self.store)

    def take_features_from(self, source: FeatureSource) -> None:
        """Also for every member."""
        super().take_features_from(source)
        for member in self.members.values():
            member.take_features_from(source)

    @property
    def features(self) -> Mapping[str, Feature]:
        """Modality to the feature that its member needs."""
        return {name: member.features[name] for name, member in self.members.items()}

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
        """Fit every member on the same clips; each has a folder of its own below `run_folder`."""
        self._classes, self._prior = label_shares(train)
        for name, member in self.members.items():
            folder = run_folder / name if run_folder else None
            member.fit(train, validation, seed=seed, run_folder=folder)
        cards = {name: member.card for name, member in self.members.items()}
        self._card = {
            **card_facts(self, train, validation, seed),
            "parameters": sum(card.get("parameters", 0) for card in cards.values()),
            "members": cards,
            **{
                key: {
                    f"{name}: {what}": places
                    for name, card in cards.items()
                    for what, places in card.get(key, {}).items()
                }
                for key in ("fitted_on", "labels_used")
            },
        }
        return self

    def predict(self, clips: Sequence[Clip]) -> Prediction:
        """Average the answers of the members that have something to go by."""
        if not self._classes:
            raise SettingsError("This recogniser has not been trained: call fit, or load one.")
        said = {name: member.predict(clips) for name, member in self.members.items()}
        alone = {name: prediction.by_modality[name] for name, prediction in said.items()}
        fused = mean_of_known(list(alone.values()))
        empty = np.isnan(fused).any(axis=1)
        fused[empty] = self._prior
        nothing = "no usable modality"
        flags = []
        for place, is_empty in enumerate(empty):
            found = [flag for prediction in said.values() for flag in prediction.flags[place]]
            kept = [flag for flag in dict.fromkeys(found) if flag != nothing]
            flags.append((*kept, nothing) if is_empty else tuple(kept))
        return Prediction(
            clip_ids=tuple(clip.clip_id for clip in clips),
            classes=self._classes,
            probabilities=fused,
            by_modality=alone,
            coverage={name: prediction.coverage[name] for name, prediction in said.items()},
            flags=tuple(flags),
            embeddings={
                name: prediction.embeddings[name]
                for name, prediction in said.items()
                if name in prediction.embeddings
            },
        )

    def save(self, folder: Path) -> None:
        """Write the checkpoint, with each member's in a folder below."""
        for name, member in self.members.items():
            member.save(folder / "members" / name)
        facts = {
            "settings": asdict(self.settings),
            "classes": list(self._classes),
            "members": {name: member.name for name, member in self.members.items()},
        }
        write_checkpoint(folder, Checkpoint(self.name, {"prior": self._prior}, facts, self.card))

    @classmethod
    def load(cls, folder: Path, store: FeatureSource) -> Self:
        """Read what `save` wrote; the preset itself is not needed any more."""
        checkpoint = read_checkpoint(folder, cls.name)
        settings = settings_from_mapping(LateFusionSettings, checkpoint.facts["settings"])
        recognizer = cls(settings, store)
        recognizer._classes = tuple(checkpoint.facts["classes"])
        check_names(checkpoint.weights, {"prior": np.zeros(len(recognizer._classes))}, folder)
        recognizer._prior = checkpoint.weights["prior"]
        recognizer._card = dict(checkpoint.card)
        for name, kind in checkpoint.facts["members"].items():
            member = models.get(kind).load(folder / "members" / name, store)
            if member.classes != recognizer._classes:
                raise CheckpointError(
                    f"The member {name!r} of the checkpoint at {folder} tells other classes apart; "
                    "the checkpoint was changed or mixed with another one."
                )
            recognizer._members[name] = member
        return recognizer

    @property
    def card(self) -> dict[str, Any]:
        """Facts for the model card."""
        return dict(self._card)
