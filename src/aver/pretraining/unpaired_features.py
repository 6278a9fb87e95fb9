"""`UnpairedFeatures`: embeddings of single pictures beside features of clips."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.features.feature import Feature, FeatureRecord
from aver.features.store import FeatureSource


class UnpairedFeatures:
    """Answers for faces that are single pictures, and asks a store for everything else.

    Parameters
    ----------
    store : FeatureSource
    embeddings : mapping of Path to np.ndarray [shape=(size,)]
        By the picture's path.
    """

    def __init__(self, store: FeatureSource, embeddings: Mapping[Path, np.ndarray]) -> None:
        self._store, self._embeddings = store, embeddings

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The feature of one clip; of a picture, its embedding as the only frame."""
        if feature.modality == "video" and clip.video and clip.video in self._embeddings:
            return FeatureRecord({"embeddings": self._embeddings[clip.video][None]})
        return self._store.get(clip, feature)
