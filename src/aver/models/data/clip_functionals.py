"""`ClipFunctionals`: one vector per clip and modality, where the clip has the modality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import FeatureError
from aver.features.feature import Feature
from aver.features.store import FeatureSource


@dataclass(frozen=True)
class ClipFunctionals:
    """Statistics of clips, in the order of the clips.

    Parameters
    ----------
    vectors : mapping of str to np.ndarray [shape=(clips, statistics)]
        By modality; rows of NaN where a clip lacks it; no columns where all do.
    coverage : mapping of str to np.ndarray [shape=(clips,)]
    flags : tuple of tuple of str
        Per clip, what the features said, and why a modality is missing.
    """

    vectors: Mapping[str, np.ndarray]
    coverage: Mapping[str, np.ndarray]
    flags: tuple[tuple[str, ...], ...]

    def present(self, modalities: Sequence[str]) -> np.ndarray:
        """Which clips have all these modalities: bool (clips,)."""
        clips = len(self.flags)
        found = np.ones(clips, dtype=bool)
        for modality in modalities:
            vectors = self.vectors[modality]
            found &= np.isfinite(vectors).all(axis=1) if vectors.shape[1] else np.zeros(clips, bool)
        return found

    def joined(self, modalities: Sequence[str]) -> np.ndarray:
        """Vectors of several modalities side by side: (clips, sum of statistics)."""
        return np.hstack([self.vectors[modality] for modality in modalities])


def load_clip_functionals(
    clips: Sequence[Clip], features: Mapping[str, Feature], store: FeatureSource
) -> ClipFunctionals:
    """Ask the store for the statistics of all clips.

    Parameters
    ----------
    clips : sequence of Clip
    features : mapping of str to Feature
        By modality; each yields an array ``statistics`` (n,).
    store : FeatureSource

    Raises
    ------
    FeatureError
        If a feature yields no statistics, or not as many as for other clips; the message names
        the clip.
    """
    vectors: dict[str, np.ndarray] = {}
    coverage = {modality: np.zeros(len(clips)) for modality in features}
    flags: list[list[str]] = [[] for _ in clips]
    for modality, feature in features.items():
        rows: dict[int, np.ndarray] = {}
        for place, clip in enumerate(clips):
            record = store.get(clip, feature)
            coverage[modality][place] = record.coverage
            flags[place].extend(record.flags)
            if record.missing:
                flags[place].append(record.missing)
            else:
                rows[place] = _vector(record.arrays, clip, feature)
        vectors[modality] = _stacked(rows, clips, feature)
    return ClipFunctionals(vectors, coverage, tuple(tuple(dict.fromkeys(found)) for found in flags))


def _vector(arrays: Mapping[str, np.ndarray], clip: Clip, feature: Feature) -> np.ndarray:
    if "statistics" not in arrays or arrays["statistics"].ndim != 1:
        raise FeatureError(
            f"The feature {feature.name!r} of clip {clip.clip_id!r} yields "
            f"{', '.join(arrays) or 'nothing'}; a vector named 'statistics' is needed."
        )
    return arrays["statistics"]


def _stacked(rows: Mapping[int, np.ndarray], clips: Sequence[Clip], feature: Feature) -> np.ndarray:
    """Rows in the order of the clips, NaN between: (clips, statistics)."""
    width = max((len(row) for row in rows.values()), default=0)
    stacked = np.full((len(clips), width), np.nan)
    for place, row in rows.items():
        if len(row) != width:
            raise FeatureError(
                f"The feature {feature.name!r} has {len(row)} values for clip "
                f"{clips[place].clip_id!r} and {width} for others; do their tables differ?"
            )
        stacked[place] = row
    return stacked
