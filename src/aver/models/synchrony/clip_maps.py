"""`ClipMaps`: what each modality shows the network of each clip, as pictures of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import FeatureError, SettingsError
from aver.features.feature import Feature, feature_from_settings
from aver.features.store import FeatureSource


@dataclass(frozen=True)
class InputSettings:
    """What one modality shows the network, and how its neurons look at it.

    Parameters
    ----------
    feature : str
        Registered name.
    feature_settings : mapping
        Settings of the feature that differ from its defaults.
    array : str
        Which of its arrays: a vector, a map (rows, columns), or frames of maps.
    window, stride : tuple of int
        Rows and columns that a neuron sees, and steps from one window to the next.
    standardise : {"rows", "cells"}
        What has a mean and a deviation of its own: a row (a coefficient), or a cell (a pixel).
    frames : int >= 0
        Frames, evenly spaced, of an array that has frames; 0 for one that has none.
    """

    feature: str
    feature_settings: Mapping[str, Any] = field(default_factory=dict)
    array: str = "statistics"
    window: tuple[int, ...] = (1, 40)
    stride: tuple[int, ...] = (1, 40)
    standardise: str = "rows"
    frames: int = 0

    def __post_init__(self) -> None:
        if len(self.window) != 2 or len(self.stride) != 2:
            raise SettingsError(
                f"window and stride count rows and columns; they are {self.window}, {self.stride}."
            )
        if self.standardise not in ("rows", "cells"):
            raise SettingsError(f"standardise must be rows or cells, not {self.standardise!r}.")
        if self.frames < 0:
            raise SettingsError(f"frames must not be negative; it is {self.frames}.")

    def make_feature(self) -> Feature:
        """The feature itself."""
        return feature_from_settings(self.feature, self.feature_settings)


@dataclass(frozen=True, eq=False)
class ClipMaps:
    """One modality of many clips.

    Parameters
    ----------
    maps : tuple of (np.ndarray [shape=(frames, rows, columns), dtype=float32] or None)
        In the order of the clips; None where a clip lacks the modality.
    coverage : np.ndarray [shape=(clips,)]
    flags : tuple of tuple of str
    """

    maps: tuple[np.ndarray | None, ...]
    coverage: np.ndarray
    flags: tuple[tuple[str, ...], ...]

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Rows and columns; None where no clip has the modality."""
        return next((one.shape[1:] for one in self.maps if one is not None), None)


def load_clip_maps(
    clips: Sequence[Clip], settings: InputSettings, feature: Feature, store: FeatureSource
) -> ClipMaps:
    """Ask the store for one modality of all clips.

    Raises
    ------
    FeatureError
        If an array is not there, or has another shape than that of other clips.
    """
    maps: list[np.ndarray | None] = []
    coverage, flags = np.zeros(len(clips)), []
    shape: tuple[int, ...] | None = None
    for place, clip in enumerate(clips):
        record = store.get(clip, feature)
        coverage[place] = record.coverage
        flags.append((*record.flags, *([record.missing] if record.missing else [])))
        if record.missing:
            maps.append(None)
            continue
        found = _map(record.arrays, settings, clip)
        if shape is not None and found.shape[1:] != shape:
            raise FeatureError(
                f"The feature {feature.name!r} of clip {clip.clip_id!r} has the shape "
                f"{found.shape[1:]}; other clips have {shape}."
            )
        shape = found.shape[1:]
        maps.append(found)
    return ClipMaps(tuple(maps), coverage, tuple(flags))


def _map(arrays: Mapping[str, np.ndarray], settings: InputSettings, clip: Clip) -> np.ndarray:
    if settings.array not in arrays:
        raise FeatureError(
            f"The feature {settings.feature!r} of clip {clip.clip_id!r} yields "
            f"{', '.join(arrays) or 'nothing'}, but no array {settings.array!r}."
        )
    found = np.asarray(arrays[settings.array], dtype=np.float32)
    if settings.frames:
        places = np.linspace(0, len(found) - 1, settings.frames + 2)[1:-1]
        found = found[np.rint(places).astype(int)]
    wanted = 3 if settings.frames else 2
    while found.ndim < wanted:
        found = found[None]
    found = found if settings.frames else found[None]
    if found.ndim != 3:
        raise FeatureError(
            f"The array {settings.array!r} of the feature {settings.feature!r} has "
            f"{found.ndim} axes; say with frames whether its first one is time."
        )
    return found
