"""Planted features for tests of models: arrays that carry the class, or nothing at all."""

from __future__ import annotations

import numpy as np

from aver.corpora.clip import Clip
from aver.features.feature import Feature, FeatureRecord
from aver.training.seeding import derived_seed

EMOTIONS = ("happy", "sad", "angry", "fearful")


def planted_clips(speakers: int, takes: int, classes: int = 4) -> list[Clip]:
    """Balanced clips: every speaker performs every class so many times."""
    return [
        Clip(
            f"s{speaker:02d}-{EMOTIONS[k]}-{take}",
            f"s{speaker:02d}",
            EMOTIONS[k],
            intensity="strong" if take % 2 else "normal",
            votes={"both": {EMOTIONS[k]: 0.7, EMOTIONS[(k + 1) % classes]: 0.3}},
        )
        for speaker in range(speakers)
        for k in range(classes)
        for take in range(takes)
    ]


class PlantedSource:
    """A feature source that draws arrays from the clip's id and its (planted) class.

    Parameters
    ----------
    strength : float
        How far the arrays of a class are moved; 0 is pure noise.
    without : str
        A modality that every clip lacks.
    """

    def __init__(self, strength: float = 1.5, without: str = "") -> None:
        self.strength, self.without = strength, without

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        if feature.modality == self.without:
            return FeatureRecord.absent(f"no {feature.modality}")
        # The class is in the id, for `Clip.without_labels` takes the emotion away.
        # Embeddings draw as their crops do, so that there are as many of them.
        name = feature.basis.name if feature.name == "face-embeddings" else feature.name
        chance = np.random.default_rng(derived_seed(0, clip.clip_id, name))
        place = EMOTIONS.index(clip.clip_id.split("-")[1])
        return self.record(feature, place, chance)

    def record(self, feature: Feature, place: int, chance: np.random.Generator) -> FeatureRecord:
        count = int(chance.integers(3, 9))
        if feature.name == "face-crops":
            size = feature.settings()["size_px"]
            images = chance.normal(128, 30, (count, size, size, 3))
            quarter = size // 4
            images[:, place * quarter : (place + 1) * quarter] += 30 * self.strength
            return FeatureRecord(
                {
                    "crops": images.clip(0, 255).astype(np.uint8),
                    "times_s": np.arange(count, dtype=np.float32),
                    "found": np.ones(count, bool),
                }
            )
        if feature.name == "spectrogram-segments":
            settings = feature.settings()
            bands, columns = settings["band_count"], settings["column_count"]
            values = chance.normal(0, 1, (count, bands, columns))
            values[:, place * bands // 4 : (place + 1) * bands // 4] += self.strength
            return FeatureRecord(
                {
                    "segments": values.astype(np.float16),
                    "starts_s": 0.2 * np.arange(count, dtype=np.float32),
                }
            )
        if feature.name == "log-spectrogram":
            settings = feature.settings()
            bands, moments = settings["band_count"], round(count / settings["grid_s"])
            values = chance.normal(0, 1, (moments + 1, bands))
            values[:, place * bands // 4 : (place + 1) * bands // 4] += self.strength
            return FeatureRecord(
                {"columns": values.astype(np.float16), "duration_s": np.array([float(count)])}
            )
        if feature.name == "laplacian-crops":
            size = feature.settings()["size_px"]
            images = chance.normal(0, 1, (count, size, size)).astype(np.float32)
            images[:, place * size // 4 : (place + 1) * size // 4] += self.strength
            return FeatureRecord({"images": images})
        if feature.name == "mfcc":
            settings = feature.settings()
            rows = settings["coefficients"]
            values = chance.normal(0, 1, (min(count, settings["frame_count"]), rows))
            values[:, place * rows // 4 : (place + 1) * rows // 4] += self.strength
            return FeatureRecord({"units": values.astype(np.float32)})
        if feature.name == "face-embeddings":
            vectors = self._vector(place, chance, (count, 8))
            return FeatureRecord({"embeddings": vectors.astype(np.float16)})
        if feature.name == "action-units":
            return FeatureRecord({"units": self._vector(place, chance, (count, 8))})
        return FeatureRecord({"statistics": self._vector(place, chance, (8,))})

    def _vector(self, place: int, chance: np.random.Generator, shape: tuple[int, ...]):
        values = chance.normal(0, 1, shape)
        values[..., place] += self.strength
        return values.astype(np.float32)
