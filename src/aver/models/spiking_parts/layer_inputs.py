"""`LayerInputs`: the firing rates of clips, as one spiking layer sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import FeatureError, SettingsError
from aver.features.feature import Feature, FeatureRecord
from aver.features.laplacian_crops import LaplacianCrops
from aver.features.mel_frames import MelFrames
from aver.features.store import FeatureSource
from aver.models.spiking_parts.rate_coding import FittedCoding, RateCoding, fit_coding


@dataclass(frozen=True, eq=False)
class LayerClips:
    """Values of one feature for clips, in the order of the clips.

    Parameters
    ----------
    values : tuple of np.ndarray [shape=(..., rows, columns)] or None
        None where a clip lacks the modality.
    coverage : np.ndarray [shape=(clips,)]
    flags : tuple of tuple of str
        What the feature says, and why it is missing.
    """

    values: tuple[np.ndarray | None, ...]
    coverage: np.ndarray
    flags: tuple[tuple[str, ...], ...]

    def first(self, count: int) -> LayerClips:
        """Those of the first so many clips."""
        return LayerClips(self.values[:count], self.coverage[:count], self.flags[:count])

    @property
    def present(self) -> np.ndarray:
        """Which clips have the modality: bool (clips,)."""
        return np.array([values is not None for values in self.values], dtype=bool)


def load_layer_clips(clips: Sequence[Clip], feature: Feature, store: FeatureSource) -> LayerClips:
    """Ask the store for the feature of all clips.

    Raises
    ------
    FeatureError
        If the feature yields no array that a spiking layer reads.
    """
    records = [store.get(clip, feature) for clip in clips]
    return LayerClips(
        values=tuple(_values(r, clip, feature) for r, clip in zip(records, clips, strict=True)),
        coverage=np.array([record.coverage for record in records], dtype=np.float64),
        flags=tuple((*r.flags, r.missing) if r.missing else r.flags for r in records),
    )


def _values(record: FeatureRecord, clip: Clip, feature: Feature) -> np.ndarray | None:
    if record.missing:
        return None
    if "pictures" in record.arrays:
        return record.arrays["pictures"]
    if "units" in record.arrays:
        return record.arrays["units"].T
    raise FeatureError(
        f"The feature {feature.name!r} of clip {clip.clip_id!r} yields "
        f"{', '.join(record.arrays) or 'nothing'}; a spiking layer reads 'units' (frames) of sound "
        "or 'pictures' of video."
    )


@dataclass
class LayerInputs:
    """Turns feature values into rates of a fixed shape, by numbers of the training clips.

    Parameters
    ----------
    coding : RateCoding
    shape : tuple of int (rows, columns)
        Of the feature at its longest; where a clip is shorter, the rates behind its end are zero.
    fitted : FittedCoding or None
        Known after `fit`.
    """

    coding: RateCoding
    shape: tuple[int, int]
    fitted: FittedCoding | None = field(default=None)

    @property
    def input_shape(self) -> tuple[int, int]:
        """Rows and columns of inputs."""
        return self.shape[0] * self.coding.inputs_per_row, self.shape[1]

    def fit(self, clips: LayerClips) -> None:
        """Take the coding's numbers from the training clips that have the modality."""
        self.fitted = fit_coding(self.coding, [v for v in clips.values if v is not None])

    def rates_hz(self, clips: LayerClips) -> list[np.ndarray | None]:
        """Rates of each clip, `[shape=(..., *input_shape), float32]`; None where it is missing."""
        if self.fitted is None:
            raise SettingsError("Rates need a coding that was fitted to training clips.")
        return [
            None if values is None else self._padded(self.fitted.rates_hz(values))
            for values in clips.values
        ]

    def _padded(self, rates: np.ndarray) -> np.ndarray:
        rows, columns = self.input_shape
        if rates.shape[-2] != rows or rates.shape[-1] > columns:
            raise FeatureError(
                f"A clip's rates have the shape {rates.shape[-2:]}, but the layer takes {rows} "
                f"rows and up to {columns} columns. Was it trained with other feature settings?"
            )
        short = columns - rates.shape[-1]
        widths = [(0, 0)] * (rates.ndim - 1) + [(0, short)]
        return np.pad(rates, widths) if short else rates

    def arrays(self) -> dict[str, np.ndarray]:
        """The coding's numbers, for a checkpoint."""
        assert self.fitted is not None
        return {"zero": self.fitted.zero, "unit": self.fitted.unit}

    def restore(self, zero: np.ndarray, unit: np.ndarray) -> None:
        """Take the numbers that `arrays` gave.

        Raises
        ------
        ValueError
            If they do not fit the feature.
        """
        rows, columns = self.shape
        if not (zero.shape == unit.shape and zero.ndim == 2 and zero.shape[0] in (1, rows)):
            raise ValueError(f"scales of shapes {zero.shape} and {unit.shape} for {rows} rows")
        if not 1 <= zero.shape[1] <= columns:
            raise ValueError(f"scales of {zero.shape[1]} columns for {columns}")
        self.fitted = FittedCoding(self.coding, zero, unit)


def check_modalities(name: str, features: Mapping[str, Feature]) -> None:
    """Refuse a feature of another modality than the one that it is to show.

    Parameters
    ----------
    name : str
        Of the recogniser.
    features : mapping of str to Feature
        By modality.

    Raises
    ------
    SettingsError
    """
    for wanted, feature in features.items():
        if feature.modality != wanted:
            raise SettingsError(
                f"{name} needs a feature of {wanted}, but {feature.name!r} is one of "
                f"{feature.modality}. Choose another feature."
            )


def feature_shape(feature: Feature) -> tuple[int, int]:
    """Rows and most columns of a feature of frames or pictures.

    Raises
    ------
    SettingsError
        If the feature is neither.
    """
    if isinstance(feature, MelFrames):
        return feature.row_count, feature.frame_count
    if isinstance(feature, LaplacianCrops):
        return feature.size_px, feature.size_px
    raise SettingsError(
        f"A spiking layer cannot look at {feature.name!r}: it reads 'cepstra', 'mel-bands' or "
        "'laplacian-crops'."
    )
