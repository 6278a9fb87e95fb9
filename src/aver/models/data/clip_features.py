"""`load_features`: the features of many clips in memory, the one loader of all systems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError
from aver.features.feature import Feature
from aver.features.store import FeatureSource

T = TypeVar("T")

Read = Callable[[Clip, Feature, Mapping[str, np.ndarray]], T | None]
"""Makes what a system needs of the arrays of a clip's record; None if they hold nothing usable."""


@dataclass(frozen=True, eq=False)
class ClipFeature(Generic[T]):
    """One modality of clips, in the order of the clips.

    Parameters
    ----------
    values : tuple of T or None
        What the system reads of each clip; None if a clip lacks the modality.
    coverage : np.ndarray [shape=(clips,)]
        Share of each clip, in [0, 1], that has the modality.
    flags : tuple of tuple of str
        Per clip, the feature's remarks, and the reason if the modality is missing.
    """

    values: tuple[T | None, ...]
    coverage: np.ndarray
    flags: tuple[tuple[str, ...], ...]

    def __getitem__(self, chosen: slice) -> ClipFeature[T]:
        """Some of the clips, with the same memory."""
        return ClipFeature(self.values[chosen], self.coverage[chosen], self.flags[chosen])

    @property
    def present(self) -> np.ndarray:
        """Which clips have the modality: bool (clips,)."""
        return np.array([value is not None for value in self.values], dtype=bool)

    @property
    def some(self) -> tuple[T, ...]:
        """Values of the clips that have the modality."""
        return tuple(value for value in self.values if value is not None)


def load_feature(
    clips: Sequence[Clip],
    feature: Feature,
    store: FeatureSource,
    read: Read[T],
    remarks: Callable[[T], Sequence[str]] = lambda value: (),
) -> ClipFeature[T]:
    """Get one feature of all clips.

    Parameters
    ----------
    clips : sequence of Clip
    feature : Feature
    store : FeatureSource
    read : callable
        See `Read`. It is called clip by clip, so that the arrays of only one record are in memory
        beside the result.
    remarks : callable
        Further flags that follow from a value.

    Raises
    ------
    FeatureError
        By `read`, if the feature yields other arrays than the system needs.
    """
    values: list[T | None] = []
    coverage, flags = np.zeros(len(clips)), []
    for row, clip in enumerate(clips):
        record = store.get(clip, feature)
        value = read(clip, feature, record.arrays) if record.arrays else None
        missing = record.missing or ("" if value is not None else f"no {feature.modality}")
        further = remarks(value) if value is not None else ()
        values.append(value)
        coverage[row] = record.coverage
        flags.append((*record.flags, *([missing] if missing else []), *further))
    return ClipFeature(tuple(values), coverage, tuple(flags))


def load_features(
    clips: Sequence[Clip], features: Mapping[str, Feature], store: FeatureSource, read: Read[T]
) -> dict[str, ClipFeature[T]]:
    """Get the features of all modalities in the same way; see `load_feature`."""
    return {
        modality: load_feature(clips, feature, store, read)
        for modality, feature in features.items()
    }


def coverage_of(loaded: Mapping[str, ClipFeature[T]]) -> dict[str, np.ndarray]:
    """Coverage by modality, as `Prediction` has it."""
    return {modality: found.coverage for modality, found in loaded.items()}


def flags_of(loaded: Mapping[str, ClipFeature[T]]) -> tuple[tuple[str, ...], ...]:
    """Per clip, the flags of all modalities without repetition, as `Prediction` has them."""
    by_clip = zip(*(found.flags for found in loaded.values()), strict=True)
    return tuple(tuple(dict.fromkeys(flag for some in flags for flag in some)) for flags in by_clip)


def check_present(loaded: Mapping[str, ClipFeature[T]]) -> None:
    """Check that the training clips have each modality at least once.

    Raises
    ------
    MissingModalityError
        If they do not; the message names the flags of the clips.
    """
    for modality, found in loaded.items():
        if not found.present.any():
            reasons = ", ".join(sorted({flag for flags in found.flags for flag in flags}))
            raise MissingModalityError(
                f"None of the {len(found.values)} training clips has the modality {modality!r} "
                f"({reasons or 'no reason known'}). Leave it out of modalities, or use a "
                "recognizer that does not need it."
            )
