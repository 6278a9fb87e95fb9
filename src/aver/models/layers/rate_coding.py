"""From features of clips to the firing rates of a spiking network's input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import FeatureError, SettingsError
from aver.features.feature import Feature, feature_from_settings
from aver.features.laplacian_crops import LaplacianCrops
from aver.features.mel_bands import MelBands
from aver.features.store import FeatureSource
from aver.models.data.clip_features import ClipFeature, check_present, load_features
from aver.settings import Field, settings
from aver.spiking.parameters import Positive
from aver.spiking.topology import Windows

ClipValues = ClipFeature[np.ndarray]
"""One feature of clips: values of the shape `(..., rows, columns)`."""

Size = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=2, max_length=2)]


@settings
class RateCoding:
    """From values to rates between 0 and `highest_rate_hz`.

    Parameters
    ----------
    scale : {"z-score", "min-max"}
        ``z-score``: standard scores, with the full rate at `limit`; ``min-max``: zero at the
        lowest value of the training clips, the full rate at the highest.
    channels : {"on-off", "on", "shifted"}
        What z-scores become. ``on-off``: two inputs, one for values above the mean and one for
        values below; ``on``: values above only; ``shifted``: one input at half rate for the mean.
        Not used by ``min-max``.
    apart : bool
        All on inputs come first, then all off inputs, so that a window contains inputs of one kind
        and each kind has neurons of its own.
    over : {"rows", "all", "pixels"}
        What has a mean and standard deviation of its own: each row of the feature (coefficient,
        band), all values together, or each pixel of images that have one size.
    limit : float > 0
    highest_rate_hz : float > 0

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, section IV-B: rates of 0 to 63.75 Hz in proportion to the
    intensity of each value.
    Differs from the paper: scale and channels are ours; it names neither.
    """

    scale: Literal["z-score", "min-max"] = "z-score"
    channels: Literal["on-off", "on", "shifted"] = "on-off"
    apart: bool = False
    over: Literal["rows", "all", "pixels"] = "rows"
    limit: Positive = 3.0
    highest_rate_hz: Positive = 63.75

    @property
    def inputs_per_row(self) -> int:
        """Inputs per value: 2 for on and off channels, else 1."""
        return 2 if self.scale == "z-score" and self.channels == "on-off" else 1


@settings
class InputSettings:
    """The input of one modality to a spiking network: feature, coding and windows.

    Parameters
    ----------
    feature : str
        A feature of frames (``mfcc``, ``mel-bands``) or images (``laplacian-crops``).
    feature_settings : mapping of str to object
        Settings of the feature that differ from its defaults.
    coding : RateCoding
    window, stride : tuple of int (rows, columns) of the feature
        Size of a neuron's window, and the step from one window position to the next; 0 stands for
        all of them. The paper's windows are 10 frames wide and all rows high.
    """

    feature: str = "mfcc"
    feature_settings: Mapping[str, Any] = field(default_factory=dict)
    coding: RateCoding = field(default_factory=RateCoding)
    window: Size = (0, 10)
    stride: Size = (0, 10)

    def make_feature(self) -> Feature:
        """The feature itself."""
        return feature_from_settings(self.feature, self.feature_settings)

    def windows(self, shape: tuple[int, int]) -> Windows:
        """Windows over the inputs; on and off inputs of a row are adjacent rows, or apart.

        Parameters
        ----------
        shape : (rows, columns) of inputs
            See `aver.models.layers.rate_coding.LayerInputs.input_shape`.

        Raises
        ------
        SettingsError
            If a window does not fit, or would contain on and off inputs that must stay apart.
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
                f"{rows} rows would contain the last on inputs and the first off inputs together. "
                "Choose rows and stride such that a window ends with the last on input."
            )
        return Windows(size, stride)


