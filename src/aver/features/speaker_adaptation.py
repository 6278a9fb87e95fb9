"""`SpeakerAdaptation`: features on each speaker's own scale, estimated without labels."""

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

ADAPTED = "uses unlabeled clips of test speakers"
"""Every result with adaptation is marked with these words."""

MIN_CLIPS = 4
"""Minimum number of clips of a speaker that adaptation needs."""
ENOUGH_CLIPS = 8
"""With fewer clips, predictions are worse than without adaptation, by
``benchmarks/clips_to_adapt_to.py``."""

_ARRAYS = ("statistics", "units", "embeddings", "segments", "columns", "images")
_MIN_STD = 1e-6
_MAX_DEVIATIONS = 20.0  # limits values of a new clip that the speaker's other clips hardly had


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of one speaker's clips.

    Parameters
    ----------
    mean, std : np.ndarray
        Per value of a vector, column of a track, pixel, or band of segments, in a shape that
        broadcasts to the arrays.
    """

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, arrays: Sequence[np.ndarray], *, bands: bool = False) -> Scale:
        """The scale of a speaker's clips; each clip has the same weight, whatever its length.

        Parameters
        ----------
        arrays : sequence of np.ndarray
            One per clip: a vector, or rows of a track, of embeddings, columns or images.
        bands : bool
            Arrays are segments ``(segments, bands, columns)``, to be scaled per band.
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
        std[std < _MIN_STD] = 1.0  # constant values become 0
        return cls(mean.astype(np.float32), std.astype(np.float32))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """The values on this scale, in their own precision, limited to 20 standard deviations."""
        scaled = (values.astype(np.float32) - self.mean) / self.std
        return np.clip(scaled, -_MAX_DEVIATIONS, _MAX_DEVIATIONS).astype(values.dtype)


class SpeakerAdaptation:
    """A source of features that subtracts a speaker's mean and divides by their standard deviation.

    Functionals, tracks of action units, embeddings, spectrograms (per band, of segments and of
    whole clips) and filtered images (per pixel) are adapted; face crops are passed on unchanged. No
    label is used, but all clips given here are, so that the prediction for one clip depends on the
    other clips of its speaker: results are marked as `ADAPTED` and are never compared with results
    without adaptation.

    Parameters
    ----------
    store : FeatureSource
        Where features come from.
    clips : sequence of Clip
        Clips with speakers: every clip that will be asked for, and further clips of these speakers.
    missing_ok : bool
        A feature that too few of a speaker's clips have counts as missing instead of an error, and
        one that fewer than `ENOUGH_CLIPS` have is flagged.
    min_clips : int >= 1
        Minimum number of a speaker's clips with a feature.

    Notes
    -----
    Source: speaker normalization, as in Schuller et al. (2010), "Cross-corpus acoustic emotion
    recognition: variances and strategies", section 4.
    """

    def __init__(
        self,
        store: FeatureSource,
        clips: Sequence[Clip],
        *,
        missing_ok: bool = False,
        min_clips: int = MIN_CLIPS,
    ) -> None:
        self._store, self._missing_ok, self._min_clips = store, missing_ok, min_clips
        self._clips: dict[str, list[Clip]] = defaultdict(list)
        for clip in clips:
            if clip.speaker is not None:
                self._clips[clip.speaker].append(clip.without_labels())
        self._scales: dict[tuple[str, str, str], Scale] = {}
        self._from_few: set[tuple[str, str, str]] = set()

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The adapted feature of one clip.

        Raises
        ------
        FeatureError
            If the clip's speaker is unknown or has too few clips with this feature.
        """
        record = self._store.get(clip, feature)
        name = next((name for name in _ARRAYS if name in record.arrays), None)
        if name is None:
            return record
        speaker = clip.speaker or ""
        key = (speaker, f"{feature.name}-{feature.key}", name)
        if key not in self._scales:
            arrays = self._arrays(speaker, feature, name)
            if len(arrays) < self._min_clips:
                if self._missing_ok:
                    return FeatureRecord.absent(f"too few clips to adapt {feature.modality} to")
                raise self._too_few(feature, speaker, len(arrays))
            self._scales[key] = Scale.of(arrays, bands=name == "segments")
            if self._missing_ok and len(arrays) < ENOUGH_CLIPS:
                self._from_few.add(key)
        adapted = self._scales[key].apply(record.arrays[name])
        few = (f"few clips to adapt {feature.modality} to",) if key in self._from_few else ()
        return replace(record, arrays={**record.arrays, name: adapted}, flags=(*record.flags, *few))

    def check_enough(self, speaker: str, features: Iterable[Feature]) -> None:
        """Raise FeatureError if none of the features can be adapted to the speaker."""
        features = tuple(features)
        counts = [
            max(len(self._arrays(speaker, feature, name)) for name in _ARRAYS)
            for feature in features
        ]
        if counts and max(counts) < self._min_clips:
            raise self._too_few(features[counts.index(max(counts))], speaker, max(counts))

    def _arrays(self, speaker: str, feature: Feature, name: str) -> list[np.ndarray]:
        records = (self._store.get(one, feature) for one in self._clips[speaker])
        return [record.arrays[name] for record in records if name in record.arrays]

    def _too_few(self, feature: Feature, speaker: str, count: int) -> FeatureError:
        who = f"the speaker {speaker!r}" if speaker else "a clip without a known speaker"
        return FeatureError(
            f"Adaptation of {feature.name} to {who} needs {self._min_clips} unlabeled clips; "
            f"there are {count}. Give more clips, or leave out adaptation."
        )


def passes_unchanged(features: Iterable[Feature]) -> bool:
    """Whether adaptation changes none of these features, since all are face crops."""
    features = tuple(features)
    return bool(features) and all(isinstance(feature, FaceCrops) for feature in features)


def check_adaptable(features: Iterable[Feature]) -> None:
    """Raise SettingsError if adaptation would change none of these features.

    The result would be marked as adapted without being so.
    """
    if passes_unchanged(features):
        raise SettingsError(
            "Speaker adaptation does not change face crops, and this recognizer uses nothing else. "
            "Leave out --adapt, or choose a preset with face embeddings or audio."
        )
