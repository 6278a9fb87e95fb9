"""`RateCoding`: how values of a feature become firing rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import FeatureError, SettingsError
from aver.features.feature import Feature, FeatureRecord, feature_from_settings
from aver.features.laplacian_crops import LaplacianCrops
from aver.features.mel_bands import MelBands
from aver.features.store import FeatureSource
from aver.spiking.topology import Windows


@dataclass(frozen=True)
class RateCoding:
    """From values to rates between 0 and `highest_rate_hz`.

    Parameters
    ----------
    scale : {"z-score", "min-max"}
        ``z-score``: deviations from the mean, full rate at `limit` deviations; ``min-max``: zero
        at the lowest value of the training clips, full rate at the highest.
    channels : {"on-off", "on", "shifted"}
        What z-scores become. ``on-off``: two inputs, one for values above the mean and one for
        values below; ``on``: values above only; ``shifted``: one input at half rate for the mean.
        Without meaning for ``min-max``.
    apart : bool
        Windows see on or off inputs, not both: all on inputs come first, then all off inputs, and
        neurons of their own count each.
    over : {"rows", "all", "pixels"}
        Mean and deviation of each row of the feature (coefficient, band), of all values together,
        or of each value of pictures that have one size: what is above or below the usual picture.
    limit : float > 0
    highest_rate_hz : float > 0

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, section IV-B: rates of 0 to 63.75 Hz in proportion to the
    intensity of each value.
    Differs from the paper: it names neither scale nor channels.
    """

    scale: Literal["z-score", "min-max"] = "z-score"
    channels: Literal["on-off", "on", "shifted"] = "on-off"
    apart: bool = False
    over: Literal["rows", "all", "pixels"] = "rows"
    limit: float = 3.0
    highest_rate_hz: float = 63.75

    def __post_init__(self) -> None:
        for name in ("limit", "highest_rate_hz"):
            if not 0 < getattr(self, name) < np.inf:
                raise SettingsError(
                    f"{name} is {getattr(self, name)}; it must be positive and finite."
                )

    @property
    def inputs_per_row(self) -> int:
        """Inputs for each value: 2 for on and off, else 1."""
        return 2 if self.scale == "z-score" and self.channels == "on-off" else 1


@dataclass(frozen=True, eq=False)
class FittedCoding:
    """A coding with its numbers.

    Parameters
    ----------
    coding : RateCoding
    zero, unit : np.ndarray [shape=(rows, 1), (1, 1) or (rows, columns)]
        What becomes zero, and what is one unit from there: mean and deviation, or lowest value and
        range.
    """

    coding: RateCoding
    zero: np.ndarray
    unit: np.ndarray

    def rates_hz(self, values: np.ndarray) -> np.ndarray:
        """Rates of one clip.

        Parameters
        ----------
        values : np.ndarray [shape=(..., rows, columns)]

        Returns
        -------
        np.ndarray [shape=(..., rows * inputs_per_row, columns), dtype=float32]
            With on and off channels, row 2 k is the on channel of row k, the next one its off;
            `apart`, the on channels of all rows come before their off channels.

        Raises
        ------
        FeatureError
            If each pixel has a scale of its own, and the values are not of that size.

        Examples
        --------
        >>> coding = FittedCoding(RateCoding(limit=2.0), np.zeros((1, 1)), np.ones((1, 1)))
        >>> coding.rates_hz(np.array([[1.0, -4.0]])).tolist()
        [[31.875, 0.0], [0.0, 63.75]]
        """
        coding = self.coding
        if coding.over == "pixels" and values.shape[-2:] != self.zero.shape:
            raise FeatureError(
                f"Rates pixel by pixel were fitted to {self.zero.shape} values a picture, but a "
                f"clip has {values.shape[-2:]}. Take over=rows or over=all."
            )
        scaled = ((values - self.zero) / self.unit).astype(np.float32)
        if coding.scale == "min-max":
            shares = scaled
        elif coding.channels == "shifted":
            shares = 0.5 + scaled / (2 * coding.limit)
        elif coding.channels == "on":
            shares = scaled / coding.limit
        elif coding.apart:
            shares = np.concatenate([scaled, -scaled], axis=-2) / coding.limit
        else:
            both = np.stack([scaled, -scaled], axis=-2) / coding.limit  # (..., rows, 2, columns)
            shares = both.reshape(*scaled.shape[:-2], -1, scaled.shape[-1])
        return np.clip(shares, 0.0, 1.0) * np.float32(coding.highest_rate_hz)


def fit_coding(coding: RateCoding, clips: Sequence[np.ndarray]) -> FittedCoding:
    """Take mean and deviation, or lowest value and range, from clips.

    Parameters
    ----------
    coding : RateCoding
    clips : sequence of np.ndarray [shape=(..., rows, columns)]
        At least one; numbers of columns may differ, unless each pixel is scaled by itself.

    Raises
    ------
    FeatureError
        If pictures that are to be scaled pixel by pixel differ in size.
    """
    rows = [_values(coding, np.asarray(clip, np.float64)) for clip in clips]
    if coding.over == "pixels" and len({clip.shape[-2:] for clip in clips}) > 1:
        raise FeatureError(
            "Rates pixel by pixel need pictures of one size, which these clips do not have. Take "
            "over=rows or over=all."
        )
    if coding.scale == "min-max":
        zero = np.min([clip.min(axis=1) for clip in rows], axis=0)
        unit = np.max([clip.max(axis=1) for clip in rows], axis=0) - zero
    else:
        count = sum(clip.shape[1] for clip in rows)
        zero = np.sum([clip.sum(axis=1) for clip in rows], axis=0) / count
        squares = [np.square(clip - zero[:, np.newaxis]).sum(axis=1) for clip in rows]
        unit = np.sqrt(np.sum(squares, axis=0) / count)
    unit = np.where(unit > 1e-9, unit, 1.0)  # a row that never changes stays at zero rate
    shape = clips[0].shape[-2:] if coding.over == "pixels" else (-1, 1)
    return FittedCoding(coding, zero.reshape(shape), unit.reshape(shape))


def _values(coding: RateCoding, clip: np.ndarray) -> np.ndarray:
    """Values of a clip by what has a scale of its own: (scales, values)."""
    if coding.over == "all":
        return clip.reshape(1, -1)
    if coding.over == "pixels":
        return clip.reshape(-1, clip.shape[-2] * clip.shape[-1]).T
    rows = np.moveaxis(clip, -2, 0)
    return rows.reshape(len(rows), -1)


@dataclass(frozen=True)
class InputSettings:
    """What one modality shows a spiking network, and how its neurons look at it.

    Parameters
    ----------
    feature : str
        A feature of frames (``mfcc``, ``mel-bands``) or pictures (``laplacian-crops``).
    feature_settings : mapping of str to object
        Settings of the feature that differ from its defaults.
    coding : RateCoding
    window, stride : tuple of int (rows, columns) of the feature
        What a neuron sees, and the step from one window position to the next; 0 stands for all of
        them. The paper's windows are 10 frames wide, all rows high.
    """

    feature: str = "mfcc"
    feature_settings: Mapping[str, Any] = field(default_factory=dict)
    coding: RateCoding = field(default_factory=RateCoding)
    window: tuple[int, ...] = (0, 10)
    stride: tuple[int, ...] = (0, 10)

    def __post_init__(self) -> None:
        if len(self.window) != 2 or len(self.stride) != 2 or min(*self.window, *self.stride) < 0:
            raise SettingsError(
                "window and stride must be two numbers each, rows and columns, none negative; "
                f"they are {self.window} and {self.stride}."
            )

    def make_feature(self) -> Feature:
        """The feature itself."""
        return feature_from_settings(self.feature, self.feature_settings)

    def windows(self, shape: tuple[int, int]) -> Windows:
        """Windows over the inputs; on and off inputs of a row lie one below the other, or apart.

        Parameters
        ----------
        shape : (rows, columns) of inputs
            See `aver.models.layers.rate_coding.LayerInputs.input_shape`.

        Raises
        ------
        SettingsError
            If a window does not fit, or would see on and off inputs that are to lie apart.
        """
        each = self.coding.inputs_per_row
        apart = self.coding.apart and each > 1
        rows, times = (shape[0] // each, 1) if apart else (shape[0], each)
        size = (times * self.window[0] or rows, self.window[1] or shape[1])
        stride = (times * self.stride[0] or rows, self.stride[1] or shape[1])
        if size[0] > rows or size[1] > shape[1]:
            raise SettingsError(
                f"A window of {size} does not fit the layer's {rows} rows and {shape[1]} columns "
                "of inputs. Choose a smaller one."
            )
        if apart and any(top < rows < top + size[0] for top in range(0, rows, stride[0])):
            raise SettingsError(
                f"With on and off inputs apart, windows of {size[0]} rows at every {stride[0]} of "
                f"{rows} rows would see the last on inputs and the first off inputs together. "
                "Choose rows and stride that end where the on inputs end."
            )
        return Windows(size, stride)


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
        values=tuple(
            _values_of_record(r, clip, feature) for r, clip in zip(records, clips, strict=True)
        ),
        coverage=np.array([record.coverage for record in records], dtype=np.float64),
        flags=tuple((*r.flags, r.missing) if r.missing else r.flags for r in records),
    )


def _values_of_record(record: FeatureRecord, clip: Clip, feature: Feature) -> np.ndarray | None:
    if record.missing:
        return None
    if "images" in record.arrays:
        return record.arrays["images"]
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
    if isinstance(feature, MelBands):
        return feature.row_count, feature.frame_count
    if isinstance(feature, LaplacianCrops):
        return feature.size_px, feature.size_px
    raise SettingsError(
        f"A spiking layer cannot look at {feature.name!r}: it reads 'cepstra', 'mel-bands' or "
        "'laplacian-crops'."
    )