class RateInputs:
    """Features of clips as firing rates, one coding per modality, fitted to training clips.

    Parameters
    ----------
    name : str
        Of the recognizer, for messages.
    inputs : mapping of str to InputSettings
        By modality.

    Raises
    ------
    SettingsError
        If a feature is of another modality, or a spiking layer cannot read it.
    """

    def __init__(self, name: str, inputs: Mapping[str, InputSettings]) -> None:
        self.features = {modality: one.make_feature() for modality, one in inputs.items()}
        for modality, feature in self.features.items():
            if feature.modality != modality:
                raise SettingsError(
                    f"{name} needs a feature of {modality}, but {feature.name!r} is one of "
                    f"{feature.modality}. Choose another feature."
                )
        self.inputs = {
            modality: LayerInputs(inputs[modality].coding, feature_shape(feature))
            for modality, feature in self.features.items()
        }

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of inputs, by modality."""
        return {modality: one.input_shape for modality, one in self.inputs.items()}

    def load(self, clips: Sequence[Clip], store: FeatureSource) -> dict[str, ClipValues]:
        """Features of all clips, by modality."""
        return load_features(clips, self.features, store, read_array)

    def fit(self, loaded: Mapping[str, ClipValues]) -> None:
        """Fit the codings to training clips.

        Raises
        ------
        MissingModalityError
            If no clip has a modality.
        """
        check_present(loaded)
        for modality, clips in loaded.items():
            self.inputs[modality].fit(clips)

    def rates(self, clips: Sequence[Clip], loaded: Mapping[str, ClipValues]) -> ClipRates:
        """Rates of clips whose features are `loaded`."""
        return ClipRates(
            tuple(clip.clip_id for clip in clips),
            {modality: self.inputs[modality].rates_hz(one) for modality, one in loaded.items()},
        )


@dataclass(frozen=True, eq=False)
class ClipRates:
    """Clips as firing rates.

    Parameters
    ----------
    clip_ids : tuple of str
    rates_hz : mapping of str to list of np.ndarray or None
        By modality; None if a clip lacks it.
    """

    clip_ids: tuple[str, ...]
    rates_hz: Mapping[str, list[np.ndarray | None]]

    def rows(self, *modalities: str) -> np.ndarray:
        """Indices of the clips that have all these modalities."""
        present = [[one is not None for one in self.rates_hz[name]] for name in modalities]
        return np.flatnonzero(np.all(present, axis=0))

    def first(self, count: int) -> ClipRates:
        """The first `count` clips."""
        return self.take(np.arange(count))

    def take(self, rows: np.ndarray) -> ClipRates:
        """Some of the clips."""
        return ClipRates(
            tuple(self.clip_ids[row] for row in rows),
            {name: [rates[row] for row in rows] for name, rates in self.rates_hz.items()},
        )


@dataclass
class LayerInputs:
    """Turns feature values into rates of a fixed shape, by a coding fitted to training clips.

    Parameters
    ----------
    coding : RateCoding
    shape : tuple of int (rows, columns)
        Of the feature at its longest; the rates behind the end of a shorter clip are zero.
    fitted : FittedCoding or None
        Set by `fit`.
    """

    coding: RateCoding
    shape: tuple[int, int]
    fitted: FittedCoding | None = field(default=None)

    @property
    def input_shape(self) -> tuple[int, int]:
        """Rows and columns of inputs."""
        return self.shape[0] * self.coding.inputs_per_row, self.shape[1]

    def fit(self, clips: ClipValues) -> None:
        """Fit the coding to the training clips that have the modality."""
        self.fitted = fit_coding(self.coding, [v for v in clips.values if v is not None])

    def rates_hz(self, clips: ClipValues) -> list[np.ndarray | None]:
        """Rates of each clip, `[shape=(..., *input_shape), float32]`; None if it is missing."""
        if self.fitted is None:
            raise SettingsError("The coding has not been fitted to training clips: call fit.")
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
        """The fitted scales, for a checkpoint."""
        assert self.fitted is not None
        return {"zero": self.fitted.zero, "unit": self.fitted.unit}

    def restore(self, zero: np.ndarray, unit: np.ndarray) -> None:
        """Take the scales that `arrays` gave.

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


@dataclass(frozen=True, eq=False)
class FittedCoding:
    """A coding that was fitted to training clips.

    Parameters
    ----------
    coding : RateCoding
    zero, unit : np.ndarray [shape=(rows, 1), (1, 1) or (rows, columns)]
        Mean and standard deviation, or lowest value and range.
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
            If each pixel has a scale of its own and the images are of another size.

        Examples
        --------
        >>> coding = FittedCoding(RateCoding(limit=2.0), np.zeros((1, 1)), np.ones((1, 1)))
        >>> coding.rates_hz(np.array([[1.0, -4.0]])).tolist()
        [[31.875, 0.0], [0.0, 63.75]]
        """
        coding = self.coding
        if coding.over == "pixels" and values.shape[-2:] != self.zero.shape:
            raise FeatureError(
                f"The coding pixel by pixel was fitted to images of {self.zero.shape} values, but "
                f"a clip has {values.shape[-2:]}. Take over=rows or over=all."
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
    """Compute mean and standard deviation, or lowest value and range, over clips.

    Parameters
    ----------
    coding : RateCoding
    clips : sequence of np.ndarray [shape=(..., rows, columns)]
        At least one; numbers of columns may differ, unless each pixel has a scale of its own.

    Raises
    ------
    FeatureError
        If each pixel has a scale of its own and the images differ in size.
    """
    rows = [_values(coding, np.asarray(clip, np.float64)) for clip in clips]
    if coding.over == "pixels" and len({clip.shape[-2:] for clip in clips}) > 1:
        raise FeatureError(
            "A coding pixel by pixel needs images of one size, which these clips do not have. Take "
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
    """Values of a clip, grouped by their scale: (scales, values)."""
    if coding.over == "all":
        return clip.reshape(1, -1)
    if coding.over == "pixels":
        return clip.reshape(-1, clip.shape[-2] * clip.shape[-1]).T
    rows = np.moveaxis(clip, -2, 0)
    return rows.reshape(len(rows), -1)


def feature_shape(feature: Feature) -> tuple[int, int]:
    """Rows and maximum number of columns of a feature of frames or images.

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
        f"A spiking layer cannot read {feature.name!r}: it reads 'mfcc', 'mel-bands' or "
        "'laplacian-crops'."
    )


def read_array(clip: Clip, feature: Feature, arrays: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Values of one clip, ``(..., rows, columns)``, for `load_features`.

    Raises
    ------
    FeatureError
        If the feature has no array that a spiking layer reads.
    """
    if "images" in arrays:
        return arrays["images"]
    if "units" in arrays:
        return arrays["units"].T
    raise FeatureError(
        f"The feature {feature.name!r} of clip {clip.clip_id!r} has the arrays "
        f"{', '.join(arrays) or 'none'}; a spiking layer reads 'units' (frames) of audio or "
        "'images' of video."
    )
