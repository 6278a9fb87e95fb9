"""`SpeakerAdaptation`: features on each speaker's own scale, learnt from clips without labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import FeatureError, SettingsError
from aver.features.face_crops import FaceCrops
from aver.features.feature import Feature, FeatureRecord
from aver.features.store import FeatureSource

ADAPTED = "uses unlabelled clips of test speakers"
"""What a result with adaptation must say of itself."""

MIN_CLIPS = 4
"""So many clips of a speaker are needed to know what is usual for them."""

_ARRAYS = ("statistics", "units", "embeddings", "segments", "columns", "images")
_MIN_STD = 1e-6
_MOST = 20.0  # a new clip may have what a speaker's known clips hardly ever had


@dataclass(frozen=True)
class Scale:
    """What is usual for one speaker.

    Parameters
    ----------
    mean, std : np.ndarray
        Of each value of a vector, feature of a track, pixel, or band of segments, in a shape that
        goes with the arrays.
    """

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, arrays: Sequence[np.ndarray], *, bands: bool = False) -> Scale:
        """The scale of a speaker's clips, each counting the same however long it is.

        Parameters
        ----------
        arrays : sequence of np.ndarray
            One per clip: a vector, or rows of a track, of embeddings, columns or pictures.
        bands : bool
            Arrays are segments ``(segments, bands, columns)``, and bands are to be scaled.
        """
        means, squares = [], []
        for array in arrays:
            values = array.astype(np.float64)
            axes = (0, 2) if bands else () if values.ndim == 1 else (0,)
            means.append(values.mean(axis=axes, keepdims=bands))
            squares.append(np.square(values).mean(axis=axes, keepdims=bands))
        mean = np.mean(means, axis=0)
        variance = np.mean(squares, axis=0) - np.square(mean)
        std = np.sqrt(np.maximum(variance, 0.0))
        std[std < _MIN_STD] = 1.0  # a value that never changes says nothing
        return cls(mean.astype(np.float32), std.astype(np.float32))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """The same values on this scale, in their own precision; at most 20 deviations away."""
        scaled = (values.astype(np.float32) - self.mean) / self.std
        return np.clip(scaled, -_MOST, _MOST).astype(values.dtype)


class SpeakerAdaptation:
    """A source of features that subtracts a speaker's mean and divides by their deviation.

    Vectors of statistics, tracks of action units, embeddings, spectrograms (band by band, of
    segments and of whole clips) and filtered pictures (pixel by pixel) are adapted; crops of faces
    are passed on as they are. No label is looked at, but all clips given here are, so that answers
    for one clip depend on the others of its speaker: results are named `ADAPTED` and never stand
    beside results without.

    Parameters
    ----------
    store : FeatureSource
        Where features come from.
    clips : sequence of Clip
        With speakers; every clip that will be asked for, and any more that these speakers have.
    forgiving : bool
        A feature that too few of a speaker's clips have counts as missing, in place of an error.

    Notes
    -----
    Source: speaker normalisation, as in Schuller et al. (2010), "Cross-corpus acoustic emotion
    recognition: variances and strategies", section 4.
    """

    def __init__(
        self, store: FeatureSource, clips: Sequence[Clip], *, forgiving: bool = False
    ) -> None:
        self._store, self._forgiving = store, forgiving
        self._clips: dict[str, list[Clip]] = defaultdict(list)
        for clip in clips:
            if clip.speaker is not None:
                self._clips[clip.speaker].append(clip.without_labels())
        self._scales: dict[tuple[str, str, str], Scale] = {}

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The adapted feature of one clip.

        Raises
        ------
        FeatureError
            If the clip's speaker is unknown, or has too few clips with this feature.
        """
        record = self._store.get(clip, feature)
        name = next((name for name in _ARRAYS if name in record.arrays), None)
        if name is None:
            return record
        speaker = clip.speaker or ""
        key = (speaker, f"{feature.name}-{feature.key}", name)
        if key not in self._scales:
            arrays = self._arrays(speaker, feature, name)
            if len(arrays) < MIN_CLIPS:
                if self._forgiving:
                    return FeatureRecord.absent(f"too few clips to adapt {feature.modality} to")
                raise _too_few(feature, speaker, len(arrays))
            self._scales[key] = Scale.of(arrays, bands=name == "segments")
        adapted = self._scales[key].apply(record.arrays[name])
        return replace(record, arrays={**record.arrays, name: adapted})

    def check_enough(self, speaker: str, features: Iterable[Feature]) -> None:
        """Raise FeatureError if no feature can be adapted to the speaker."""
        features = tuple(features)
        counts = [
            max(len(self._arrays(speaker, feature, name)) for name in _ARRAYS)
            for feature in features
        ]
        if counts and max(counts) < MIN_CLIPS:
            raise _too_few(features[counts.index(max(counts))], speaker, max(counts))

    def _arrays(self, speaker: str, feature: Feature, name: str) -> list[np.ndarray]:
        records = (self._store.get(one, feature) for one in self._clips[speaker])
        return [record.arrays[name] for record in records if name in record.arrays]


def _too_few(feature: Feature, speaker: str, count: int) -> FeatureError:
    who = f"the speaker {speaker!r}" if speaker else "a clip without a known speaker"
    return FeatureError(
        f"Adaptation of {feature.name} to {who} has {count} unlabelled clips to go by; it needs "
        f"{MIN_CLIPS}. Give more clips, or do without adaptation."
    )


def passes_unchanged(features: Iterable[Feature]) -> bool:
    """Whether adaptation changes nothing that these features yield: all are crops of faces."""
    features = tuple(features)
    return bool(features) and all(isinstance(feature, FaceCrops) for feature in features)


def check_adaptable(features: Iterable[Feature]) -> None:
    """Raise SettingsError if adaptation would change nothing that these features yield.

    A result would bear the name of an adaptation that did not take place.
    """
    if passes_unchanged(features):
        raise SettingsError(
            "Speaker adaptation passes crops of faces on as they are, and this recogniser reads "
            "nothing else. Leave --adapt out, or take a preset with face embeddings or sound."
        )
