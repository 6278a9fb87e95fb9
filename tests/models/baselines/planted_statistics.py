"""Planted functionals: a source of features for tests of the baselines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aver.corpora.clip import Clip
from aver.features.feature import Feature, FeatureRecord

CLASSES = ("neutral", "happy", "sad")


class PlantedStatistics:
    """Vectors drawn around one center per class; modalities named in `lacking` are absent."""

    def __init__(
        self,
        spread: float = 0.5,
        inputs: int = 6,
        lacking: dict[str, Sequence[str]] | None = None,
        seed: int = 0,
    ) -> None:
        self.spread, self.inputs, self.lacking, self.seed = spread, inputs, lacking or {}, seed
        self._labels: dict[str, str] = {}

    def clips(self, count: int, name: str = "c", classes: tuple[str, ...] = CLASSES) -> list[Clip]:
        """Labeled clips of two speakers, classes in turn."""
        made = [
            Clip(f"{name}{i:03d}", f"{name}-{i % 2}", classes[i % len(classes)])
            for i in range(count)
        ]
        self._labels.update({clip.clip_id: str(clip.emotion) for clip in made})
        return made

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        if feature.modality in self.lacking.get(clip.clip_id, ()):
            return FeatureRecord.absent(f"no {feature.modality}")
        label = CLASSES.index(self._labels[clip.clip_id])
        key = [self.seed, *feature.modality.encode(), *clip.clip_id.encode()]
        noise = np.random.default_rng(key).normal(0, self.spread, self.inputs)
        center = np.random.default_rng([*feature.modality.encode(), label]).normal(
            0, 1, self.inputs
        )
        return FeatureRecord({"statistics": (center + noise).astype(np.float32)}, coverage=0.5)
