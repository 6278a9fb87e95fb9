"""`LateFusion`: one recognizer per modality, trained separately, and their mean prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from aver.compatibility import upgrade_name
from aver.corpora.clip import Clip
from aver.errors import CheckpointError, SettingsError
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.base.prediction import NO_MODALITY, Prediction, mean_of_known
from aver.models.base.recognizer import Recognizer, load_recognizer


@dataclass(frozen=True)
class LateFusionSettings:
    """Settings of `LateFusion`.

    Parameters
    ----------
    preset : str
        Preset (name or YAML file) of the recognizer that is trained once per modality; its
        settings must have ``modalities``.
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
    """Trains one recognizer per modality and averages their probabilities, clip by clip.

    A clip that lacks a modality is predicted by the members of the others.

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

    @property
    def members(self) -> Mapping[str, Recognizer]:
        """Modality to its recognizer."""
        if not self._members:
            for modality in self.settings.modalities:
                kind, settings = _member(self.settings, modality)
                self._members[modality] = kind(settings, self.store)
        return self._members

    @property
    def features(self) -> Mapping[str, Feature]:
        """Modality to the feature that its member reads."""
        return {name: member.features[name] for name, member in self.members.items()}

    @property
    def pretrained_weights(self) -> tuple[str, ...]:
        """Of all members."""
        names = (name for member in self.members.values() for name in member.pretrained_weights)
        return tuple(dict.fromkeys(names))

    @property
    def gives_embeddings(self) -> bool:  # type: ignore[override]
        """Whether any member does."""
        return any(member.gives_embeddings for member in self.members.values())

    @classmethod
    def without_refit(cls, settings: LateFusionSettings) -> LateFusionSettings:
        """Members that would train on validation clips do not."""
        members = [_member(settings, modality) for modality in settings.modalities]
        if all(kind.without_refit(own) == own for kind, own in members):
            return settings
        return replace(settings, overrides={**settings.overrides, "refit": False})

    def with_features_from(self, source: FeatureSource) -> Self:
        """Also for every member."""
        other = super().with_features_from(source)
        other._members = {
            name: member.with_features_from(source) for name, member in self.members.items()
        }
        return other

    def _check_layouts(self, trained: Mapping[str, int], folder: Path) -> None:
        """Nothing: the checkpoints of the members are checked, which need no preset any more."""

    def _fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int,
        run_folder: Path | None,
    ) -> dict[str, Any]:
        """Fit every member on the same clips; each has its own folder below `run_folder`."""
        for name, member in self.members.items():
            folder = run_folder / name if run_folder else None
            member.fit(train, validation, seed=seed, run_folder=folder)
        cards = {name: member.card for name, member in self.members.items()}
        return {
            "parameters": sum(card.get("parameters", 0) for card in cards.values()),
            "members": cards,
            **{
                key: {
                    f"{name}: {what}": subsets
                    for name, card in cards.items()
                    for what, subsets in card.get(key, {}).items()
                }
                for key in ("fitted_on", "labels_used")
            },
        }

    def _describe(self, clips: Sequence[Clip]) -> dict[str, np.ndarray]:
        """Nothing: the members tell how far a clip is from their training clips."""
        return {}

    def _predict(self, clips: Sequence[Clip]) -> Prediction:
        members = {name: member.predict(clips) for name, member in self.members.items()}
        alone = {name: member.by_modality[name] for name, member in members.items()}
        return Prediction(
            clip_ids=tuple(clip.clip_id for clip in clips),
            classes=self.classes,
            probabilities=mean_of_known(list(alone.values())),
            by_modality=alone,
            coverage={name: member.coverage[name] for name, member in members.items()},
            distance={
                name: member.distance[name]
                for name, member in members.items()
                if name in member.distance
            },
            flags=tuple(
                tuple(flag for flags in of_clip for flag in flags if flag != NO_MODALITY)
                for of_clip in zip(*(member.flags for member in members.values()), strict=True)
            ),
            embeddings={
                name: member.embeddings[name]
                for name, member in members.items()
                if name in member.embeddings
            },
        )

    def save(self, folder: Path) -> None:
        """Write the checkpoint, with each member's in a folder below."""
        super().save(folder)
        for name, member in self.members.items():
            member.save(folder / "members" / name)

    @classmethod
    def load(cls, folder: Path, store: FeatureSource) -> Self:
        """Read what `save` wrote; the members' preset is not needed any more."""
        recognizer = super().load(folder, store)
        folders = {upgrade_name(path.name): path for path in (folder / "members").glob("*")}
        for name in recognizer.settings.modalities:
            member = load_recognizer(folders.get(name, folder / "members" / name), store)
            if member.classes != recognizer.classes:
                raise CheckpointError(
                    f"The member {name!r} of the checkpoint at {folder} has other classes; the "
                    "checkpoint was changed or mixed with another one."
                )
            recognizer._members[name] = member
        return recognizer


def _member(settings: LateFusionSettings, modality: str) -> tuple[type[Recognizer], Any]:
    """Class and settings of the recognizer of one modality."""
    from aver.models.base.presets import load_preset

    return load_preset(settings.preset, {**settings.overrides, "modalities": [modality]})
